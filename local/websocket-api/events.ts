/** Events of a WebSocket API's Lambda integrations, and the choice of the route that a message takes. */
import { clfTime } from '../http-api/event.ts';

/** Who is connected to what. */
export interface ConnectionFacts {
  connectionId: string;
  /** Epoch milliseconds. */
  connectedAt: number;
  sourceIp: string;
  userAgent: string;
  apiId: string;
  stage: string;
  domainName: string;
}

/** `requestContext` of a WebSocket event (API Gateway: "Integration request data mapping for WebSocket APIs"). */
export interface SocketContext {
  routeKey: string;
  messageId?: string;
  eventType: 'CONNECT' | 'MESSAGE' | 'DISCONNECT';
  extendedRequestId: string;
  requestTime: string;
  messageDirection: 'IN';
  disconnectStatusCode?: number;
  disconnectReason?: string;
  stage: string;
  connectedAt: number;
  requestTimeEpoch: number;
  identity: { userAgent: string; sourceIp: string };
  requestId: string;
  domainName: string;
  connectionId: string;
  apiId: string;
}

export interface SocketEvent {
  requestContext: SocketContext;
  headers?: Record<string, string>;
  multiValueHeaders?: Record<string, string[]>;
  queryStringParameters?: Record<string, string>;
  multiValueQueryStringParameters?: Record<string, string[]>;
  body?: string;
  isBase64Encoded: false;
}

type Kind = Pick<SocketContext, 'routeKey' | 'eventType'> & Partial<SocketContext>;

function contextOf(facts: ConnectionFacts, kind: Kind, requestId: string, now: number): SocketContext {
  const { connectionId, connectedAt, sourceIp, userAgent, apiId, stage, domainName } = facts;
  return {
    ...kind,
    extendedRequestId: requestId,
    requestTime: clfTime(now),
    messageDirection: 'IN',
    stage,
    connectedAt,
    requestTimeEpoch: now,
    identity: { userAgent, sourceIp },
    requestId,
    domainName,
    connectionId,
    apiId,
  };
}

/** The event of a message. `requestId` also serves as the message id, as its form is the same on AWS. */
export function messageEvent(
  facts: ConnectionFacts,
  routeKey: string,
  body: string,
  requestId: string,
  now: number,
): SocketEvent {
  const kind = { routeKey, eventType: 'MESSAGE', messageId: requestId } as const;
  return { requestContext: contextOf(facts, kind, requestId, now), body, isBase64Encoded: false };
}

/** The event of a handshake, which alone carries headers and query parameters. */
export function connectEvent(
  facts: ConnectionFacts,
  request: { rawHeaders: readonly string[]; query: string },
  requestId: string,
  now: number,
): SocketEvent {
  const multiValueHeaders: Record<string, string[]> = {};
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    const name = request.rawHeaders[at] as string;
    multiValueHeaders[name] = [...(multiValueHeaders[name] ?? []), request.rawHeaders[at + 1] as string];
  }
  const parameters: Record<string, string[]> = {};
  for (const [name, value] of new URLSearchParams(request.query)) {
    parameters[name] = [...(parameters[name] ?? []), value];
  }
  const query = {
    queryStringParameters: lastOf(parameters),
    multiValueQueryStringParameters: parameters,
  };
  return {
    requestContext: contextOf(facts, { routeKey: '$connect', eventType: 'CONNECT' }, requestId, now),
    headers: lastOf(multiValueHeaders),
    multiValueHeaders,
    ...(Object.keys(parameters).length > 0 ? query : {}),
    isBase64Encoded: false,
  };
}

const lastOf = (lists: Record<string, string[]>): Record<string, string> =>
  Object.fromEntries(Object.entries(lists).map(([name, values]) => [name, values.at(-1) ?? '']));

/** The event after a connection has ended; `code` and `reason` are those of the WebSocket's close. */
export function disconnectEvent(
  facts: ConnectionFacts,
  close: { code: number; reason: string },
  requestId: string,
  now: number,
): SocketEvent {
  const kind = {
    routeKey: '$disconnect',
    eventType: 'DISCONNECT',
    disconnectStatusCode: close.code,
    disconnectReason: close.reason,
  } as const;
  return { requestContext: contextOf(facts, kind, requestId, now), isBase64Encoded: false };
}

/**
 * The route key that a message selects, `$default` if it selects none. Supports `$request.body.a.b`, with or without
 * braces; a body that is not JSON selects `$default` (API Gateway: "Route selection expressions").
 */
export function selectRoute(expression: string, keys: ReadonlySet<string>, body: string): string {
  const path = /^\$\{?request\.body\.([\w.-]+)\}?$/.exec(expression)?.[1];
  if (path === undefined) return keys.has(expression) ? expression : '$default';
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return '$default';
  }
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return '$default';
    value = (value as Record<string, unknown>)[name];
  }
  const key = String(value);
  return keys.has(key) && !key.startsWith('$') ? key : '$default';
}
