/**
 * The desktop signal: a WebSocket that says "sync now" in one character (Pushover's Open Client protocol).
 *
 * The managed WebSocket API closes connections after 10 idle minutes and after 2 hours: the client's heartbeat keeps
 * the first away, and shortly before the second it connects anew by itself.
 */
import { type BackoffLimits, backoff, DEFAULT_BACKOFF, systemTimers, type Timers } from './timers.ts';

/** What is used of a WebSocket. The handlers are only ever set, so any constructor's own types fit. */
export interface SocketLike {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  binaryType: string;
  send(text: string): void;
  close(): void;
}

/**
 * Where the connection is. `waiting`: it was lost or could not be made, `failures` times since it last was stable, and
 * the next attempt is in `delay` milliseconds.
 */
export type SocketState =
  | { state: 'connecting' }
  | { state: 'connected' }
  | { state: 'waiting'; reason: string; delay: number; failures: number }
  | { state: 'stopped' };

/** Why a connection ended for good. `refused`: log in again. `replaced`: the same device is connected elsewhere. */
export type SocketEnd = 'refused' | 'replaced';

/** What a socket needs. */
export interface SocketOptions {
  /** `wss://…/push`. */
  url: string;
  device: string;
  secret: string;
  /** Sync now: after every login, and whenever the server says so. */
  onSync(): void;
  /** The server ended it for good. */
  onEnd(end: SocketEnd): void;
  onState?: ((state: SocketState) => void) | undefined;
  /** Default: the platform's. */
  WebSocket?: (new (url: string) => SocketLike) | undefined;
  timers?: Timers | undefined;
  limits?: Partial<SocketLimits> | undefined;
}

/** All in milliseconds. */
export interface SocketLimits {
  /** From the attempt to the open connection. */
  connect: number;
  /** From a login or heartbeat to its answer. */
  answer: number;
  /** Between heartbeats; less than the 10 minutes after which an idle connection is closed. */
  heartbeat: number;
  /** A connection that lived this long was a good one: the next failure counts as the first. */
  stable: number;
  /** After this, less a tenth at random, it connects anew: before the managed 2 hours are over. */
  life: number;
  backoff: BackoffLimits;
}

/** The limits of a socket that is told none. */
export const DEFAULT_LIMITS: SocketLimits = {
  connect: 20_000,
  answer: 15_000,
  heartbeat: 120_000,
  stable: 60_000,
  life: 115 * 60_000,
  backoff: DEFAULT_BACKOFF,
};

/** The server's frames, one character each. */
const FRAME = { alive: '#', sync: '!', reconnect: 'R', error: 'E', replaced: 'A' } as const;

/** A connection that is kept up until it is stopped, or ended by the server. */
export class PealSocket {
  readonly #options: SocketOptions;
  readonly #timers: Timers;
  readonly #limits: SocketLimits;
  #socket: SocketLike | undefined;
  #loggedInAt: number | undefined;
  #failures = 0;
  /** What ends the timers of the present connection or wait, by their purpose. */
  readonly #pending = new Map<'answer' | 'heartbeat' | 'life' | 'retry', () => void>();

  constructor(options: SocketOptions) {
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
  }

  /** Connects, and keeps connected. Does nothing if it is started. */
  start(): void {
    if (!this.#socket && !this.#pending.has('retry')) this.#connect();
  }

  /** Ends the connection. It may be started again. */
  stop(): void {
    this.#drop();
    this.#options.onState?.({ state: 'stopped' });
  }

  /** The network may have come back, or the machine woken up: connects now, or checks whether the connection lives. */
  nudge(): void {
    if (this.#pending.has('retry')) this.#connect();
    else if (this.#loggedInAt !== undefined && !this.#pending.has('answer')) this.#beat();
  }

  #connect(): void {
    this.#drop();
    this.#options.onState?.({ state: 'connecting' });
    const WebSocketClass = this.#options.WebSocket ?? WebSocket;
    const socket: SocketLike = new WebSocketClass(this.#options.url);
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    this.#wait('answer', this.#limits.connect, () => this.#lost('no connection in time'));
    socket.onopen = () => {
      // In a frame and not in the URL, which would end up in logs.
      socket.send(`login:${this.#options.device}:${this.#options.secret}\n`);
      this.#wait('answer', this.#limits.answer, () => this.#lost('no answer to the login'));
    };
    socket.onmessage = ({ data }: { data: unknown }) => this.#receive(data);
    socket.onclose = ({ code }: { code: number }) => this.#lost(`closed with code ${code}`);
    // Says nothing of use, and is always followed by `close`; without a handler, some implementations throw.
    socket.onerror = () => undefined;
  }

  #receive(data: unknown): void {
    const frame = data instanceof ArrayBuffer ? new TextDecoder().decode(data) : data;
    switch (frame) {
      case FRAME.alive:
        if (!this.#alive()) this.#options.onSync();
        break;
      case FRAME.sync:
        this.#alive();
        this.#options.onSync();
        break;
      case FRAME.reconnect:
        this.#lost('the server asked for a new connection');
        break;
      case FRAME.error:
        this.#end('refused');
        break;
      case FRAME.replaced:
        this.#end('replaced');
        break;
      default:
      // The gateway's own error messages, or a later protocol's: no sign of life, and no reason to give up.
    }
  }

  /** @returns whether it was logged in already */
  #alive(): boolean {
    this.#cancel('answer');
    if (this.#loggedInAt !== undefined) return true;
    this.#loggedInAt = this.#timers.now();
    this.#options.onState?.({ state: 'connected' });
    this.#wait('heartbeat', this.#limits.heartbeat, () => this.#beat());
    const life = this.#limits.life * (1 - this.#timers.random() / 10);
    this.#wait('life', life, () => this.#connect());
    return false;
  }

  #beat(): void {
    this.#socket?.send(FRAME.alive);
    this.#wait('heartbeat', this.#limits.heartbeat, () => this.#beat());
    this.#wait('answer', this.#limits.answer, () => this.#lost('no answer to the heartbeat'));
  }

  #lost(reason: string): void {
    this.#drop();
    const delay = backoff(this.#failures++, this.#timers, this.#limits.backoff);
    this.#wait('retry', delay, () => this.#connect());
    this.#options.onState?.({ state: 'waiting', reason, delay, failures: this.#failures });
  }

  #end(end: SocketEnd): void {
    this.stop();
    this.#options.onEnd(end);
  }

  /** Lets go of the connection and of everything that waits for it. What it still says is not heard. */
  #drop(): void {
    for (const purpose of [...this.#pending.keys()]) this.#cancel(purpose);
    const since = this.#loggedInAt;
    if (since !== undefined && this.#timers.now() - since >= this.#limits.stable) this.#failures = 0;
    this.#loggedInAt = undefined;
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.onerror = () => undefined;
    socket.close();
  }

  #wait(purpose: 'answer' | 'heartbeat' | 'life' | 'retry', milliseconds: number, action: () => void): void {
    this.#cancel(purpose);
    const cancel = this.#timers.after(milliseconds, () => {
      this.#pending.delete(purpose);
      action();
    });
    this.#pending.set(purpose, cancel);
  }

  #cancel(purpose: 'answer' | 'heartbeat' | 'life' | 'retry'): void {
    this.#pending.get(purpose)?.();
    this.#pending.delete(purpose);
  }
}
