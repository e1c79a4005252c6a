/** HTTP/2 requests on kept sessions that always settle. */

import type { Connect } from './connect.ts';
import { RequestError, UnprocessedError } from './errors.ts';
import type { Answer, Exchange } from './exchange.ts';
import { Gate } from './gate.ts';
import type { Session } from './session.ts';
import { Sessions } from './sessions.ts';

export interface Http2Options {
  /** Time limit of a request from call to complete answer, waiting for a session included. Default 10,000 ms. */
  timeout?: number;
  /**
   * A session unused for longer is checked by PING before its next request. Default 60,000 ms: well under what drops
   * idle connections (350 s at AWS's NAT gateways, minutes at carriers' front ends), yet above the gaps of a busy
   * sender, so that a check is paid only after a pause or a freeze of the Lambda environment.
   */
  idleLimit?: number;
  /** Longest time to connect, TLS and SETTINGS included. Default: half of the time limit. Milliseconds. */
  connectLimit?: number;
  /** Most sessions at a time, over all origins. Default 8. */
  maxSessions?: number;
  /**
   * Whether an answer shows that the peer knows us. If given, one request an origin goes first on a new session and
   * the others wait for its answer.
   */
  proves?: (answer: Answer) => boolean;
  /** Opens connections in another way than to whatever address the origin's name has. */
  connect?: Connect;
  /** Wall clock in milliseconds. */
  now?: () => number;
}

export interface Http2Request {
  /** For example `https://api.push.apple.com`. */
  origin: string;
  path: string;
  /** Without pseudo headers. */
  headers: Record<string, string>;
  body: string | Uint8Array;
  /** Time limit of this request in milliseconds, if other than the client's. */
  timeout?: number;
}

/** A client with its sessions. They do not keep a process alive. */
export interface Http2Client {
  /**
   * POSTs. Always settles within the time limit.
   *
   * @throws {RequestError} for anything but a complete answer
   */
  request(request: Http2Request): Promise<Answer>;
  /** Ends all sessions; requests in flight fail. */
  close(): Promise<void>;
}

/** How often a request is sent while peers say that they have not acted on it. */
const MAX_TRIES = 3;

/** Creates a client; connections are made when they are needed. */
export function createHttp2Client(options: Http2Options = {}): Http2Client {
  const timeout = options.timeout ?? 10_000;
  const { proves } = options;
  const sessions = new Sessions({
    maxSessions: options.maxSessions ?? 8,
    connectLimit: options.connectLimit ?? timeout / 2,
    idleLimit: options.idleLimit ?? 60_000,
    pingLimit: Math.min(1000, timeout / 4),
    now: options.now ?? Date.now,
    ...(options.connect && { connect: options.connect }),
  });
  const gate = new Gate((origin) => proves === undefined || sessions.isProven(origin));
  const parts: Parts = { sessions, gate, proves };

  return {
    request: (asked) =>
      new Promise((resolve, reject) => {
        new PendingRequest(parts, asked, asked.timeout ?? timeout, resolve, reject).start();
      }),
    close: () => sessions.close(),
  };
}

interface Parts {
  sessions: Sessions;
  gate: Gate;
  proves: Http2Options['proves'];
}

/** A request from call to answer. */
class PendingRequest {
  readonly #parts: Parts;
  readonly #asked: Http2Request;
  readonly #limit: number;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: RequestError) => void;
  readonly #timer: NodeJS.Timeout;
  #settled = false;
  #exchange: Exchange | undefined;
  #session: Session | undefined;
  #leaveGate: (() => void) | undefined;

  constructor(
    parts: Parts,
    asked: Http2Request,
    limit: number,
    resolve: (answer: Answer) => void,
    reject: (error: RequestError) => void,
  ) {
    this.#parts = parts;
    this.#asked = asked;
    this.#limit = limit;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#timer = setTimeout(() => this.#giveUp(), limit);
  }

  start(): void {
    const { gate } = this.#parts;
    const { origin } = this.#asked;
    if (gate.isOpen(origin)) this.#attempt(MAX_TRIES);
    else gate.enter(origin, (leave) => this.#attemptFirst(leave));
  }

  /** As one of those that go one at a time. */
  #attemptFirst(leave: () => void): void {
    if (this.#settled) {
      leave();
      return;
    }
    // A first request that meets silence must not use up the time of all the others behind it.
    const patience = setTimeout(leave, this.#limit / 4);
    this.#leaveGate = () => {
      clearTimeout(patience);
      leave();
    };
    this.#attempt(MAX_TRIES);
  }

  #attempt(triesLeft: number): void {
    this.#parts.sessions.acquire(
      this.#asked.origin,
      (session) => {
        if (!this.#settled) this.#post(session, triesLeft - 1);
      },
      (error) => this.#settle(error),
    );
  }

  #post(session: Session, triesLeft: number): void {
    try {
      this.#session = session;
      this.#exchange = session.post(this.#asked, (result) => {
        if (!(result instanceof UnprocessedError) || triesLeft === 0) this.#settle(result);
        else if (!this.#settled) this.#attempt(triesLeft);
      });
    } catch (error) {
      // A header that cannot be sent: nothing is wrong with the session.
      this.#session = undefined;
      this.#settle(new RequestError('closed', 'the request cannot be sent', error));
    }
  }

  #giveUp(): void {
    this.#settle(new RequestError('timeout', `no answer within ${this.#limit} ms`));
    if (this.#session && this.#exchange) this.#session.abandon(this.#exchange);
  }

  #settle(result: Answer | RequestError): void {
    if (this.#settled) return;
    this.#settled = true;
    clearTimeout(this.#timer);
    const { sessions, proves } = this.#parts;
    if (this.#session) {
      // One failure may be the first sign of a dead connection: nobody else should wait on it.
      if (result instanceof RequestError) sessions.retire(this.#session);
      else if (proves?.(result)) this.#session.proven = true;
    }
    this.#leaveGate?.();
    if (result instanceof RequestError) this.#reject(result);
    else this.#resolve(result);
  }
}
