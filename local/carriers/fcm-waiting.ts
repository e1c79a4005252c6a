/** What waits at FCM for Android devices that are away (Firebase, "Non-collapsible and collapsible messages"). */

import type { Received } from './types.ts';

/** Different collapse keys that are kept for a device; which of more, Firebase does not say. Here the latest. */
const MAX_KEYS = 4;
/** Messages without a collapse key. One more, and all of them are dropped. */
const MAX_WITHOUT = 100;

/** What a device gets when it returns. */
export interface Returned {
  /** The oldest first. */
  messages: Received[];
  /** Whether its app is told that messages were deleted: `onDeletedMessages`. */
  deleted: boolean;
}

export class FcmWaiting {
  readonly #now: () => number;
  readonly #away = new Map<string, Returned>();

  /** @param now wall clock in milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** From now on the device cannot be reached. */
  leave(target: string): void {
    this.#away.set(target, { messages: [], deleted: false });
  }

  /** Keeps a message if its device is away. */
  keep(received: Received): void {
    const waiting = this.#away.get(received.target);
    if (!waiting) return;
    const key = keyOf(received);
    const others = waiting.messages.filter((other) => key === undefined || keyOf(other) !== key);
    waiting.messages = [...others, received];
    const keyed = waiting.messages.filter((one) => keyOf(one) !== undefined);
    const without = waiting.messages.filter((one) => keyOf(one) === undefined);
    if (keyed.length > MAX_KEYS) waiting.messages = waiting.messages.filter((one) => one !== keyed[0]);
    if (without.length > MAX_WITHOUT) {
      waiting.messages = keyed;
      waiting.deleted = true;
    }
  }

  /** The device is back: hands over what waits for it and has not outlived its `ttl`. */
  return(target: string): Returned {
    const { messages, deleted } = this.#away.get(target) ?? { messages: [], deleted: false };
    this.#away.delete(target);
    return { messages: messages.filter((one) => one.time + lifeOf(one) > this.#now()), deleted };
  }
}

function androidOf({ payload }: Received): Record<string, unknown> {
  return (payload.android ?? {}) as Record<string, unknown>;
}

function keyOf(received: Received): unknown {
  const android = androidOf(received);
  return android.collapse_key ?? android.collapseKey;
}

/** Milliseconds. Default 28 days. */
function lifeOf(received: Received): number {
  return Number.parseFloat(String(androidOf(received).ttl ?? 28 * 24 * 3600)) * 1000;
}
