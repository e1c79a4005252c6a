/** An API Gateway WebSocket API on this machine, with the limits and answers of AWS. */
import { createServer, type IncomingMessage, STATUS_CODES } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';
import { splitTarget } from '../http-api/event.ts';
import { ACCOUNT_THROTTLING, createThrottle, type Throttling } from '../http-api/throttle.ts';
import { invokeWithin } from '../lambda/within.ts';
import type { Authority } from '../network/ca.ts';
import { listen, stop } from '../network/listen.ts';
import type { CloudLog, LocalFunction, Meter } from '../types.ts';
import { type Connection, createConnections, newId, realTimers, type Timers } from './connections.ts';
import {
  type ConnectionFacts,
  connectEvent,
  disconnectEvent,
  messageEvent,
  type SocketEvent,
  selectRoute,
} from './events.ts';
import { createFrameWatch } from './frames.ts';
import { type Authorize, createManagement, MESSAGE_LIMIT } from './management.ts';

export interface SocketRoute {
  /** `$connect`, `$disconnect`, `$default` or what the route selection expression yields. */
  routeKey: string;
  functionArn: string;
  /** Whether the route has a `$default` route response: only then does the Lambda's `body` go back to the client. */
  hasRouteResponse: boolean;
}

/** The API as the template describes it, every intrinsic resolved. */
export interface WebSocketApiDescription {
  apiId: string;
  stage: string;
  /** Host names that lead to it. Default: API Gateway's own name for it. */
  names?: readonly string[];
  routeSelectionExpression: string;
  routes: readonly SocketRoute[];
  /** Messages of clients a second that each route takes. Default: the account's limit. */
  throttling?: Throttling;
}

export interface WebSocketApiOptions {
  functions(arn: string): LocalFunction | undefined;
  mayInvoke(functionArn: string, sourceArn: string): boolean;
  authorize: Authorize;
  log: CloudLog;
  meter: Meter;
  authority: Authority;
  /** Port for clients without TLS, 0 for any. Default 0. */
  port?: number;
  region?: string;
  accountId?: string;
  /** Milliseconds; AWS: 10 min. */
  idle?: number;
  /** Milliseconds; AWS: 2 h. */
  life?: number;
  /** New connections a second; AWS: 500. */
  connectRate?: number;
  /** Milliseconds until an integration is given up; AWS: 29 s. */
  integrationTimeout?: number;
  timers?: Timers;
}

export interface WebSocketApi {
  /** `ws://127.0.0.1:{port}/{stage}` */
  url: string;
  port: number;
  /** Port for `{apiId}.execute-api.{region}.amazonaws.com:443`: `@connections`, and clients over TLS. */
  httpsPort: number;
  /** Test hook: the open connections. */
  connections(): Connection[];
  /** Test hook: ends a connection without a closing handshake, as a lost network does. */
  drop(connectionId: string): void;
  /** Test hook: delays each post to a connection by so many milliseconds. */
  slow(connectionId: string, milliseconds: number): void;
  /** Test hook: answers the next post to a connection with this status. */
  failOnce(connectionId: string, status: 429 | 500): void;
  close(): Promise<void>;
}

/** Quotas of WebSocket APIs. */
const FRAME_LIMIT = 32 * 1024;
const IDLE = 10 * 60_000;
const LIFE = 2 * 60 * 60_000;
const CONNECT_RATE = 500;
const INTEGRATION_TIMEOUT = 29_000;

/** Milliseconds that `close` waits for functions which are still told of the end. */
const CLOSING = 1_000;

/** Close codes of RFC 6455, 7.4.1. */
const UNSUPPORTED_DATA = 1003;
const TOO_BIG = 1009;

type Answer = { statusCode: number; body?: unknown };

/** A Lambda proxy answer must be an object with a status; anything else is a malformed one. */
function readAnswer(payload: unknown): Answer | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined;
  const { statusCode, body } = payload as Record<string, unknown>;
  const status = Number(statusCode);
  return statusCode === undefined || !Number.isInteger(status) ? undefined : { statusCode: status, body };
}

