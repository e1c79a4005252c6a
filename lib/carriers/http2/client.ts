/** HTTP/2 requests on kept sessions that always settle. */

import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { RequestError } from './errors.ts';
import { type Answer, abandon, exchange } from './exchange.ts';
import { Gate } from './gate.ts';
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
  /** Most sessions at a time, over all origins. Default 8. */
  maxSessions?: number;
  /**
   * Whether an answer shows that the peer knows us. If given, one request an origin goes first on a new session and
   * the others wait for its answer.
   */
  proves?: (answer: Answer) => boolean;
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

/** How often a request looks for another session when the one that it got closed under its hands. */
const MAX_TRIES = 3;

/** Creates a client; connections are made when they are needed. */
export function createHttp2Client(options: Http2Options = {}): Http2Client {
  const timeout = options.timeout ?? 10_000;
  const { proves } = options;
  const sessions = new Sessions({
    maxSessions: options.maxSessions ?? 8,
    connectLimit: timeout / 2,
    idleLimit: options.idleLimit ?? 60_000,
    pingLimit: Math.min(1000, timeout / 4),
    now: options.now ?? Date.now,
  });
  const gate = proves ? new Gate((origin) => sessions.isProven(origin)) : undefined;

  function request(asked: Http2Request): Promise<Answer> {
    const limit = asked.timeout ?? timeout;
    return new Promise((resolve, reject) => {
      let settled = false;
      let stream: ClientHttp2Stream | undefined;
      let used: ClientHttp2Session | undefined;
      let leaveGate = () => {};

      const timer = setTimeout(() => {
        settle(new RequestError('timeout', `no answer within ${limit} ms`));
        if (stream) abandon(stream);
      }, limit);

      function settle(result: Answer | RequestError): void {
        if (settled) return;
        settled = true;
        clearTimeout(timer);
        if (used) {
          // One failure may be the first sign of a dead connection: nobody else should wait on it.
          if (result instanceof RequestError) sessions.retire(used);
          else if (proves?.(result)) sessions.prove(used);
        }
        leaveGate();
        if (result instanceof RequestError) reject(result);
        else resolve(result);
      }

      function attempt(triesLeft: number): void {
        sessions.acquire(
          asked.origin,
          (session) => {
            if (settled) return;
            try {
              stream = open(session);
              used = session;
            } catch (error) {
              sessions.retire(session);
              if (triesLeft > 1) attempt(triesLeft - 1);
              else settle(new RequestError('closed', 'no session took the request', error));
            }
          },
          settle,
        );
      }

      function open(session: ClientHttp2Session): ClientHttp2Stream {
        const headers = { ':method': 'POST', ':path': asked.path, ...asked.headers };
        const opened = exchange(session, headers, asked.body, (result) => {
          count.closed();
          settle(result);
        });
        const count = sessions.opened(session);
        return opened;
      }

      if (!gate) {
        attempt(MAX_TRIES);
        return;
      }
      gate.enter(asked.origin, (leave) => {
        leaveGate = leave;
        if (settled) {
          leave();
          return;
        }
        // A first request that meets silence must not use up the time of all the others behind it.
        const patience = setTimeout(leave, limit / 4);
        leaveGate = () => {
          clearTimeout(patience);
          leave();
        };
        attempt(MAX_TRIES);
      });
    });
  }

  return { request, close: () => sessions.close() };
}
