/**
 * Sessions kept open to a few origins. http2-wrapper's agent opens them (TLS with resumption), counts their streams
 * against the peer's SETTINGS_MAX_CONCURRENT_STREAMS and opens another when one is full; this adds what a long-lived
 * sender needs and the agent lacks: a limit on connecting, replacement after GOAWAY or a failure, and a check of
 * sessions that were left alone for so long that the peer or a NAT may have dropped them.
 */

import type { ClientHttp2Session, SecureClientSessionOptions } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import http2Wrapper, { type PromiseListeners } from 'http2-wrapper';
import { RequestError } from './errors.ts';

/** The agent's mark on a session that takes no new streams; exported by http2-wrapper, missing in its types. */
const { kGracefullyClosing } = http2Wrapper.Agent as unknown as { kGracefullyClosing: symbol };

/** Opens a connection on which HTTP/2 is spoken; rejects if there is none. Limits its own time. */
export type Connect = (origin: URL, options: SecureClientSessionOptions) => Promise<TLSSocket>;

export interface SessionLimits {
  /** Most sessions over all origins. */
  maxSessions: number;
  /** Longest time to connect, TLS and SETTINGS included. Milliseconds. */
  connectLimit: number;
  /** A session unused for longer is asked by PING before it is used again. Milliseconds. */
  idleLimit: number;
  /** Longest wait for the answer to that PING. Milliseconds. */
  pingLimit: number;
  /** Wall clock in milliseconds: a monotonic clock may stand still while a Lambda environment is frozen. */
  now: () => number;
  /** How to connect; absent: as http2-wrapper does. */
  connect?: Connect;
}

interface Kept {
  origin: string;
  socket: TLSSocket | undefined;
  usedAt: number;
  streams: number;
  retired: boolean;
  proven: boolean;
  check?: Promise<void>;
}

/** http2-wrapper's agent with a limit on connecting: without it a silent peer would hold every later request too. */
class LimitedAgent extends http2Wrapper.Agent {
  /** At most one at a time an origin: the agent queues requests behind it. */
  readonly connecting = new Map<string, TLSSocket>();
  connectLimit = 0;
  connect: Connect | undefined;

  override async createConnection(origin: URL, options: SecureClientSessionOptions): Promise<TLSSocket> {
    const socket = await (this.connect?.(origin, options) ?? super.createConnection(origin, options));
    const timer = setTimeout(() => {
      if (this.connecting.get(origin.origin) === socket) socket.destroy();
    }, this.connectLimit);
    this.connecting.set(origin.origin, socket);
    socket.once('close', () => {
      clearTimeout(timer);
      if (this.connecting.get(origin.origin) === socket) this.connecting.delete(origin.origin);
    });
    timer.unref();
    return socket;
  }
}

export class Sessions {
  readonly #limits: SessionLimits;
  readonly #agent: LimitedAgent;
  readonly #kept = new Map<ClientHttp2Session, Kept>();

  constructor(limits: SessionLimits) {
    this.#limits = limits;
    this.#agent = new LimitedAgent({ maxSessions: limits.maxSessions, maxEmptySessions: limits.maxSessions });
    this.#agent.connectLimit = limits.connectLimit;
    this.#agent.connect = limits.connect;
    this.#agent.on('session', (session: ClientHttp2Session) => this.#keep(session));
  }

  /**
   * Calls `use` with a session that has room for one more stream, which `use` must open before it returns (or not at
   * all), or `fail` when none could be opened. Waits as long as all sessions are full: the caller limits the time.
   */
  acquire(
    origin: string,
    use: (session: ClientHttp2Session) => void,
    fail: (error: RequestError) => void,
  ): void {
    const checks = this.#staleChecks(origin);
    if (checks) {
      Promise.all(checks).then(() => this.acquire(origin, use, fail));
      return;
    }
    const free = this.#free(origin);
    if (free) {
      use(free);
      return;
    }

    const listener = {
      resolve: (session: ClientHttp2Session) => use(session),
      reject: (error: Error) => fail(new RequestError('connect', error.message, error)),
    };
    // The agent takes a list of listeners and calls them synchronously when a stream is free; its types say one.
    const listeners = [listener] as unknown as PromiseListeners;
    this.#agent.getSession(origin, undefined, listeners);
  }

  /** Counts a stream that was opened on a session. */
  opened(session: ClientHttp2Session): void {
    const kept = this.#kept.get(session);
    if (!kept) return;

    kept.streams++;
    kept.usedAt = this.#limits.now();
  }

