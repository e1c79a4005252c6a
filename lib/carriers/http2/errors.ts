/** What can go wrong between us and a peer before it has answered. All of it is worth another try later. */

/**
 * - `timeout`: silence: no complete answer, or no session, within a time limit.
 * - `connect`: no session could be opened (refused, DNS, TLS).
 * - `closed`: the stream or its session ended without a complete answer (GOAWAY, closed socket).
 * - `reset`: the peer reset the stream.
 * - `too-large`: the answer's body is over the limit.
 */
export type RequestErrorCode = 'timeout' | 'connect' | 'closed' | 'reset' | 'too-large';

/** A time limit of ours that something on the way to a session has reached: nobody has said no. */
export class TimeLimitError extends Error {
  override readonly name = 'TimeLimitError';
}

/** A request that got no answer. Whether the peer acted on it is unknown, so a repeat must be idempotent. */
export class RequestError extends Error {
  override readonly name: string = 'RequestError';
  readonly code: RequestErrorCode;

  constructor(code: RequestErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** A request of which the peer says that it has not acted on it (RFC 9113, section 8.7): it may simply be repeated. */
export class UnprocessedError extends RequestError {
  override readonly name = 'UnprocessedError';
}

/** RFC 9113, section 7. */
export const ErrorCode = {
  NO_ERROR: 0x0,
  PROTOCOL_ERROR: 0x1,
  INTERNAL_ERROR: 0x2,
  FLOW_CONTROL_ERROR: 0x3,
  STREAM_CLOSED: 0x5,
  FRAME_SIZE_ERROR: 0x6,
  REFUSED_STREAM: 0x7,
  CANCEL: 0x8,
  COMPRESSION_ERROR: 0x9,
  ENHANCE_YOUR_CALM: 0xb,
} as const;

/** The peer broke the protocol such that the connection cannot go on (RFC 9113, section 5.4.1). */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  /** One of {@link ErrorCode}. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}
