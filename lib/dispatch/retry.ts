import { MAX_DELAY } from '../storage/queue.ts';
import type { DispatchRecord } from './record.ts';

/** For how long a message is tried again, by priority. Seconds since it was accepted. After that it waits for sync. */
const BUDGET = { quiet: 3_600, normal: 6 * 3_600, high: 24 * 3_600 };

/** Longest wait between two tries that we choose ourselves. Seconds; SQS delays by at most 15 minutes. */
const LONGEST = 600;

/**
 * How long to wait before the next try: exponential from 2 seconds with full jitter, so that a carrier that comes
 * back is not met by everybody at once, and never less than the carrier asked for (as far as SQS can delay).
 *
 * @param retryAfter what the carrier asked for, seconds
 * @param now Unix milliseconds
 * @param random 0 ≤ x < 1
 * @returns seconds, or undefined if the message would have expired or its budget would be used up
 */
export function nextDelay(
  record: Pick<DispatchRecord, 'acceptedAt' | 'again' | 'attempt' | 'expiresAt' | 'priority'>,
  retryAfter: number,
  now: number,
  random: () => number = Math.random,
): number | undefined {
  const backoff = Math.min(LONGEST, 2 ** (record.attempt + 1));
  const delay = Math.min(MAX_DELAY, Math.max(retryAfter, Math.ceil(backoff * random())));
  const budget = record.priority > 0 ? BUDGET.high : record.priority < 0 ? BUDGET.quiet : BUDGET.normal;
  const then = now / 1000 + delay;
  // A repetition is the next one's business as soon as that is due.
  const end = Math.min(record.expiresAt, record.again?.until ?? Number.POSITIVE_INFINITY);
  return then < end && then < record.acceptedAt / 1000 + budget ? delay : undefined;
}
