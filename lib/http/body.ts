/**
 * From a request to its parameters. Senders written for Pushover put them into the query string, a form, a
 * multipart form or JSON, with right, wrong and missing content types, on GET as on POST: all are read here,
 * once, for every endpoint.
 */
import { parseHeaderValue } from './content-type.ts';
import { BodyError } from './errors.ts';
import { parseJson } from './json.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import type { HttpRequest } from './message.ts';
import { parseMultipart } from './multipart.ts';
import { Params } from './params.ts';
import { decoderFor } from './text.ts';
import { parseUrlencoded } from './urlencoded.ts';

export { BodyError } from './errors.ts';
export type { FilePart } from './multipart.ts';
export { Params } from './params.ts';

/** The part of a request that is read. */
export type ParamSource = Pick<HttpRequest, 'body' | 'headers' | 'query'>;

export interface ReadOptions {
  /** Largest body in bytes; 6 MiB unless told. */
  maxBytes?: number;
}

/** Content types whose body may be a form although they do not say so: none, `fetch`'s and `curl`'s defaults. */
const FORM_TYPES: readonly string[] = [
  '',
  'application/x-www-form-urlencoded',
  'text/plain',
  'application/octet-stream',
];

/**
 * Reads query string and body into parameters; the body's win over the query's. The time it takes is linear in what was
 * sent.
 *
 * @throws BodyError, and nothing else for anything that a client can send
 */
export function readParams({ query, headers, body }: ParamSource, options: ReadOptions = {}): Params {
  const limits = { ...DEFAULT_LIMITS, bodyBytes: options.maxBytes ?? DEFAULT_LIMITS.bodyBytes };
  const params = new Params();
  for (const [name, text] of parseUrlencoded(Buffer.from(query), decoderFor('utf-8'), limits)) {
    params.set(name, { text });
  }
  if (body.length > limits.bodyBytes) {
    throw new BodyError('body', `is larger than ${limits.bodyBytes} bytes`, 413);
  }
  if (body.length > 0) {
    checkEncoding(headers['content-encoding'] ?? '');
    parseBody(body, headers['content-type'] ?? '', params, limits);
  }
  return params;
}

/** Compressed bodies are not inflated: no sender of Pushover's API compresses, and a few bytes could become millions. */
function checkEncoding(encoding: string): void {
  if (encoding !== '' && encoding.toLowerCase() !== 'identity') {
    throw new BodyError('body', 'cannot have a Content-Encoding, send it as it is');
  }
}

function parseBody(bytes: Uint8Array, contentType: string, params: Params, limits: Limits): void {
  const { value: type, parameters } = parseHeaderValue(contentType);
  const charset = parameters.get('charset');
  if (type === 'multipart/form-data') {
    for (const [name, value] of parseMultipart(bytes, parameters.get('boundary'), charset, limits)) {
      params.set(name, typeof value === 'string' ? { text: value } : { file: value });
    }
  } else if (isJson(type) || (FORM_TYPES.includes(type) && startsLikeJson(bytes))) {
    // `curl -d '{…}'` sends JSON as a form. No form starts with a brace: encoders escape it, and no parameter
    // has one in its name. Beyond that nothing is guessed: a value that only looks like JSON is a value.
    const text = decoderFor(charset)(withoutByteOrderMark(bytes), 'body');
    for (const [name, field] of parseJson(text, limits)) params.set(name, field);
  } else if (FORM_TYPES.includes(type)) {
    for (const [name, text] of parseUrlencoded(withoutLastLineBreak(bytes), decoderFor(charset), limits)) {
      params.set(name, { text });
    }
  } else {
    throw new BodyError('body', 'has an unsupported Content-Type, send a form, multipart/form-data or JSON');
  }
}

function isJson(type: string): boolean {
  return (
    type === 'application/json' ||
    type === 'text/json' ||
    (type.startsWith('application/') && type.endsWith('+json'))
  );
}

function startsLikeJson(bytes: Uint8Array): boolean {
  const rest = withoutByteOrderMark(bytes);
  let at = 0;
  while (rest[at] === 0x20 || rest[at] === 0x09 || rest[at] === 0x0a || rest[at] === 0x0d) at += 1;
  return rest[at] === 0x7b;
}

function withoutByteOrderMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

/** Some clients end a form with a line break, which would end up in its last value; a form's own is `%0A`. */
function withoutLastLineBreak(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end -= 1;
  return bytes.subarray(0, end);
}
