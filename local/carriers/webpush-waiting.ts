/** What waits at a push service for browsers that are away. */

import type { Received } from './types.ts';

/** Most messages that wait for one browser; the oldest give way. */
const MAX_WAITING = 100;

export class Waiting {
  readonly #now: () => number;
  readonly #waiting = new Map<string, Received[]>();

  /** @param now wall clock in milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Keeps a message in the place of one that waits under the same topic (RFC 8030, section 5.4). */
  add(received: Received): void {
    const { topic } = received.headers;
    const others = this.#valid(received.target).filter(
      ({ headers }) => topic === undefined || headers.topic !== topic,
    );
    this.#waiting.set(received.target, [...others, received].slice(-MAX_WAITING));
  }

  /** Hands over what waits for an endpoint and has not outlived its TTL, the oldest first. */
  take(endpoint: string): Received[] {
    const found = this.#valid(endpoint);
    this.#waiting.delete(endpoint);
    return found;
  }

  #valid(endpoint: string): Received[] {
    return (this.#waiting.get(endpoint) ?? []).filter(
      ({ time, headers }) => time + Number(headers.ttl) * 1000 > this.#now(),
    );
  }
}
