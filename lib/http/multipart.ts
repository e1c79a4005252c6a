/**
 * `multipart/form-data` (RFC 7578), read from memory. Our own, because it must read what real senders write and
 * strict parsers refuse or misread: npm's pushover-notifications up to 1.2.3 (Node-RED, ioBroker) ends its last
 * value with `--boundary--` and no line break before it, which @fastify/busboy hands on as part of the value.
 */
import { parseHeaderValue } from './content-type.ts';
import { BodyError } from './errors.ts';
import { countField, type Limits } from './limits.ts';
import { checkText, decoderFor } from './text.ts';

/** A file part. `contentType` is what the sender claims, which is often wrong: look at the bytes. */
export interface FilePart {
  filename: string | undefined;
  contentType: string | undefined;
  /** A view of the request's body, not a copy. */
  bytes: Uint8Array;
}

/** RFC 2046 allows 70 characters; some libraries go a little beyond. */
const MAX_BOUNDARY = 200;
/** A part of this name is a file even when the sender marks it as none. */
const FILE_FIELDS: readonly string[] = ['attachment'];

const LF = 0x0a;
const CR = 0x0d;
const DASH = 0x2d;

/**
 * Reads the parts in their order. Tolerates LF for CRLF, a preamble, an epilogue, spaces behind a boundary, a
 * missing closing boundary, a closing boundary at the very end of the body without its line break, and parts
 * without a name (which are nothing). Throws BodyError for a body without any boundary, for too many parts, too
 * long headers or names, an encoding other than plain bytes, and values that are not text.
 */
export function* parseMultipart(
  body: Uint8Array,
  boundary: string | undefined,
  charset: string | undefined,
  limits: Limits,
): Generator<[name: string, value: string | FilePart]> {
  if (!boundary) throw new BodyError('body', 'is multipart/form-data without a boundary in its Content-Type');
  if (boundary.length > MAX_BOUNDARY) throw new BodyError('body', 'has a boundary that is too long');
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const mark = Buffer.from(`--${boundary}`, 'latin1');
  let delimiter = findDelimiter(bytes, mark, 0);
  if (!delimiter) throw new BodyError('body', 'has no multipart boundary as its Content-Type names it');
  let count = 0;
  while (!delimiter.closing) {
    count = countField(count, limits);
    const start: number = delimiter.end;
    const next = findDelimiter(bytes, mark, start);
    const end = next ? next.start : endOfUnclosedPart(bytes, mark, start);
    // The body ended behind this boundary: there is no part.
    if (!next && end <= start) return;
    const part = parsePart(bytes.subarray(start, Math.max(start, end)), charset, limits);
    if (part) yield part;
    if (!next) return;
    delimiter = next;
  }
}

/** A line that is a boundary: where what precedes it ends, where what follows it begins. */
interface Delimiter {
  start: number;
  end: number;
  closing: boolean;
}

/**
 * The next boundary line at or behind `from`, which is itself the start of a line. The line break before it
 * belongs to it (RFC 2046 §5.1.1). A boundary with more behind it than `--`, spaces and a line break is content.
 */
function findDelimiter(bytes: Buffer, mark: Buffer, from: number): Delimiter | undefined {
  for (let at = bytes.indexOf(mark, from); at !== -1; at = bytes.indexOf(mark, at + mark.length)) {
    if (at !== from && bytes[at - 1] !== LF) continue;
    let end = at + mark.length;
    const closing = bytes[end] === DASH && bytes[end + 1] === DASH;
    if (closing) end += 2;
    while (bytes[end] === 0x20 || bytes[end] === 0x09) end += 1;
    if (bytes[end] === CR) end += 1;
    if (bytes[end] === LF) end += 1;
    else if (end < bytes.length) continue;
    return { start: at === from ? from : beforeLineBreak(bytes, from, at), end, closing };
  }
  return undefined;
}

