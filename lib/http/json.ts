/** JSON bodies: an object whose members are the parameters. */
import { BodyError } from './errors.ts';
import type { Limits } from './limits.ts';
import { checkText } from './text.ts';

/** What a member of a JSON body is as a parameter: text, nothing, or something with structure. */
export type JsonField = { text: string } | { json: object } | { empty: true };

const MAX_SAFE = Number.MAX_SAFE_INTEGER;

/**
 * Reads the members of a JSON object in their order (of two with one name, the last). Throws BodyError when the
 * text is not JSON, not an object, too deep, or has too many members.
 */
export function parseJson(text: string, limits: Limits): [name: string, value: JsonField][] {
  checkShape(text, limits);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text, keepLongNumbers);
  } catch {
    throw new BodyError('body', 'is not valid JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new BodyError('body', 'must be a JSON object');
  }
  return Object.entries(parsed)
    .filter(([name]) => name !== '')
    .map(([name, value]) => {
      if (Buffer.byteLength(name) > limits.nameBytes) {
        throw new BodyError('body', 'has a field name that is too long');
      }
      return [checkText(name, 'body'), toField(name, value)];
    });
}

/**
 * A member as a parameter, so that JSON says what a form would: numbers as they are written, `true` as `1` and
 * `false` as `0` (Pushover's flags are `html=1`), `null` as not given, a list of these as a comma-separated list
 * (which is how devices, users and tags are listed).
 */
function toField(name: string, value: unknown): JsonField {
  if (value === null) return { empty: true };
  if (typeof value === 'object') {
    if (!Array.isArray(value) || value.some((item) => typeof item === 'object')) return { json: value };
    return { text: checkText(value.map(scalar).join(','), name) };
  }
  return { text: checkText(scalar(value), name) };
}

function scalar(value: unknown): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  return String(value);
}

/** Numbers that a double cannot hold (message ids of 63 bits) stay as they are written. */
function keepLongNumbers(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Math.abs(value) <= MAX_SAFE) return value;
  return context?.source ?? value;
}

/**
 * Looks through the text once, before it is parsed: `[[[[…` and millions of members cost nothing here.
 * Inside of strings nothing counts; whether the text is JSON at all is the parser's to say.
 */
function checkShape(text: string, limits: Limits): void {
  let depth = 0;
  let commas = 0;
  let members = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '"') at = endOfString(text, at + 1);
    else if (char === '{' || char === '[') {
      depth += 1;
      if (depth > limits.jsonDepth)
        throw new BodyError('body', `is nested deeper than ${limits.jsonDepth} levels`);
    } else if (char === '}' || char === ']') depth -= 1;
    else if (char === ',') {
      commas += 1;
      if (depth === 1) members += 1;
      if (members >= limits.fields) throw new BodyError('body', `has more than ${limits.fields} fields`);
      if (commas > limits.jsonCommas) throw new BodyError('body', 'has too many values');
    }
  }
}

/** Index of the quote that ends a string, given where its content begins; the text's end if there is none. */
function endOfString(text: string, from: number): number {
  let quote = text.indexOf('"', from);
  while (quote !== -1) {
    let backslashes = 0;
    while (quote - backslashes > from && text[quote - backslashes - 1] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return quote;
    quote = text.indexOf('"', quote + 1);
  }
  return text.length;
}
