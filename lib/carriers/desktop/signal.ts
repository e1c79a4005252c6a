import {
  type ApiGatewayManagementApiClient,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';

/** The characters that the server says over a device's socket (Pushover's Open Client protocol). */
export const SIGNAL = {
  /** Still here: the answer to a client's own `#`, and to a login without a backlog. */
  alive: '#',
  /** Sync now. */
  sync: '!',
  /** Reconnect. */
  reconnect: 'R',
  /** The login is wrong for good. */
  error: 'E',
  /** The same device has logged in elsewhere: do not reconnect. */
  elsewhere: 'A',
} as const;

export type Signal = (typeof SIGNAL)[keyof typeof SIGNAL];

/** What became of a signal. `gone`: the connection has ended (410). */
export type Posted =
  | { kind: 'gone' | 'sent' }
  | { kind: 'denied'; reason: string }
  /** With `silent`, there was no answer in time. */
  | { kind: 'failed'; reason: string; silent: boolean };

/** Posts one character to a connection through the WebSocket API's `@connections`. Never throws. */
export async function post(
  client: ApiGatewayManagementApiClient,
  connection: string,
  signal: Signal,
  timeout: number,
): Promise<Posted> {
  const abortSignal = AbortSignal.timeout(timeout);
  try {
    const command = new PostToConnectionCommand({ ConnectionId: connection, Data: signal });
    await client.send(command, { abortSignal });
    return { kind: 'sent' };
  } catch (error) {
    const name = error instanceof Error ? error.name : 'UnknownError';
    if (name === 'GoneException') return { kind: 'gone' };
    if (name === 'ForbiddenException' || name === 'AccessDeniedException')
      return { kind: 'denied', reason: name };
    // 429 (LimitExceededException), 5xx, a dropped connection or silence: the connection may well be there.
    return { kind: 'failed', reason: name, silent: abortSignal.aborted || name === 'TimeoutError' };
  }
}
