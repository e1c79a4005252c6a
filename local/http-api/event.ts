/** The event of an HTTP API's Lambda integration, payload format 2.0. */
import type { Match } from './routes.ts';
import { decodeSegment } from './routes.ts';

/** A request as it came in, before API Gateway makes an event of it. */
export interface IncomingRequest {
  method: string;
  /** Request target: path and query, still encoded. */
  target: string;
  /** Names and values in turn, as sent. */
  rawHeaders: readonly string[];
  body: Buffer;
  sourceIp: string;
  /** Whether it came over TLS; on AWS all do. */
  secure: boolean;
}

/** Which API the request reached. */
export interface ApiIdentity {
  apiId: string;
  accountId: string;
  stage: string;
  domainName: string;
}

/** Payload format 2.0 (API Gateway: "Payload format structure"). Absent parts are left out, not null. */
export interface HttpEvent {
  version: '2.0';
  routeKey: string;
  rawPath: string;
  rawQueryString: string;
  cookies?: string[];
  headers: Record<string, string>;
  queryStringParameters?: Record<string, string>;
  requestContext: {
    accountId: string;
    apiId: string;
    domainName: string;
    domainPrefix: string;
    http: { method: string; path: string; protocol: string; sourceIp: string; userAgent: string };
    requestId: string;
    routeKey: string;
    stage: string;
    time: string;
    timeEpoch: number;
  };
  pathParameters?: Record<string, string>;
  body?: string;
  isBase64Encoded: boolean;
}

const TEXT_TYPES = new Set(['application/json', 'application/xml', 'application/javascript']);
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Headers that concern one connection and are not passed on, and those which API Gateway writes itself. */
const DROPPED = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'te',
  'expect',
  'cookie',
]);

/** Path and query of a request target, which may also be a whole URL (RFC 9112, 3.2.2). */
export function splitTarget(target: string): { path: string; query: string } {
  const local = target.replace(/^https?:\/\/[^/?#]*/i, '');
  const [beforeQuery = '', ...rest] = (local.split('#')[0] ?? '').split('?');
  return { path: beforeQuery.startsWith('/') ? beforeQuery : `/${beforeQuery}`, query: rest.join('?') };
}

/**
 * Whether a body stays text. AWS keeps `text/*`, JSON, XML and JavaScript; every other type arrives as base64, forms
 * and a missing Content-Type included (measured against AWS by ministackorg/ministack#766).
 */
export function isText(contentType: string | undefined): boolean {
  const type = (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  return type.startsWith('text/') || TEXT_TYPES.has(type);
}

/** `12/Mar/2020:19:03:58 +0000`, the form of `requestContext.time`. */
export function clfTime(epoch: number): string {
  const date = new Date(epoch);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}`;
  return `${day}:${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
}

/** Header names in lower case; what occurs twice is joined with a comma. Cookies are a list of their own. */
function readHeaders(rawHeaders: readonly string[]): { headers: Record<string, string>; cookies: string[] } {
  const headers: Record<string, string> = {};
  const cookies: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] as string).toLowerCase();
    const value = rawHeaders[at + 1] as string;
    if (name === 'cookie') cookies.push(...value.split(';').map((part) => part.trim()));
    if (DROPPED.has(name)) continue;
    headers[name] = Object.hasOwn(headers, name) ? `${headers[name]},${value}` : value;
  }
  return { headers, cookies: cookies.filter((cookie) => cookie !== '') };
}

function readQuery(query: string): Record<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    const before = values.get(name);
    values.set(name, before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries(values);
}

/** What API Gateway decodes of the path: everything, up to a question mark that comes out of the decoding. */
function decodedPath(path: string): string {
  const decoded = path.split('/').map(decodeSegment).join('/');
  return decoded.split('?')[0] ?? decoded;
}

/** Builds the event for a request that took a route. `now` is epoch milliseconds. */
export function createEvent(
  request: IncomingRequest,
  match: Match,
  api: ApiIdentity,
  requestId: string,
  now: number,
): HttpEvent {
  const { path, query } = splitTarget(request.target);
  const { headers, cookies } = readHeaders(request.rawHeaders);
  const text = isText(headers['content-type']);
  const prefix = api.stage === '$default' ? '' : `/${api.stage}`;
  const rawPath = decodedPath(prefix + path);
  const forwarded = headers['x-forwarded-for'];
  const root = `Root=1-${Math.floor(now / 1000).toString(16)}-${requestId.replaceAll('-', '').slice(0, 24)}`;
  Object.assign(headers, {
    'content-length': String(request.body.length),
    'x-amzn-trace-id': headers['x-amzn-trace-id'] ?? root,
    'x-forwarded-for': forwarded === undefined ? request.sourceIp : `${forwarded}, ${request.sourceIp}`,
    'x-forwarded-port': /:(\d+)$/.exec(headers.host ?? '')?.[1] ?? (request.secure ? '443' : '80'),
    'x-forwarded-proto': request.secure ? 'https' : 'http',
  });
  const { routeKey } = match.route;
  return {
    version: '2.0',
    routeKey,
    rawPath,
    rawQueryString: query,
    ...(cookies.length > 0 ? { cookies } : {}),
    headers,
    ...(query === '' ? {} : { queryStringParameters: readQuery(query) }),
    requestContext: {
      accountId: api.accountId,
      apiId: api.apiId,
      domainName: api.domainName,
      domainPrefix: api.domainName.split('.')[0] ?? '',
      http: {
        method: request.method,
        path: rawPath,
        protocol: 'HTTP/1.1',
        sourceIp: request.sourceIp,
        userAgent: headers['user-agent'] ?? '',
      },
      requestId,
      routeKey,
      stage: api.stage,
      time: clfTime(now),
      timeEpoch: now,
    },
    ...(Object.keys(match.parameters).length > 0 ? { pathParameters: match.parameters } : {}),
    ...(request.body.length > 0 ? { body: request.body.toString(text ? 'utf8' : 'base64') } : {}),
    isBase64Encoded: request.body.length > 0 && !text,
  };
}
