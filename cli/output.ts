/** What a command prints: results on stdout, everything else on stderr; `--json` makes results one line of JSON. */
import type { Writable } from 'node:stream';

/**
 * Text of others made harmless for a terminal: control characters become their visible pictures (U+2400 …) or
 * vanish, so that a message cannot move the cursor, set the title or hide what follows. Line breaks and tabs stay.
 */
export function harmless(text: string): string {
  let out = '';
  for (const char of text.replaceAll('\r\n', '\n')) {
    const code = char.codePointAt(0) ?? 0;
    if (char === '\n' || char === '\t') out += char;
    else if (code < 0x20) out += String.fromCodePoint(0x2400 + code);
    else if (code === 0x7f) out += '\u2421';
    else if (!isHidden(code)) out += char;
  }
  return out;
}

/** C1 controls, and the marks that reorder text. */
function isHidden(code: number): boolean {
  return (
    (code >= 0x80 && code < 0xa0) || (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)
  );
}

/** A value as one line of JSON, with the control characters escaped that JSON itself leaves as they are. */
export function jsonLine(value: unknown): string {
  let out = '';
  for (const char of JSON.stringify(value)) {
    const code = char.codePointAt(0) ?? 0;
    out += code >= 0x7f && code < 0xa0 ? `\\u00${code.toString(16)}` : char;
  }
  return out;
}

/** Rows under a heading, in columns as wide as they need to be. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [heading, ...rows].map((row) => row.map((cell) => harmless(cell).replaceAll('\n', ' ')));
  const widths = heading.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Writes all of a text and resolves when the stream has taken it; rejects when nobody reads any more (EPIPE). */
export function write(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

/** Prints a result in one of both ways: the value as JSON, or the text for people. */
export async function printResult(json: boolean, value: unknown, text: string): Promise<void> {
  if (json) await write(process.stdout, `${jsonLine(value)}\n`);
  else if (text !== '') await write(process.stdout, `${harmless(text)}\n`);
}

/** Tells something that is no result. */
export function note(text: string): void {
  process.stderr.write(`${harmless(text)}\n`);
}
