/** What can go wrong between us and a peer before it has answered. All of it is worth another try later. */

/**
 * - `timeout`: no complete answer within the request's time limit.
 * - `connect`: no session could be opened (refused, DNS, TLS, no SETTINGS in time).
 * - `closed`: the stream or its session ended without a complete answer (GOAWAY, closed socket).
 * - `reset`: the peer reset the stream.
 * - `too-large`: the answer's body is over the limit.
 */
export type RequestErrorCode = 'timeout' | 'connect' | 'closed' | 'reset' | 'too-large';

/** A request that got no answer. Whether the peer acted on it is unknown, so a repeat must be idempotent. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly code: RequestErrorCode;

  constructor(code: RequestErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
