/** `application/x-www-form-urlencoded`, from a body or a query string (WHATWG URL §5.1), on bytes and in one pass. */
import { BodyError } from './errors.ts';
import { countField, type Limits } from './limits.ts';
import { checkText, type Decode } from './text.ts';

const AMPERSAND = 0x26;
const EQUALS = 0x3d;
const PLUS = 0x2b;
const PERCENT = 0x25;
const SPACE = 0x20;

/**
 * Reads name and value pairs in their order. A `%` that does not begin an escape is a percent sign (senders
 * forget to escape "100% full"); a name without `=` has an empty value; a pair without a name is nothing.
 * Throws BodyError for more than `limits.fields` pairs, too long a name, and bytes that are not text.
 */
export function* parseUrlencoded(
  bytes: Uint8Array,
  decode: Decode,
  limits: Limits,
): Generator<[name: string, value: string]> {
  let count = 0;
  let start = 0;
  while (start < bytes.length) {
    const next = bytes.indexOf(AMPERSAND, start);
    const end = next === -1 ? bytes.length : next;
    if (end > start) {
      count = countField(count, limits);
      // Not `indexOf` on the whole: without an `=` it would look through all that follows, once for each pair.
      const pair = bytes.subarray(start, end);
      const equals = pair.indexOf(EQUALS);
      const rawName = equals === -1 ? pair : pair.subarray(0, equals);
      if (rawName.length > limits.nameBytes * 3)
        throw new BodyError('body', 'has a field name that is too long');
      const nameBytes = unescapeBytes(rawName);
      if (nameBytes.length > limits.nameBytes)
        throw new BodyError('body', 'has a field name that is too long');
      const name = checkText(decode(nameBytes, 'body'), 'body');
      if (name !== '') {
        const value = equals === -1 ? '' : decode(unescapeBytes(pair.subarray(equals + 1)), name);
        yield [name, checkText(value, name)];
      }
    }
    start = end + 1;
  }
}

/** Undoes `+` and `%XX`. */
function unescapeBytes(bytes: Uint8Array): Uint8Array {
  if (!bytes.includes(PLUS) && !bytes.includes(PERCENT)) return bytes;
  const out = new Uint8Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    let byte = bytes[at]!;
    if (byte === PLUS) byte = SPACE;
    else if (byte === PERCENT) {
      const high = hexDigit(bytes[at + 1]);
      const low = hexDigit(bytes[at + 2]);
      if (high !== -1 && low !== -1) {
        byte = high * 16 + low;
        at += 2;
      }
    }
    out[length] = byte;
    length += 1;
  }
  return out.subarray(0, length);
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}
