/** Small facts in a line, which breaks between them alone if it has to. A dot is between those on one line. */
export function Parts({ of }: { of: readonly (string | undefined)[] }) {
  const parts = of.filter((part) => part !== undefined);
  return (
    <p class="parts muted">
      <span class="parts-flow">
        {parts.map((part) => (
          <>
            <span class="part">{part}</span>{' '}
          </>
        ))}
      </span>
    </p>
  );
}
