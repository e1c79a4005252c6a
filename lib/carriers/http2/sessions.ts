/**
 * Sessions kept open to a few origins: opened one at a time an origin when all that are open are full, checked when
 * they were left alone for so long that the peer or a NAT may have dropped them, replaced after GOAWAY or a failure.
 */

import { type Connect, Resumption } from './connect.ts';
import { RequestError, TimeLimitError } from './errors.ts';
import { Opening } from './opening.ts';
import type { Session } from './session.ts';

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
  /** How to connect; absent: by the origin's name. */
  connect?: Connect;
}

interface Waiter {
  use: (session: Session) => void;
  fail: (error: RequestError) => void;
}

/** What is kept for an origin. */
interface Place {
  url: URL;
  sessions: Session[];
  /** Who waits for a session with room, first come first served. */
  waiting: Waiter[];
  /** Gives the connection up that is being made. */
  cancel: ((error: Error) => void) | undefined;
}

export class Sessions {
  readonly #limits: SessionLimits;
  readonly #places = new Map<string, Place>();
  readonly #resumption = new Resumption();
  /** Sessions that are open or being opened. */
  #count = 0;

  constructor(limits: SessionLimits) {
    this.#limits = limits;
  }

  /**
   * Calls `use` with a session that has room for one more request, which `use` must begin before it returns (or not at
   * all), or `fail` when none could be opened. Waits as long as all sessions are full: the caller limits the time.
   */
  acquire(origin: string, use: Waiter['use'], fail: Waiter['fail']): void {
    const place = this.#place(origin);
    if (!place) {
      fail(new RequestError('connect', `no origin: ${origin}`));
      return;
    }
    const checks = this.#staleChecks(place);
    if (checks) {
      Promise.all(checks).then(() => this.acquire(origin, use, fail));
      return;
    }
    const free = place.waiting.length === 0 ? fullest(place.sessions) : undefined;
    if (free) {
      free.usedAt = this.#limits.now();
      use(free);
      return;
    }
    place.waiting.push({ use, fail });
    this.#grow(place);
  }

  /** Whether a session to this origin is open on which the peer has answered. */
  isProven(origin: string): boolean {
    const sessions = this.#places.get(origin)?.sessions ?? [];
    return sessions.some((session) => session.proven && !session.retired && !session.destroyed);
  }

  /**
   * No new requests on this session; those that are open may still finish (the failure may be theirs alone), and the
   * last one to end ends it.
   */
  retire(session: Session): void {
    session.retired = true;
    if (session.streams === 0) session.end();
  }

  async close(): Promise<void> {
    for (const place of this.#places.values()) {
      place.cancel?.(new Error('the client was closed'));
      for (const session of [...place.sessions]) session.end();
      this.#fail(place, new Error('the client was closed'));
    }
  }

  #place(origin: string): Place | undefined {
    const known = this.#places.get(origin);
    if (known) return known;
    const url = URL.parse(origin);
    // Anything else, a path for instance, would be looked for under another name than it is kept.
    if (url?.origin !== origin) return undefined;
    const place: Place = { url, sessions: [], waiting: [], cancel: undefined };
    this.#places.set(origin, place);
    return place;
  }

  /** Checks, begun or joined, of the sessions that nobody has used for too long; undefined if none is due. */
  #staleChecks(place: Place): Promise<void>[] | undefined {
    let checks: Promise<void>[] | undefined;
    const limit = this.#limits.now() - this.#limits.idleLimit;
    for (const session of place.sessions) {
      // Open exchanges are no sign of life: no request lasts that long, so they are from before a freeze.
      if (session.usedAt > limit || session.retired) continue;
      session.check ??= session.ping(this.#limits.pingLimit).then((alive) => {
        session.check = undefined;
        session.usedAt = this.#limits.now();
        if (alive) return;
        this.retire(session);
        session.end();
      });
      checks ??= [];
      checks.push(session.check);
    }
    return checks;
  }

  /** Serves who waits, as far as there is room, and opens another session for the rest. */
  #serve(place: Place): void {
    while (place.waiting.length > 0) {
      const free = fullest(place.sessions);
      if (!free) break;
      free.usedAt = this.#limits.now();
      place.waiting.shift()!.use(free);
    }
    if (place.waiting.length > 0) this.#grow(place);
  }

  /** Opens a session, if one may be opened now; if not, whatever ends next makes room. */
  #grow(place: Place): void {
    if (place.cancel) return;
    if (this.#count >= this.#limits.maxSessions) {
      const idle = this.#idle();
      if (!idle) return;
      idle.end();
      // Its end may have been what somebody else waited for.
      if (place.cancel || this.#count >= this.#limits.maxSessions) return;
    }

    this.#count++;
    new Opening(place.url, this.#limits, this.#resumption, {
      begun: (cancel) => {
        place.cancel = cancel;
      },
      opened: (session) => {
        place.cancel = undefined;
        session.usedAt = this.#limits.now();
        place.sessions.push(session);
        this.#serve(place);
      },
      failed: (error) => {
        place.cancel = undefined;
        this.#count--;
        this.#fail(place, error);
        this.#tidy(place);
        this.#growOthers();
      },
      room: (session) => {
        // Not a use: after a freeze, an end that came before it is noticed late, and would make a dead session look fresh.
        if (session.retired && session.streams === 0) session.end();
        else if (place.waiting.length > 0) this.#serve(place);
        else if (session.streams === 0) this.#growOthers();
      },
      goaway: (session) => this.retire(session),
      closed: (session) => {
        this.#count--;
        place.sessions.splice(place.sessions.indexOf(session), 1);
        this.#serve(place);
        this.#tidy(place);
        this.#growOthers();
      },
    });
  }

  #fail(place: Place, error: Error): void {
    const code = error instanceof TimeLimitError ? 'timeout' : 'connect';
    for (const { fail } of place.waiting.splice(0)) fail(new RequestError(code, error.message, error));
  }

  /** Gives those a session who wait for one because there were too many. */
  #growOthers(): void {
    for (const place of this.#places.values()) {
      if (place.waiting.length > 0) this.#grow(place);
    }
  }

  /** A session that has nothing to do and may make room for one to another origin. */
  #idle(): Session | undefined {
    for (const { sessions, waiting } of this.#places.values()) {
      if (waiting.length > 0) continue;
      const idle = sessions.find(({ streams }) => streams === 0);
      if (idle) return idle;
    }
    return undefined;
  }

  /** Origins are not remembered for longer than there is something to them. */
  #tidy(place: Place): void {
    if (place.sessions.length === 0 && place.waiting.length === 0 && !place.cancel)
      this.#places.delete(place.url.origin);
  }
}

/** The fullest session with room, so that the others may become idle. */
function fullest(sessions: readonly Session[]): Session | undefined {
  let best: Session | undefined;
  for (const session of sessions) {
    if (session.hasRoom && (!best || session.streams > best.streams)) best = session;
  }
  return best;
}
