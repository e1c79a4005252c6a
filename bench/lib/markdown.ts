/** Tables for a terminal that are Markdown for a document. */

/** A table; the columns after the first `words` are numbers and stand to the right. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[], words = 1): string {
  const widths = heading.map((_, column) =>
    Math.max(3, ...[heading, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    `| ${widths.map((width, n) => (n < words ? (row[n] ?? '').padEnd(width) : (row[n] ?? '').padStart(width))).join(' | ')} |`;
  const rule = widths.map((width, n) => (n < words ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(heading), line(rule), ...rows.map(line)].join('\n');
}