/** Where a line's content ends, given where the next line starts. */
function beforeLineBreak(bytes: Buffer, from: number, nextLine: number): number {
  let end = nextLine;
  if (end > from && bytes[end - 1] === LF) end -= 1;
  if (end > from && bytes[end - 1] === CR) end -= 1;
  return end;
}

/**
 * The end of the last part of a body that has no closing boundary of its own line: before a closing boundary
 * that is the very end of the body, else before the body's last line break.
 */
function endOfUnclosedPart(bytes: Buffer, mark: Buffer, from: number): number {
  const end = beforeLineBreak(bytes, from, bytes.length);
  const markStart = end - mark.length - 2;
  const glued =
    markStart >= from &&
    bytes[end - 1] === DASH &&
    bytes[end - 2] === DASH &&
    bytes.subarray(markStart, end - 2).equals(mark);
  return glued ? markStart : end;
}

/** One part: its headers up to an empty line, then its content. Without an empty line there is no content. */
function parsePart(
  part: Buffer,
  charset: string | undefined,
  limits: Limits,
): [name: string, value: string | FilePart] | undefined {
  const headers = new Map<string, string>();
  let at = 0;
  while (at < part.length) {
    const lineFeed = part.indexOf(LF, at);
    const next = lineFeed === -1 ? part.length : lineFeed + 1;
    if (next > limits.partHeaderBytes) throw new BodyError('body', 'has a part with too long headers');
    const line = part.toString('utf8', at, beforeLineBreak(part, at, next));
    at = next;
    if (line === '') break;
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return toField(headers, part.subarray(at), charset, limits);
}

function toField(
  headers: Map<string, string>,
  bytes: Buffer,
  charset: string | undefined,
  limits: Limits,
): [name: string, value: string | FilePart] | undefined {
  const { parameters } = parseHeaderValue(headers.get('content-disposition') ?? '');
  const name = parameterText(parameters, 'name');
  if (!name) return undefined;
  if (Buffer.byteLength(name) > limits.nameBytes)
    throw new BodyError('body', 'has a field name that is too long');
  checkText(name, 'body');
  const encoding = headers.get('content-transfer-encoding')?.toLowerCase() ?? 'binary';
  if (encoding !== 'binary' && encoding !== '8bit' && encoding !== '7bit') {
    // RFC 7578 §4.7 deprecates it; no sender of Pushover's API is known to use it.
    throw new BodyError(name, 'cannot have a Content-Transfer-Encoding, send plain bytes');
  }
  const filename = parameterText(parameters, 'filename');
  const contentType = headers.get('content-type') || undefined;
  const type = contentType === undefined ? undefined : parseHeaderValue(contentType);
  if (filename !== undefined || FILE_FIELDS.includes(name) || (type && !isText(type.value))) {
    return [name, { filename: filename || undefined, contentType, bytes }];
  }
  const text = decoderFor(type?.parameters.get('charset') ?? charset)(bytes, name);
  return [name, checkText(text, name)];
}

/** Parts of these types, without a file name, are values: Java and .NET senders type each of their strings. */
function isText(type: string): boolean {
  return type === '' || type.startsWith('text/') || type === 'application/json';
}

/**
 * A parameter of Content-Disposition. Browsers write quotes and line breaks in it as `%22`, `%0D`, `%0A` (HTML
 * §4.10.21.8); older Python and Java senders write other characters as RFC 8187 says, in `name*`.
 */
function parameterText(parameters: Map<string, string>, name: string): string | undefined {
  const extended = parameters.get(`${name}*`);
  const quote = extended?.toLowerCase().startsWith("utf-8'") ? extended.indexOf("'", 6) : -1;
  if (extended !== undefined && quote !== -1) {
    try {
      return decodeURIComponent(extended.slice(quote + 1));
    } catch {
      throw new BodyError('body', `has a part whose ${name} cannot be decoded`);
    }
  }
  return parameters
    .get(name)
    ?.replaceAll('%22', '"')
    .replaceAll('%0D', '\r')
    .replaceAll('%0d', '\r')
    .replaceAll('%0A', '\n')
    .replaceAll('%0a', '\n');
}
