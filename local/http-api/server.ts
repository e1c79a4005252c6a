/** An API Gateway HTTP API on this machine: routes requests to functions with the limits and answers of AWS. */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { invokeWithin } from '../lambda/within.ts';
import type { Authority } from '../network/ca.ts';
import { listen, stop } from '../network/listen.ts';
import type { CloudLog, InvokeResult, LocalFunction, Meter } from '../types.ts';
import { type Authorizer, createAuthorizer, type Refused } from './authorizer.ts';
import { createEvent, type HttpEvent, type IncomingRequest, splitTarget } from './event.ts';
import { answerBroken, isHeadTooLarge, readBody, refusal, send, sendAndClose } from './exchange.ts';
import { type Answer, MalformedResponse, readAnswer } from './response.ts';
import { createRouter, type Match, type Route } from './routes.ts';
import { ACCOUNT_THROTTLING, createThrottle, type Throttling } from './throttle.ts';

/** The API as the template describes it, every intrinsic resolved. */
export interface HttpApiDescription {
  apiId: string;
  stage: string;
  /** Host names that lead to it. Default: API Gateway's own name for it. */
  names?: readonly string[];
  routes: readonly Route[];
  throttling?: Throttling;
}

export interface HttpApiOptions {
  functions(arn: string): LocalFunction | undefined;
  /** Whether the function's resource policy lets this API call it (`AWS::Lambda::Permission`). */
  mayInvoke(functionArn: string, sourceArn: string): boolean;
  log: CloudLog;
  meter: Meter;
  authority: Authority;
  /** HTTP port, 0 for any. Default 0. */
  port?: number;
  /** Host names besides the API's under which HTTPS clients reach it. */
  names?: readonly string[];
  region?: string;
  accountId?: string;
  /** Milliseconds until an integration is given up; AWS: 30 s. */
  integrationTimeout?: number;
  /** Epoch milliseconds. */
  now?: () => number;
}

export interface HttpApi {
  /** Without a slash at its end. */
  url: string;
  port: number;
  httpsPort: number;
  close(): Promise<void>;
}

/** Milliseconds; AWS: "Maximum integration timeout". */
const INTEGRATION_TIMEOUT = 30_000;
/** Milliseconds; AWS: "Authorizer timeout". */
const AUTHORIZER_TIMEOUT = 10_000;
/** Bytes of a request that are billed as one (Amazon API Gateway pricing). */
const METERED_SIZE = 512 * 1024;

