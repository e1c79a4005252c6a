/** Builders of requests as senders make them. */
import { type Params, readParams } from '../../lib/http/body.ts';

export const URL_BASE = 'https://api.example.com/1/messages.json';
export const FORM = 'application/x-www-form-urlencoded';

/** Reads a body that was posted with a content type (none: no such header). */
export async function post(body: string | Uint8Array, contentType?: string, query = ''): Promise<Params> {
  const headers = contentType === undefined ? {} : { 'content-type': contentType };
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  return readParams({ query: query.replace(/^\?/, ''), headers, body: bytes });
}

/** Reads what the platform's own fetch would send. */
export async function read(request: Request): Promise<Params> {
  const body = new Uint8Array(await request.arrayBuffer());
  const { search } = new URL(request.url);
  return readParams({ query: search.slice(1), headers: Object.fromEntries(request.headers), body });
}

/** Reads a multipart body whose boundary is `b`, from text in which every line break is written out. */
export function postMultipart(
  body: string,
  contentType = 'multipart/form-data; boundary=b',
): Promise<Params> {
  return post(Buffer.from(body, 'latin1'), contentType);
}

/** A text part with its boundary line before it and no line break behind it. */
export function part(name: string, value: string, eol = '\r\n'): string {
  return `--b${eol}Content-Disposition: form-data; name="${name}"${eol}${eol}${value}`;
}
