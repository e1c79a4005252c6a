/** What an HTTP API makes of a Lambda's answer, payload format 2.0. */

/** An answer ready to be sent. Header names have the case which the Lambda gave them. */
export interface Answer {
  status: number;
  headers: [name: string, value: string][];
  body: Buffer;
}

/** The answer is none that API Gateway can send: it sends 500 instead. `message` says why, for the operator. */
export class MalformedResponse extends Error {
  override name = 'MalformedResponse';
}

/** Headers that API Gateway sets itself. */
const OWN = new Set(['content-length', 'transfer-encoding', 'connection', 'keep-alive']);

function readHeaders(given: unknown): [string, string][] {
  if (given === undefined || given === null) return [];
  if (typeof given !== 'object' || Array.isArray(given))
    throw new MalformedResponse('headers is not an object');
  return Object.entries(given).flatMap(([name, value]): [string, string][] => {
    if (!['string', 'number', 'boolean'].includes(typeof value)) {
      throw new MalformedResponse(`the header ${name} is not a string`);
    }
    return OWN.has(name.toLowerCase()) ? [] : [[name, String(value)]];
  });
}

function readCookies(given: unknown): [string, string][] {
  if (given === undefined || given === null) return [];
  if (!Array.isArray(given) || !given.every((cookie) => typeof cookie === 'string')) {
    throw new MalformedResponse('cookies is not a list of strings');
  }
  return given.map((cookie) => ['set-cookie', cookie]);
}

function readBody(body: unknown, base64: unknown): Buffer {
  if (body === undefined || body === null) return Buffer.alloc(0);
  if (typeof body !== 'string') throw new MalformedResponse(`body is not a string but ${typeof body}`);
  return Buffer.from(body, base64 === true ? 'base64' : 'utf8');
}

/**
 * Reads a Lambda's answer. Without a `statusCode` the whole of it is the body of a 200 as JSON (API Gateway: "Lambda
 * function response for format 2.0"); a string is sent without quotes.
 *
 * @throws MalformedResponse when a part has the wrong type.
 */
export function readAnswer(payload: unknown): Answer {
  const whole = payload as { statusCode?: unknown } | null | undefined;
  if (typeof whole !== 'object' || whole === null || whole.statusCode === undefined) {
    const body = typeof payload === 'string' ? payload : JSON.stringify(payload ?? null);
    return { status: 200, headers: [['Content-Type', 'application/json']], body: Buffer.from(body) };
  }
  const {
    statusCode,
    headers: given,
    cookies,
    body: content,
    isBase64Encoded,
  } = whole as Record<string, unknown>;
  const status = Number(statusCode);
  if (!Number.isInteger(status) || status < 100 || status > 599) {
    throw new MalformedResponse(`statusCode ${String(statusCode)} is no HTTP status`);
  }
  const headers = [...readHeaders(given), ...readCookies(cookies)];
  const body = readBody(content, isBase64Encoded);
  if (!headers.some(([name]) => name.toLowerCase() === 'content-type')) {
    headers.push(['Content-Type', 'text/plain;charset=utf-8']);
  }
  return { status, headers, body };
}
