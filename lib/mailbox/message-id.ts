import { randomInt } from 'node:crypto';
import type { Clock } from '../storage/table.ts';

/** 2026-01-01T00:00:00Z in Unix milliseconds. 41 bits of milliseconds from here reach into 2095. */
const EPOCH = 1_767_225_600_000;
/** Ids within one millisecond. */
const PER_MILLISECOND = 4096;

/**
 * A source of message ids: integers under 2^53 (exact in JavaScript and in a double), ordered by time: the
 * millisecond since 2026 times 4,096 plus a random start. Ascending within one source; two sources may meet in one
 * id, which the mailbox's conditional write notices for the device concerned.
 */
export function messageIds(clock: Clock): () => number {
  let last = 0;
  return () => {
    const now = (clock() - EPOCH) * PER_MILLISECOND;
    last = Math.max(now + randomInt(PER_MILLISECOND), last + 1);
    return last;
  };
}

/** The lowest id that a message of this time may have. @param time Unix milliseconds */
export const firstIdAt = (time: number): number => Math.max(0, (time - EPOCH) * PER_MILLISECOND);
