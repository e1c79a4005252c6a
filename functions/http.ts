import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { TrieRouter } from 'hono/router/trie-router';
import { type ErrorStyle, failure, preflight, thrown } from '../lib/http/answer.ts';
import type { HttpAnswer, HttpRequest } from '../lib/http/message.ts';
import type { Params } from '../lib/http/params.ts';
import { checkWeight } from '../lib/http/weight.ts';
import { Refusal } from '../lib/refusal.ts';
import { log } from './log.ts';

/** A request on its route. */
export interface RoutedRequest extends HttpRequest {
  /** Segments of the path by the names that the route gives them. */
  segments: Record<string, string>;
}

export type HttpHandler = (request: RoutedRequest) => HttpAnswer | Promise<HttpAnswer>;

/**
 * The routes of a Lambda: refusals become answers, anything else thrown a 500. API Gateway decodes a path after it has
 * chosen the route, so that one with an escaped slash in it may be none of them.
 */
export class HttpApp {
  readonly #router = new TrieRouter<{ route: string; handle: HttpHandler; style: ErrorStyle }>();

  /**
   * @param route `:name` is a segment, `:name{.+}` all that follows
   * @param style of its refusals
   */
  on(method: 'GET' | 'POST', route: string, handle: HttpHandler, style: ErrorStyle = 'list'): void {
    this.#router.add(method, route, { route, handle, style });
  }

  /** Answers, whatever happens. An answer that Lambda would not let through is a fault of ours like any other. */
  async answer(request: HttpRequest): Promise<HttpAnswer> {
    if (request.method === 'OPTIONS') return preflight();
    // With a slash at its end a path is the same.
    const [found] = this.#router.match(request.method, request.path.replace(/(?<=.)\/$/, ''))[0];
    if (!found) return failure(new Refusal({ field: 'path', reason: 'not found' }, 404));
    const [{ route, handle, style }, segments] = found;
    try {
      const answer = await handle({ ...request, segments: segments as Record<string, string> });
      checkWeight(answer);
      return answer;
    } catch (error) {
      return thrown(error, route, log, style);
    }
  }
}

/** The session secret: the `secret` parameter (Pushover's way), or a bearer token, which keeps it out of addresses. */
export function secretOf({ headers }: HttpRequest, params: Params): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '');
  return params.get('secret') ?? bearer?.[1];
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

/** Runs an app behind API Gateway's HTTP API (payload format 2.0). */
export function serve(app: HttpApp, origin: (event: APIGatewayProxyEventV2) => Origin = direct) {
  return async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
    const { address, host } = origin(event);
    const { status, headers, body } = await app.answer({
      method: event.requestContext.http.method,
      path: event.rawPath,
      query: event.rawQueryString,
      headers: readable({ ...event.headers, ...(host !== undefined && { host }) }),
      body: Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8'),
      address,
    });
    if (typeof body === 'string') return { statusCode: status, headers, body };
    // Bytes cross Lambda's JSON as base64.
    const content = Buffer.from(body.buffer, body.byteOffset, body.length).toString('base64');
    return { statusCode: status, headers, body: content, isBase64Encoded: true };
  };
}

/** Headers by their names in lower case, as API Gateway gives them, without those that nobody could have meant. */
function readable(headers: APIGatewayProxyEventV2['headers']): HttpRequest['headers'] {
  const pairs = Object.entries(headers).map(
    ([name, value = '']) => [name.toLowerCase(), value.trim()] as const,
  );
  return Object.fromEntries(pairs.filter(([, value]) => HEADER_VALUE.test(value)));
}
