/** A bell that rings. */
export function Logo({ size = 40 }: { size?: number }) {
  return (
    <svg class="logo" viewBox="0 0 48 48" width={size} height={size} aria-hidden="true">
      <path d="M24 7c-7.2 0-12 5.6-12 13v7.5L8.5 33v2h31v-2L36 27.5V20c0-7.4-4.8-13-12-13Z" />
      <path d="M19.5 38.5a4.6 4.6 0 0 0 9 0Z" />
      <path class="wave" d="M5 12.5A20 20 0 0 1 10.5 5M43 12.5A20 20 0 0 0 37.5 5" />
    </svg>
  );
}
