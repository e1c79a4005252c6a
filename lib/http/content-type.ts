/** Reads header values of the form `thing; name=value; name="value"`: Content-Type and Content-Disposition. */

/** A header value in parts: what comes first in lower case, and the parameters by lower-case name. */
export interface HeaderValue {
  value: string;
  parameters: Map<string, string>;
}

/**
 * Parses a header value in one pass. Lenient where senders are: parameters may be unquoted, quotes unclosed,
 * spaces anywhere. In quotes `\"` and `\\` stand for `"` and `\` (RFC 9110 §5.6.4); another backslash is itself,
 * since some senders give Windows paths. The first of two parameters with one name counts.
 */
export function parseHeaderValue(header: string): HeaderValue {
  const parameters = new Map<string, string>();
  let at = indexOrEnd(header, ';', 0);
  const value = header.slice(0, at).trim().toLowerCase();
  while (at < header.length) {
    at += 1;
    const end = indexOrEnd(header, ';', at);
    const equals = header.slice(at, end).indexOf('=');
    if (equals === -1) {
      at = end;
      continue;
    }
    const name = header
      .slice(at, at + equals)
      .trim()
      .toLowerCase();
    let start = at + equals + 1;
    while (header[start] === ' ' || header[start] === '\t') start += 1;
    let content: string;
    if (header[start] === '"') [content, at] = readQuoted(header, start + 1);
    else [content, at] = [header.slice(start, end).trim(), Math.max(start, end)];
    if (!parameters.has(name)) parameters.set(name, content);
  }
  return { value, parameters };
}

/** Reads from behind an opening quote; answers the content and where the next `;` is (or the end). */
function readQuoted(header: string, start: number): [string, number] {
  let content = '';
  let at = start;
  while (at < header.length && header[at] !== '"') {
    if (header[at] === '\\' && (header[at + 1] === '"' || header[at + 1] === '\\')) at += 1;
    content += header[at];
    at += 1;
  }
  return [content, indexOrEnd(header, ';', at)];
}

function indexOrEnd(text: string, what: string, from: number): number {
  const index = text.indexOf(what, from);
  return index === -1 ? text.length : index;
}