  /** Counts a stream that has closed; its session may be gone already. */
  closed(session: ClientHttp2Session): void {
    const kept = this.#kept.get(session);
    if (!kept) return;

    // Not a use: after a freeze, an end that came before it is noticed late, and would make a dead session look fresh.
    kept.streams--;
    if (kept.retired && kept.streams === 0) end(session, kept);
  }

  /** Notes that the peer has answered on this session as to somebody it knows. */
  prove(session: ClientHttp2Session): void {
    const kept = this.#kept.get(session);
    if (kept) kept.proven = true;
  }

  /** Whether a session to this origin is open on which the peer has answered. */
  isProven(origin: string): boolean {
    for (const [session, kept] of this.#kept) {
      if (kept.origin === origin && kept.proven && !kept.retired && !session.destroyed) return true;
    }
    return false;
  }

  /**
   * No new streams on this session; those that are open may still finish (the failure may be theirs alone), and the
   * last one to close destroys it.
   */
  retire(session: ClientHttp2Session): void {
    (session as unknown as Record<symbol, boolean>)[kGracefullyClosing] = true;
    const kept = this.#kept.get(session);
    if (!kept) return;
    kept.retired = true;
    if (kept.streams === 0) end(session, kept);
  }

  async close(): Promise<void> {
    const closed = [...this.#kept.keys()].map(
      (session) => new Promise<void>((resolve) => session.once('close', resolve)),
    );
    for (const socket of this.#agent.connecting.values()) socket.destroy();
    this.#agent.destroy();
    for (const [session, kept] of this.#kept) end(session, kept);
    await Promise.all(closed);
  }

  #keep(session: ClientHttp2Session): void {
    // The agent has checked that the first of the origin set is the origin that was asked for.
    const origin = session.originSet?.[0] ?? '';
    const socket = this.#agent.connecting.get(origin);
    this.#agent.connecting.delete(origin);
    this.#kept.set(session, {
      origin,
      socket,
      usedAt: this.#limits.now(),
      streams: 0,
      retired: false,
      proven: false,
    });
    // Streams report what became of them; a session's error has no other reader, and unread it would end the process.
    session.on('error', () => this.retire(session));
    session.once('goaway', () => this.retire(session));
    session.once('close', () => this.#kept.delete(session));
  }

  /**
   * The fullest session with room for a stream, so that the others may become idle: what the agent would choose, which
   * parses the origin and makes a promise for each request. Nobody is passed over: whoever waits at the agent gets each
   * stream that becomes free before we see it.
   */
  #free(origin: string): ClientHttp2Session | undefined {
    let best: ClientHttp2Session | undefined;
    let most = -1;
    for (const [session, kept] of this.#kept) {
      if (kept.origin !== origin || kept.retired || kept.streams <= most) continue;
      if (session.destroyed || session.closed) continue;
      if (kept.streams >= (session.remoteSettings.maxConcurrentStreams ?? Number.POSITIVE_INFINITY)) continue;
      best = session;
      most = kept.streams;
    }
    return best;
  }

  /** Checks, begun or joined, of the sessions to `origin` that nobody has used for too long; undefined if none is due. */
  #staleChecks(origin: string): Promise<void>[] | undefined {
    let checks: Promise<void>[] | undefined;
    const limit = this.#limits.now() - this.#limits.idleLimit;
    for (const [session, kept] of this.#kept) {
      // Streams that are still counted are no sign of life: no request lasts that long, so they are from before a
      // freeze which came between an answer and the end of its stream.
      if (kept.origin !== origin || kept.retired || kept.usedAt > limit) continue;
      kept.check ??= this.#ping(session).then((alive) => {
        delete kept.check;
        kept.usedAt = this.#limits.now();
        if (alive) return;
        this.retire(session);
        end(session, kept);
      });
      checks ??= [];
      checks.push(kept.check);
    }
    return checks;
  }

  #ping(session: ClientHttp2Session): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), this.#limits.pingLimit);
      const sent =
        !session.destroyed &&
        !session.closed &&
        session.ping((error) => {
          clearTimeout(timer);
          resolve(!error);
        });
      if (sent) return;
      clearTimeout(timer);
      resolve(false);
    });
  }
}

/**
 * Ends a session at once. The socket too: a session that was closing gracefully, after a GOAWAY for instance, waits for
 * the peer to close its side, and a peer that never does would use up the sessions that we may have.
 */
function end(session: ClientHttp2Session, kept: Kept): void {
  session.destroy();
  kept.socket?.destroy();
}
