import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { type Context, Hono } from 'hono';
import { type ErrorStyle, failure, onError, preflight } from '../lib/http/answer.ts';
import type { ParamSource } from '../lib/http/body.ts';
import type { Params } from '../lib/http/params.ts';
import { Refusal } from '../lib/refusal.ts';
import { log } from './log.ts';

/** What handlers find beside the request. */
export interface HttpEnv {
  Bindings: {
    /** The body as it came. A web-standard Request has none on GET, but clients of Pushover send some. */
    body: Uint8Array | null;
    /** The address of who asks. Never a client's own word for it, which anybody can write. */
    address: string;
  };
}

/**
 * An app for a Lambda's routes: refusals become answers, anything else thrown a 500. API Gateway decodes a path after it
 * has chosen the route, so that one with `..` or an escaped slash in it may be none of the app's.
 */
export function httpApp(style: ErrorStyle = 'list'): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>({ strict: false });
  app.onError(onError(log, style));
  app.notFound(() => failure(new Refusal({ field: 'path', reason: 'not found' }, 404), style));
  app.options('*', () => preflight());
  return app;
}

/** A request in the hands of a handler. */
export type HttpContext = Context<HttpEnv>;

/** A path with and without the `.json` that only picks the format of the answer. */
export const path = (text: string): string[] => [`/1/${text}.json`, `/1/${text}`];

/** What `readParams` reads, of a request. */
export function source(c: HttpContext): ParamSource {
  return { url: c.req.url, headers: c.req.raw.headers, body: c.env.body };
}

/** The session secret: the `secret` parameter (Pushover's way), or a bearer token, which keeps it out of addresses. */
export function secretOf(c: HttpContext, params: Params): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '');
  return params.get('secret') ?? bearer?.[1];
}

/** Names of headers as some clients match them, letter case included (over HTTP/1.1). */
const CASED = new Map(
  ['X-Limit-App-Limit', 'X-Limit-App-Remaining', 'X-Limit-App-Reset'].map((name) => [
    name.toLowerCase(),
    name,
  ]),
);

/** Types of answers that are text; everything else crosses Lambda's JSON as base64. */
const TEXT = /^(?:text\/|application\/json\b)/;

/**
 * A path for a URL. API Gateway hands it over decoded: a `#` would cut off the query, a backslash become a slash. What
 * looks like an escape is left as one.
 */
function encodedPath(rawPath: string): string {
  return rawPath.replace(/[#?\\]|%(?![0-9A-Fa-f]{2})/g, encodeURIComponent);
}

/** A header's value as the Fetch standard has it. Others, which no client of ours needs, are as good as not sent. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Who asks. */
export interface Origin {
  address: string;
  /** Which host was asked, if it is another than the request says. */
  host?: string;
}

/** Of a request that came to API Gateway itself. */
const direct = ({ requestContext }: APIGatewayProxyEventV2): Origin => ({
  address: requestContext.http.sourceIp,
});

/**
 * Runs an app behind API Gateway's HTTP API (payload format 2.0). Hono's own adapter refuses bodies on GET.
 */
export function serve(app: Hono<HttpEnv>, origin: (event: APIGatewayProxyEventV2) => Origin = direct) {
  return async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
    const { method } = event.requestContext.http;
    const { address, host } = origin(event);
    const query = event.rawQueryString === '' ? '' : `?${event.rawQueryString}`;
    const url = `https://${event.requestContext.domainName}${encodedPath(event.rawPath)}${query}`;
    const headers = new Headers();
    for (const [name, value] of Object.entries(event.headers))
      if (value !== undefined && HEADER_VALUE.test(value)) headers.set(name, value);
    if (host !== undefined && HEADER_VALUE.test(host)) headers.set('host', host);
    const body = event.body ? Buffer.from(event.body, event.isBase64Encoded ? 'base64' : 'utf8') : null;
    const response = await app.fetch(new Request(url, { method, headers }), { body, address });
    const content = Buffer.from(await response.arrayBuffer());
    const isText = content.length === 0 || TEXT.test(response.headers.get('content-type') ?? '');
    return {
      statusCode: response.status,
      headers: Object.fromEntries(
        [...response.headers].map(([name, value]) => [CASED.get(name) ?? name, value]),
      ),
      body: content.toString(isText ? 'utf8' : 'base64'),
      ...(!isText && { isBase64Encoded: true }),
    };
  };
}