function refuse(socket: Duplex, status: number, message: string): void {
  const body = JSON.stringify({ message });
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\nContent-Type: application/json\r\n`;
  socket.on('error', () => socket.destroy());
  socket.end(`${head}Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
}

/** Starts a WebSocket API: `ws://` at `port`, and its real name over TLS at a port of its own. */
export async function createWebSocketApi(
  api: WebSocketApiDescription,
  options: WebSocketApiOptions,
): Promise<WebSocketApi> {
  const { functions, mayInvoke, log, meter, timers = realTimers, region = 'us-east-1' } = options;
  const { accountId = '000000000000', integrationTimeout = INTEGRATION_TIMEOUT } = options;
  const domainName = `${api.apiId}.execute-api.${region}.amazonaws.com`;
  const apiArn = `arn:aws:execute-api:${region}:${accountId}:${api.apiId}`;
  const routes = new Map(api.routes.map((route) => [route.routeKey, route]));
  const routeKeys = new Set(routes.keys());
  const throttling = api.throttling ?? ACCOUNT_THROTTLING;
  const passes = new Map(
    api.routes.map(({ routeKey }) => [routeKey, createThrottle(throttling, timers.now)]),
  );
  const connections = createConnections(
    { idle: options.idle ?? IDLE, life: options.life ?? LIFE },
    timers,
    meter,
  );
  const rate = options.connectRate ?? CONNECT_RATE;
  const mayConnect = createThrottle({ rate, burst: rate }, timers.now);
  const protocol = new WebSocketServer({
    noServer: true,
    maxPayload: MESSAGE_LIMIT,
    perMessageDeflate: false,
  });
  const underway = new Set<Promise<void>>();

  /** Runs a route's function; undefined when the API could not get an answer, for which the log says why. */
  async function integrate(route: SocketRoute, event: SocketEvent): Promise<Answer | undefined | 'timeout'> {
    const target = functions(route.functionArn);
    const sourceArn = `${apiArn}/${api.stage}/${route.routeKey}`;
    if (target === undefined || !mayInvoke(route.functionArn, sourceArn)) {
      log('warn', `WebSocket API: ${route.functionArn} is not there or has no permission for ${sourceArn}`);
      return undefined;
    }
    const result = await invokeWithin(target, event, integrationTimeout);
    if (result === 'timeout') return result;
    const answer = result.error === undefined ? readAnswer(result.payload) : undefined;
    if (answer === undefined) {
      const why =
        result.error === undefined
          ? 'its answer has no statusCode'
          : `${result.error.type}: ${result.error.message}`;
      log('warn', `WebSocket API: ${target.spec.name} failed: ${why}`, { requestId: result.requestId });
    }
    return answer;
  }

  /** Keeps what runs beside the caller from getting lost: `close` awaits it, a fault reaches the log. */
  function inBackground(work: Promise<void>): void {
    const done = work
      .catch((error: unknown) => log('warn', `WebSocket API: ${String(error)}`))
      .finally(() => underway.delete(done));
    underway.add(done);
  }

  async function onMessage(connection: Connection, text: string): Promise<void> {
    const requestId = newId();
    const { connectionId, socket } = connection;
    const reply = async (content: string): Promise<void> => {
      if (socket.readyState === WebSocket.OPEN) await connections.send(connection, content);
    };
    const complain = (message: string): Promise<void> =>
      reply(JSON.stringify({ message, connectionId, requestId }));
    const route = routes.get(selectRoute(api.routeSelectionExpression, routeKeys, text));
    if (route === undefined) return complain('Forbidden');
    // As an error of its own making, like the others: a connection lives on. AWS documents the status, 429, and no text.
    if (!passes.get(route.routeKey)!()) return complain('Too Many Requests');
    const event = messageEvent(connection, route.routeKey, text, requestId, timers.now());
    const answer = await integrate(route, event);
    if (answer === 'timeout') return complain('Endpoint request timed out');
    if (answer === undefined) return complain('Internal server error');
    if (!route.hasRouteResponse || answer.body === undefined || answer.body === null) return;
    await reply(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
  }

  function open(facts: ConnectionFacts, socket: WebSocket, stream: Duplex): void {
    const connection = connections.add(facts, socket);
    const tooBig = createFrameWatch(FRAME_LIMIT);
    stream.prependListener('data', (chunk: Buffer) => {
      if (tooBig(chunk)) socket.close(TOO_BIG, 'Frame too large');
    });
    // The protocol library closes the connection itself on what breaks the protocol or the message limit.
    socket.on('error', (error) => log('debug', `WebSocket API: ${facts.connectionId}: ${error.message}`));
    socket.on('message', (data: Buffer, isBinary) => {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (isBinary) return socket.close(UNSUPPORTED_DATA, 'Binary messages are not supported');
      connections.received(connection, data.length);
      inBackground(onMessage(connection, data.toString('utf8')));
    });
    socket.once('close', (code, reason) => {
      const route = routes.get('$disconnect');
      if (route === undefined) return;
      const event = disconnectEvent(facts, { code, reason: reason.toString() }, newId(), timers.now());
      inBackground(integrate(route, event).then(() => {}));
    });
  }

  async function onUpgrade(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    stream.on('error', () => stream.destroy());
    const { path, query } = splitTarget(request.url ?? '/');
    if (path !== `/${api.stage}` && path !== `/${api.stage}/`) {
      log('warn', `WebSocket API: no stage at ${path}; it is /${api.stage}`);
      return refuse(stream, 403, 'Forbidden');
    }
    if (!mayConnect()) return refuse(stream, 429, 'Too Many Requests');
    const facts = {
      connectionId: newId(),
      connectedAt: timers.now(),
      sourceIp: (request.socket.remoteAddress ?? '127.0.0.1').replace(/^::ffff:/, ''),
      userAgent: request.headers['user-agent'] ?? '',
      apiId: api.apiId,
      stage: api.stage,
      domainName,
    };
    const route = routes.get('$connect');
    if (route !== undefined) {
      const event = connectEvent(facts, { rawHeaders: request.rawHeaders, query }, newId(), timers.now());
      const answer = await integrate(route, event);
      if (answer === 'timeout') return refuse(stream, 504, 'Endpoint request timed out');
      if (answer === undefined) return refuse(stream, 502, 'Internal server error');
      const { statusCode } = answer;
      if (statusCode < 200 || statusCode > 299)
        return refuse(stream, statusCode, STATUS_CODES[statusCode] ?? 'Refused');
    }
    protocol.handleUpgrade(request, stream, head, (socket) => open(facts, socket, stream));
  }

  const upgrade = (request: IncomingMessage, stream: Duplex, head: Buffer): void =>
    inBackground(onUpgrade(request, stream, head));
  const management = createManagement({
    connections,
    authorize: options.authorize,
    log,
    stage: api.stage,
    apiArn,
  });
  const certificate = await options.authority.issue([
    ...(api.names ?? [domainName]),
    'localhost',
    '127.0.0.1',
  ]);
  const plain = createServer((_request, response) => {
    response.writeHead(426, { Upgrade: 'websocket', 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ message: 'Upgrade Required' }));
  }).on('upgrade', upgrade);
  const secure = createSecureServer(certificate, management).on('upgrade', upgrade);
  const port = await listen(plain, options.port ?? 0);
  const httpsPort = await listen(secure, 0);

  const find = (connectionId: string): Connection => {
    const connection = connections.get(connectionId);
    if (connection === undefined) throw new Error(`There is no connection ${connectionId}.`);
    return connection;
  };
  return {
    url: `ws://127.0.0.1:${port}/${api.stage}`,
    port,
    httpsPort,
    connections: connections.list,
    drop: (connectionId) => find(connectionId).socket.terminate(),
    slow(connectionId, milliseconds) {
      find(connectionId).delay = milliseconds;
    },
    failOnce: (connectionId, status) => void find(connectionId).failures.push(status),
    async close() {
      for (const { socket } of connections.list()) socket.terminate();
      await Promise.all([stop(plain), stop(secure)]);
      // What runs may take as long as its function's timeout; nobody is left to hear of it.
      await Promise.race([Promise.all(underway), sleep(CLOSING, undefined, { ref: false })]);
    },
  };
}
