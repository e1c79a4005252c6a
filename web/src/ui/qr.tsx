import { encode } from 'uqr';

/** Squares around the code that scanners need (ISO/IEC 18004: four). */
const BORDER = 4;

/** A QR code, drawn as one path; dark on white in both schemes, because scanners want that. */
export function QrCode({ label, content }: { label: string; content: string }) {
  const { data, size } = encode(content, { ecc: 'M', border: BORDER });
  const path = data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ''))).join('');
  return (
    <svg
      class="qr"
      role="img"
      aria-label={label}
      viewBox={`0 0 ${size} ${size}`}
      shape-rendering="crispEdges"
    >
      <rect width={size} height={size} fill="#ffffff" />
      <path d={path} fill="#000000" />
    </svg>
  );
}
