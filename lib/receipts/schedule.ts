/** When an emergency message is repeated. All of it is counted from the acceptance, so nothing adds up over hours. */

/** Most repetitions of one message (Pushover's rule). */
export const MAX_REPETITIONS = 50;

/** What the times of the repetitions follow from. */
export interface Schedule {
  /** When the message was accepted, Unix milliseconds. */
  acceptedAt: number;
  /** Seconds between repetitions. */
  retry: number;
  /** When it stops asking to be acknowledged, Unix seconds. */
  expiresAt: number;
}

/** When repetition `n` (from 1) is due, Unix milliseconds. */
export function dueAt({ acceptedAt, retry }: Schedule, n: number): number {
  return acceptedAt + n * retry * 1000;
}

/** How many repetitions there are: all that are due before the expiry, and at most fifty. */
export function repetitions({ acceptedAt, retry, expiresAt }: Schedule): number {
  const before = Math.ceil((expiresAt * 1000 - acceptedAt) / (retry * 1000)) - 1;
  return Math.max(0, Math.min(MAX_REPETITIONS, before));
}

/** The latest repetition that is due at a time; 0 if none is yet. */
export function latestDue(schedule: Schedule, now: number): number {
  const passed = Math.floor((now - schedule.acceptedAt) / (schedule.retry * 1000));
  return Math.max(0, Math.min(repetitions(schedule), passed));
}

/**
 * When a chain wakes for step `n`: for its repetitions when they are due, and once more when the receipt has expired,
 * to see to what was left undone. Undefined: the chain has ended.
 */
export function wakeAt(schedule: Schedule, n: number): number | undefined {
  const last = repetitions(schedule);
  if (n <= last) return dueAt(schedule, n);
  return n === last + 1 ? schedule.expiresAt * 1000 : undefined;
}
