/** What can go wrong between a device and Peal, by what to do about it. */

/**
 * Peal answered no. 4xx: repeating the same call does not help, except 429 after `retryAfter`; 5xx: try again later.
 */
export class PealError extends Error {
  override readonly name: string = 'PealError';
  /** HTTP status, 400 … 599. */
  readonly status: number;
  /** What is wrong, in sentences for people. Empty if something between us and Peal answered in its place. */
  readonly errors: readonly string[];
  /** What is wrong, by parameter: `{name: 'has already been taken'}`. */
  readonly fields: Readonly<Record<string, string>>;
  /** Id of the request in Peal's logs. */
  readonly request: string | undefined;
  /** Seconds to wait before the next try, if Peal said. */
  readonly retryAfter: number | undefined;

  constructor(answer: {
    status: number;
    errors: readonly string[];
    fields: Readonly<Record<string, string>>;
    request?: string | undefined;
    retryAfter?: number | undefined;
  }) {
    super(answer.errors.join('; ') || `the server answered with status ${answer.status}`);
    this.status = answer.status;
    this.errors = answer.errors;
    this.fields = answer.fields;
    this.request = answer.request;
    this.retryAfter = answer.retryAfter;
  }

  /** The session's secret or the device is not known any more: log in again. */
  get signedOut(): boolean {
    return (
      this.status === 401 ||
      this.status === 403 ||
      (this.status < 500 && ('secret' in this.fields || 'device_id' in this.fields))
    );
  }
}

/**
 * The password is right and the account has a second factor: log in again with a code of it as `twofa`. `wrong` tells
 * that there was one which is not right, or was used before.
 */
export class CodeNeededError extends PealError {
  override readonly name = 'CodeNeededError';

  get wrong(): boolean {
    return this.fields.twofa === 'is invalid';
  }
}

/** No answer: no connection, or none in time. Whether Peal got the call is not known; every call may be repeated. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
  /** The time limit was reached, rather than the connection refused or lost. */
  readonly timedOut: boolean;

  constructor(message: string, options: { timedOut: boolean; cause: unknown }) {
    super(message, { cause: options.cause });
    this.timedOut = options.timedOut;
  }
}

/** An answer that is not Peal's: another service at this address, a captive portal, or a version that differs. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** The device's own database is not usable. The message says what to do. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
}