/** Starts an HTTP API: plain at `port`, and over TLS at a port of its own under its real names. */
export async function createHttpApi(api: HttpApiDescription, options: HttpApiOptions): Promise<HttpApi> {
  const { functions, mayInvoke, log, meter, now = Date.now, port = 0 } = options;
  const {
    region = 'us-east-1',
    accountId = '000000000000',
    integrationTimeout = INTEGRATION_TIMEOUT,
  } = options;
  const own = `${api.apiId}.execute-api.${region}.amazonaws.com`;
  const names = [...(api.names ?? [own]), ...(options.names ?? [])];
  const route = createRouter(api.routes);
  const pass = createThrottle(api.throttling ?? ACCOUNT_THROTTLING, now);

  /** The answer that a function's result makes, with a line in the log for each that is not the function's own. */
  function judge(result: InvokeResult | 'timeout', name: string): Answer {
    if (result === 'timeout') {
      log('warn', `HTTP API: ${name} took longer than ${integrationTimeout} ms`, { function: name });
      return refusal(503);
    }
    if (result.error !== undefined) {
      const { type, message } = result.error;
      log('warn', `HTTP API: ${name} failed: ${type}: ${message}`, {
        function: name,
        requestId: result.requestId,
      });
      if (type === 'RequestEntityTooLarge') return refusal(413);
      return refusal(type === 'TooManyRequestsException' ? 503 : 500);
    }
    try {
      return readAnswer(result.payload);
    } catch (error) {
      if (!(error instanceof MalformedResponse)) throw error;
      log('warn', `HTTP API: the answer of ${name} is malformed: ${error.message}`, { function: name });
      return refusal(500);
    }
  }

  /** The function behind a route, if there is one which this API may call. */
  function integration(
    { route: { routeKey, functionArn } }: Match,
    method: string,
  ): LocalFunction | undefined {
    const resource =
      routeKey === '$default' ? '/$default' : `/${method}${routeKey.slice(routeKey.indexOf(' ') + 1)}`;
    const sourceArn = `arn:aws:execute-api:${region}:${accountId}:${api.apiId}/${api.stage}${resource}`;
    const target = functions(functionArn);
    if (target === undefined)
      log('warn', `HTTP API: the route ${routeKey} leads to no function: ${functionArn}`);
    else if (!mayInvoke(functionArn, sourceArn)) {
      log(
        'warn',
        `HTTP API: ${target.spec.name} has no permission for ${sourceArn} (AWS::Lambda::Permission)`,
      );
    } else return target;
    return undefined;
  }

  async function answer(request: IncomingRequest, requestId: string): Promise<Answer> {
    const { path } = splitTarget(request.target);
    const match = route(request.method, path);
    if (match === undefined) {
      const known = api.routes.map(({ routeKey }) => routeKey);
      log('warn', `HTTP API: no route for ${request.method} ${path}; there are: ${known.join(', ')}`);
      return refusal(404);
    }
    const target = integration(match, request.method);
    if (target === undefined) return refusal(500);
    const identity = { apiId: api.apiId, accountId, stage: api.stage, domainName: domainOf(request) };
    const event = createEvent(request, match, identity, requestId, now());
    const refused = await authorize(match.route.authorizer, event);
    if (refused !== undefined) return refusal(refused);
    return judge(await invokeWithin(target, event, integrationTimeout), target.spec.name);
  }

  const authorizers = new Map<Authorizer, ReturnType<typeof createAuthorizer>>();

  /** Asks the authorizer of a route, if it has one. */
  async function authorize(authorizer: Authorizer | undefined, event: HttpEvent): Promise<Refused> {
    if (!authorizer) return undefined;
    const { id, functionArn } = authorizer;
    const base = `arn:aws:execute-api:${region}:${accountId}:${api.apiId}`;
    const target = functions(functionArn);
    if (!target || !mayInvoke(functionArn, `${base}/authorizers/${id}`)) {
      log(
        'warn',
        `HTTP API: the authorizer ${id} leads to no function that the API may call: ${functionArn}`,
      );
      return 500;
    }
    const ask = (asked: object) => invokeWithin(target, asked, AUTHORIZER_TIMEOUT);
    const decide = authorizers.get(authorizer) ?? createAuthorizer(authorizer, ask, now);
    authorizers.set(authorizer, decide);
    const { method, path } = event.requestContext.http;
    return decide(event, `${base}/${api.stage}/${method}${path}`);
  }

  /** The name under which the request came; over a plain port, the first of the API's. */
  function domainOf({ rawHeaders }: IncomingRequest): string {
    const at = rawHeaders.findIndex((item, index) => index % 2 === 0 && item.toLowerCase() === 'host');
    const host = rawHeaders[at + 1]?.replace(/:\d+$/, '').toLowerCase() ?? '';
    return at >= 0 && names.includes(host) ? host : (names[0] ?? own);
  }

  async function handle(request: IncomingMessage, response: ServerResponse, secure: boolean): Promise<void> {
    const requestId = `${randomBytes(11).toString('base64url')}=`;
    if (isHeadTooLarge(request)) return sendAndClose(request, response, refusal(431), requestId);
    if (!pass()) return sendAndClose(request, response, refusal(429), requestId);
    const body = await readBody(request);
    meter.count('edge', 'http.requests', Math.max(1, Math.ceil((body?.length ?? 0) / METERED_SIZE)));
    if (body === undefined) return sendAndClose(request, response, refusal(413), requestId);
    const { method = 'GET', url: target = '/', rawHeaders, socket } = request;
    const sourceIp = (socket.remoteAddress ?? '127.0.0.1').replace(/^::ffff:/, '');
    send(
      response,
      await answer({ method, target, rawHeaders, body, sourceIp, secure }, requestId),
      requestId,
    );
  }

  function listener(secure: boolean) {
    return (request: IncomingMessage, response: ServerResponse): void => {
      handle(request, response, secure).catch((error: unknown) => {
        // A client that went away needs no answer; a header which cannot be sent is the function's fault.
        log('warn', `HTTP API: ${request.method} ${request.url}: ${String(error)}`);
        if (response.headersSent || request.socket.destroyed) {
          request.socket.destroy();
          return;
        }
        for (const name of response.getHeaderNames()) response.removeHeader(name);
        send(response, refusal(500), '');
      });
    };
  }

  // Connections are kept long, or a client that reuses one meets its end now and then.
  const limits = { maxHeaderSize: 64 * 1024, keepAliveTimeout: 75_000 };
  const certificate = await options.authority.issue([...names, 'localhost', '127.0.0.1']);
  const plain = createServer(limits, listener(false)).on('clientError', answerBroken);
  const secure = createSecureServer({ ...limits, ...certificate }, listener(true)).on(
    'clientError',
    answerBroken,
  );
  const actualPort = await listen(plain, port);
  const httpsPort = await listen(secure, 0);
  return {
    url: `http://127.0.0.1:${actualPort}`,
    port: actualPort,
    httpsPort,
    async close() {
      await Promise.all([stop(plain), stop(secure)]);
    },
  };
}
