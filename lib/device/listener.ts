/** A device that listens: store, sync and socket put together. */
import type { PealApi } from './api.ts';
import { PealError, StoreError } from './errors.ts';
import { createInbox, type Inbox, type InboxOptions } from './inbox.ts';
import {
  PealSocket,
  type SocketEnd,
  type SocketLimits,
  type SocketOptions,
  type SocketState,
} from './socket.ts';
import { createSyncLoop, type SyncLoop } from './sync-loop.ts';
import { type BackoffLimits, systemTimers, type Timers } from './timers.ts';

/** Why a listener ended by itself. `signed-out`: the session or the device is not known any more. */
export type ListenerEnd = SocketEnd | 'signed-out';

/** What a listener needs. */
export interface ListenerOptions extends Omit<InboxOptions, 'now' | 'onError'> {
  /** With or without a secret: the one of the stored identity is used. */
  api: PealApi;
  /** The WebSocket's address. */
  socket: string;
  /** Told of everything that went wrong and will be tried again. */
  onError?: ((error: unknown) => void) | undefined;
  /** It is over, and starting it again without a new login is useless. */
  onEnd?: ((end: ListenerEnd) => void) | undefined;
  onState?: ((state: SocketState) => void) | undefined;
  WebSocket?: SocketOptions['WebSocket'];
  timers?: Timers | undefined;
  limits?: Partial<SocketLimits> | undefined;
  /** How long a failed sync waits. */
  retry?: BackoffLimits | undefined;
}

/** A running or stopped listener. */
export interface Listener {
  readonly inbox: Inbox;
  /**
   * Shows what an earlier run stored and did not show, then connects and syncs whenever there is something.
   *
   * @throws StoreError if the store has no identity, or is not usable
   */
  start(): Promise<void>;
  /** Resolves when nothing is under way any more; then the store may be closed. */
  stop(): Promise<void>;
  /** Syncs now, beside what the socket says. */
  sync(): void;
  /** The network may be back: connects now, or checks the connection. */
  nudge(): void;
}

/** The longest that setTimeout waits (2^31 − 1 ms); a longer wait is done in parts. */
const LONGEST_WAIT = 2 ** 31 - 1;

/**
 * Creates a listener.
 *
 * @example
 * const listener = createListener({ api, socket: 'wss://…/push', store, onMessage: (message) => print(message) });
 * await listener.start();
 */
export function createListener(options: ListenerOptions): Listener {
  const { api, store, onError, onEnd } = options;
  const timers = options.timers ?? systemTimers;
  const inbox = createInbox({ ...options, now: () => timers.now(), onError: (error) => onError?.(error) });
  let running: { socket: PealSocket; loop: SyncLoop } | undefined;
  /** When the last sync of the run before has ended. */
  let ended = Promise.resolve();
  let cancelExpiry: (() => void) | undefined;

  async function removeExpired(): Promise<void> {
    const next = await inbox.removeExpired();
    cancelExpiry?.();
    cancelExpiry = undefined;
    if (next === undefined || !running) return;
    const wait = Math.min(Math.max(next * 1000 - timers.now(), 0), LONGEST_WAIT);
    cancelExpiry = timers.after(wait, () => {
      removeExpired().catch((error: unknown) => onError?.(error));
    });
  }

  function onFailure(error: unknown): number | 'stop' {
    if (error instanceof PealError && error.signedOut) {
      end('signed-out');
      return 'stop';
    }
    onError?.(error);
    return error instanceof PealError ? (error.retryAfter ?? 0) * 1000 : 0;
  }

  /** @returns when nothing is under way any more, also if it was an earlier call that stopped it */
  function halt(): Promise<void> {
    const stopped = running;
    running = undefined;
    cancelExpiry?.();
    cancelExpiry = undefined;
    stopped?.socket.stop();
    if (stopped) ended = stopped.loop.stop();
    return ended;
  }

  function end(reason: ListenerEnd): void {
    void halt();
    onEnd?.(reason);
  }

  return {
    inbox,
    async start() {
      if (running) return;
      const identity = await store.identity();
      if (!identity) throw new StoreError('this device is not registered; log in and register it first');
      const loggedIn = api.withSecret(identity.secret);
      const loop = createSyncLoop({
        timers,
        backoff: options.retry,
        onFailure,
        sync: async () => {
          await inbox.syncOnce(loggedIn);
          await removeExpired();
        },
      });
      const socket = new PealSocket({
        url: options.socket,
        device: identity.device,
        secret: identity.secret,
        WebSocket: options.WebSocket,
        timers,
        limits: options.limits,
        onSync: () => loop.request(),
        onEnd: (reason) => end(reason),
        onState: (state) => {
          // Where no WebSocket gets through, HTTP may: failed attempts are occasions to ask. Not the first, which may
          // be one that many devices meet in the same moment.
          if (state.state === 'waiting' && state.failures > 1) loop.request();
          options.onState?.(state);
        },
      });
      running = { socket, loop };
      try {
        await inbox.readAgain();
        await removeExpired();
      } catch (error) {
        await halt();
        throw error;
      }
      await inbox.showNew().catch((error: unknown) => onError?.(error));
      if (running?.socket === socket) socket.start();
    },
    stop: halt,
    sync: () => running?.loop.request(),
    nudge: () => running?.socket.nudge(),
  };
}
