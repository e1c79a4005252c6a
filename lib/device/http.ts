/** One HTTP call to Peal: a time limit, the secret in a header, and errors by what to do about them. */
import { isRecord } from './envelope.ts';
import { CodeNeededError, NetworkError, PealError, ProtocolError } from './errors.ts';

/** How calls are made. */
export interface HttpOptions {
  /** Where Peal's API is: `https://…`, without `/1`. */
  url: string;
  /** The session's secret. Sent in the Authorization header only: URLs end up in logs. */
  secret?: string | undefined;
  /** Limit for a call from its start to the last byte of the answer. Milliseconds; default 15,000. */
  timeoutMs?: number | undefined;
  /** Default: the global one. */
  fetch?: typeof fetch | undefined;
  /** Ends the calls that are under way. */
  signal?: AbortSignal | undefined;
}

/** A call. */
export interface Call {
  method: 'GET' | 'POST';
  /** Below `/1/`, for example `devices.json`. */
  path: string;
  query?: Record<string, string>;
  /** Sent as JSON, or as a form if it is a FormData. Absent values are left out. */
  body?: Record<string, unknown> | FormData;
}

const DEFAULT_TIMEOUT_MS = 15_000;
/** Pushover's status for a right password without a right code. */
const CODE_NEEDED = 412;

/**
 * Makes a call.
 *
 * @returns the answer's fields
 * @throws PealError if Peal answered no (CodeNeededError if it wants a code), NetworkError if nothing answered in time,
 * ProtocolError if what answered is not Peal
 */
export async function call(options: HttpOptions, request: Call): Promise<Record<string, unknown>> {
  const { response, text } = await exchange(options, request);
  const body = parseJson(text);
  if (!response.ok) throw pealError(response, body);
  if (body?.status !== 1) {
    throw new ProtocolError(`${request.path}: the answer is not Peal's; is ${options.url} its address?`);
  }
  return body;
}

async function exchange(options: HttpOptions, request: Call) {
  const { method, path, query, body } = request;
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const timeout = AbortSignal.timeout(timeoutMs);
  const search = query ? `?${new URLSearchParams(query)}` : '';
  const isForm = body instanceof FormData;
  const headers: Record<string, string> = { accept: 'application/json' };
  if (options.secret) headers.authorization = `Bearer ${options.secret}`;
  if (body && !isForm) headers['content-type'] = 'application/json';
  try {
    const response = await (options.fetch ?? fetch)(`${options.url.replace(/\/+$/, '')}/1/${path}${search}`, {
      method,
      headers,
      ...(body ? { body: isForm ? body : JSON.stringify(body) } : {}),
      // Peal never redirects; what does is not Peal, and is not to have the secret or the message.
      redirect: 'error',
      credentials: 'omit',
      cache: 'no-store',
      signal: options.signal ? AbortSignal.any([timeout, options.signal]) : timeout,
    });
    return { response, text: await response.text() };
  } catch (cause) {
    const timedOut = timeout.aborted && !options.signal?.aborted;
    const why = timedOut ? `no answer within ${timeoutMs} ms` : 'no connection';
    throw new NetworkError(`${method} ${path}: ${why}`, { timedOut, cause });
  }
}

/** Limit for an image's bytes to travel, either way. Milliseconds. */
const TRANSFER_TIMEOUT_MS = 60_000;

/**
 * Gets the bytes at an address that Peal gave. No secret goes along: the address itself is one.
 *
 * @param limit bytes above which it is not read
 * @returns undefined if there are more
 * @throws PealError (404) if there is nothing, NetworkError for everything else
 */
export async function download(
  options: HttpOptions,
  url: string,
  limit: number,
): Promise<Uint8Array | undefined> {
  const what = 'download';
  const response = await transfer(options, what, url, { method: 'GET' });
  if (response.status === 404 || response.status === 410) {
    throw new PealError({ status: 404, errors: ['the attachment is no longer there'], fields: {} });
  }
  // An address that has expired is refused, which a new one cures.
  if (!response.ok) throw unanswered(what, response);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (const reader = response.body!.getReader(); ; ) {
      const { value } = await reader.read();
      if (!value) break;
      length += value.length;
      if (length > limit) {
        await reader.cancel();
        return undefined;
      }
      chunks.push(value);
    }
  } catch (cause) {
    throw new NetworkError(`${what}: the connection was lost`, { timedOut: false, cause });
  }
  return new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

/** Posts a file with the form that Peal gave for it. @throws NetworkError if it did not arrive */
export async function upload(
  options: HttpOptions,
  url: string,
  fields: Record<string, unknown>,
  file: Blob,
): Promise<void> {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, String(value));
  body.append('file', file);
  const response = await transfer(options, 'upload', url, { method: 'POST', body });
  if (!response.ok) throw unanswered('upload', response);
}

async function transfer(
  options: HttpOptions,
  what: string,
  url: string,
  init: RequestInit,
): Promise<Response> {
  const timeout = AbortSignal.timeout(TRANSFER_TIMEOUT_MS);
  const signal = options.signal ? AbortSignal.any([timeout, options.signal]) : timeout;
  try {
    return await (options.fetch ?? fetch)(url, { ...init, signal, redirect: 'error', credentials: 'omit' });
  } catch (cause) {
    throw new NetworkError(`${what}: no connection`, { timedOut: timeout.aborted, cause });
  }
}

function unanswered(what: string, { status }: Response): NetworkError {
  return new NetworkError(`${what}: answered with status ${status}`, { timedOut: false, cause: undefined });
}

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return isRecord(body) ? body : undefined;
  } catch {
    // Not JSON: a proxy's page. The status says what happened, or the caller says that this is not Peal.
    return undefined;
  }
}

function pealError(response: Response, body: Record<string, unknown> = {}): PealError {
  const { errors, status: _, request, ...rest } = body;
  const fields: Record<string, string> = {};
  for (const [name, reason] of Object.entries(rest)) if (typeof reason === 'string') fields[name] = reason;
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  const Kind = response.status === CODE_NEEDED && 'twofa' in fields ? CodeNeededError : PealError;
  return new Kind({
    status: response.status,
    errors: sentences(errors, fields),
    fields,
    request: typeof request === 'string' ? request : undefined,
    retryAfter: Number.isFinite(retryAfter) ? retryAfter : undefined,
  });
}

/** `errors` is a list of sentences, or (devices.json) lists of reasons by parameter, which are added to `fields`. */
function sentences(errors: unknown, fields: Record<string, string>): string[] {
  if (Array.isArray(errors)) return errors.filter((sentence) => typeof sentence === 'string');
  if (!isRecord(errors)) return [];
  return Object.entries(errors).flatMap(([name, reasons]) => {
    const list = (Array.isArray(reasons) ? reasons : [reasons]).filter(
      (reason) => typeof reason === 'string',
    );
    if (list.length > 0) fields[name] ??= list.join(', ');
    return list.map((reason) => `${name} ${reason}`);
  });
}
