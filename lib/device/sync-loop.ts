/** Runs syncs one at a time: a request during one causes one more, and a failed one is tried again. */
import { type BackoffLimits, backoff, DEFAULT_BACKOFF, type Timers } from './timers.ts';

/** What a loop needs. */
export interface SyncLoopOptions {
  sync(): Promise<void>;
  /**
   * Told of every failure.
   *
   * @returns the least time to wait before the next try, milliseconds; or 'stop' if trying again is useless
   */
  onFailure(error: unknown): number | 'stop';
  timers: Timers;
  backoff?: BackoffLimits | undefined;
}

/** Asks for syncs. */
export interface SyncLoop {
  /** Makes sure that a sync starts after this call, soon. */
  request(): void;
  /** Starts no more syncs. Resolves when the one under way has ended. */
  stop(): Promise<void>;
}

/** Creates a loop at rest. */
export function createSyncLoop({ sync, onFailure, timers, ...options }: SyncLoopOptions): SyncLoop {
  let busy = false;
  /** The sync under way, or the last one. */
  let running = Promise.resolve();
  /** There was a request after the sync under way began: it may have read before what the request is about. */
  let dirty = false;
  let stopped = false;
  let failures = 0;
  let cancelRetry: (() => void) | undefined;
  /** The server asked not to be called before this. Unix milliseconds. */
  let notBefore = 0;

  async function run(): Promise<void> {
    busy = true;
    try {
      do {
        dirty = false;
        await sync();
        failures = 0;
      } while (dirty && !stopped);
    } catch (error) {
      const least = onFailure(error);
      if (least === 'stop') stopped = true;
      if (least !== 'stop' && !stopped) {
        retryIn(Math.max(least, backoff(failures++, timers, options.backoff ?? DEFAULT_BACKOFF)), least);
      }
    } finally {
      // In the same step as the last look at `dirty`: a request comes either before it, or starts a sync.
      busy = false;
    }
  }

  function retryIn(milliseconds: number, least: number): void {
    notBefore = timers.now() + least;
    cancelRetry = timers.after(milliseconds, () => {
      cancelRetry = undefined;
      start();
    });
  }

  function start(): void {
    if (stopped) return;
    cancelRetry?.();
    cancelRetry = undefined;
    running = run();
  }

  return {
    request() {
      if (busy) dirty = true;
      // A waiting retry would do, but news is a reason to try at once; unless the server asked for patience.
      else if (!cancelRetry || timers.now() >= notBefore) start();
    },
    async stop() {
      stopped = true;
      cancelRetry?.();
      cancelRetry = undefined;
      await running;
    },
  };
}
