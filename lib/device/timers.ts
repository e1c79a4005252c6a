/** Time and chance as parameters, so that tests need not wait for either. */

/** What waits, and how long it is to be waited. */
export interface Timers {
  /** Unix time in milliseconds. */
  now(): number;
  /** @returns ends the waiting; harmless once it is over */
  after(milliseconds: number, action: () => void): () => void;
  /** 0 ≤ n < 1. */
  random(): number;
}

/** The platform's own clock, timers and Math.random, which is good enough to spread load. */
export const systemTimers: Timers = {
  now: () => Date.now(),
  after: (milliseconds, action) => {
    const timer = setTimeout(action, milliseconds);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};

/** How long to wait before the next attempt. Milliseconds. */
export interface BackoffLimits {
  /** Before the first: at most this. */
  first: number;
  /** At most this, however often it failed. */
  most: number;
}

/** 1 second, doubling, to 5 minutes. */
export const DEFAULT_BACKOFF: BackoffLimits = { first: 1000, most: 300_000 };

/**
 * Exponential backoff with full jitter: anything from nothing to the limit, so that devices that lost the same server
 * in the same moment do not come back in the same moment.
 *
 * @param failures how many attempts have failed before, from 0
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function backoff(failures: number, timers: Timers, limits: BackoffLimits = DEFAULT_BACKOFF): number {
  return Math.floor(timers.random() * Math.min(limits.most, limits.first * 2 ** failures));
}
