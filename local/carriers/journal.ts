/** What the stand-ins received and answered, for tests and simulated devices to watch instead of sleeping. */

import { EventEmitter, once } from 'node:events';
import type { Handled, Received } from './types.ts';

interface JournalEvents {
  /** A push was accepted. */
  received: [Received];
  /** A request was answered or dropped. */
  handled: [Handled];
}

/** Most entries that are kept; older ones go, so that a long demo does not fill the memory. */
const MAX_KEPT = 100_000;

export class Journal extends EventEmitter<JournalEvents> {
  #received: Received[] = [];

  /** Everything that was accepted since the last `clear`, in order. */
  get received(): readonly Received[] {
    return this.#received;
  }

  record(entry: Received): void {
    if (this.#received.length >= MAX_KEPT) this.#received.splice(0, MAX_KEPT / 10);
    this.#received.push(entry);
    this.emit('received', entry);
  }

  handled(entry: Handled): void {
    this.emit('handled', entry);
  }

  clear(): void {
    this.#received = [];
  }

  /**
   * Waits until at least `count` pushes were accepted.
   *
   * @param limit longest wait in milliseconds
   * @returns all that were accepted by then, fewer than `count` if the wait ran out
   */
  async waitFor(count: number, limit: number): Promise<readonly Received[]> {
    const signal = AbortSignal.timeout(limit);
    while (this.#received.length < count && !signal.aborted) {
      await once(this, 'received', { signal }).catch((error: Error) => {
        if (error.name !== 'AbortError') throw error;
      });
    }
    return this.#received;
  }
}
