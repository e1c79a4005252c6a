/** Small facts in a line, which breaks between them alone if it has to. */
export function Parts({ of }: { of: readonly (string | undefined)[] }) {
  const parts = of.filter((part) => part !== undefined);
  return (
    <p class="muted">
      {parts.map((part, at) => (
        <>
          <span class="part">
            {part}
            {at < parts.length - 1 && ' ·'}
          </span>{' '}
        </>
      ))}
    </p>
  );
}
