import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { Refusal } from '../refusal.ts';
import { type Clock, isConditionFailure, seconds, type Table } from '../storage/table.ts';
import { countKey } from './directory.ts';
import { hashSecret } from './keys.ts';

/** How often something may be done. */
export interface Throttle {
  /** So many within a window. */
  most: number;
  /** Length of the window. */
  seconds: number;
  /** What happens when it cannot be counted: the attempt goes on (`open`), or fails as a server's error (`closed`). */
  onFault: 'closed' | 'open';
}

const MINUTES = 60;
const HOURS = 60 * MINUTES;

/**
 * All throttles. Each counts attempts by a subject (an account, an address, both); attempts that succeed are given
 * back, so that of logins only the failures count.
 *
 * Nobody can lock an account's owner out for good by failing on purpose:
 *
 * - what stops a guesser first is counted by account _and_ address, and touches nobody elsewhere;
 * - the limit of an account over all addresses, which takes ten addresses to reach, does not apply at addresses where
 *   the account logged in within 30 days, and ends with the hour;
 * - what is asked within a session has counts of its own, which only who has a session of the account can use up;
 * - codes are counted only behind the right password;
 * - sessions that are open go on, whatever the counts are.
 *
 * Windows are fixed, so at the border of two twice as much may be done: the limits are meant with that in them.
 */
export const THROTTLES = {
  /** Failed logins to an account from an address; password checks within a session count here, too. */
  login: { most: 10, seconds: 15 * MINUTES, onFault: 'open' },
  /** Failed logins from an address, to whatever accounts. An office behind one address stays below it. */
  loginAddress: { most: 100, seconds: 15 * MINUTES, onFault: 'open' },
  /** Failed logins to an account, from addresses that it does not know. */
  loginAccount: { most: 100, seconds: HOURS, onFault: 'open' },
  /** Wrong codes of an account at login: three of a million are right at a time, so a year of guessing finds one in four. */
  loginCode: { most: 10, seconds: HOURS, onFault: 'closed' },
  /** Wrong passwords and codes within an account's sessions: who has stolen a session must not guess the rest. */
  session: { most: 10, seconds: 15 * MINUTES, onFault: 'closed' },
  /** Test messages of an account: in place of the limit that apps have. */
  test: { most: 30, seconds: 15 * MINUTES, onFault: 'open' },
  /** Sounds and icons that an account uploads: each is kept in S3, icons for good. */
  upload: { most: 60, seconds: HOURS, onFault: 'open' },
  /** Sign-ups from an address. The number is the deployment's (`registrationsPerHour`). */
  signUpAddress: { most: 20, seconds: HOURS, onFault: 'open' },
  /** Sign-ups altogether: what a flood from many addresses can leave behind. */
  signUp: { most: 1_000, seconds: HOURS, onFault: 'open' },
} as const satisfies Record<string, Throttle>;

export type ThrottleName = keyof typeof THROTTLES;

/** What is logged when something cannot be counted. */
export type ThrottleLog = (message: string, fields: Record<string, unknown>) => void;

/** An attempt that was counted: where, so that it can be given back. Absent: it could not be counted. */
export type Taken = { pk: string; sk: string } | undefined;

/**
 * Counts in the Directory: an item for each throttle, subject and window, which DynamoDB purges some time after the
 * window. Subjects are hashed: neither e-mail nor network addresses are kept.
 *
 * An attempt is counted before it is made, by one conditional write, so no more get through than the throttle says
 * however many come at once. What dies in between, and a write that the SDK repeats, count as failed attempts.
 */
export class Throttles {
  readonly #table: Table;
  readonly #clock: Clock;
  readonly #log: ThrottleLog;
  readonly #most: Partial<Record<ThrottleName, number>>;

  /** @param most limits in place of the table's */
  constructor(
    table: Table,
    clock: Clock,
    log: ThrottleLog,
    most: Partial<Record<ThrottleName, number>> = {},
  ) {
    this.#table = table;
    this.#clock = clock;
    this.#log = log;
    this.#most = most;
  }

  /**
   * Counts an attempt.
   *
   * @param field the parameter to name when it is one too many
   * @throws Refusal with status 429
   */
  async take(name: ThrottleName, subject: string, field: string): Promise<Taken> {
    const { seconds: length, onFault } = THROTTLES[name];
    const now = seconds(this.#clock);
    const window = Math.floor(now / length);
    const end = (window + 1) * length;
    const Key = countKey(name, hashSecret(subject), window);
    try {
      await this.#table.client.send(
        new UpdateCommand({
          TableName: this.#table.name,
          Key,
          UpdateExpression: 'SET #ttl = :ttl ADD attempts :one',
          ConditionExpression: 'attribute_not_exists(attempts) OR attempts < :most',
          ExpressionAttributeNames: { '#ttl': 'ttl' },
          ExpressionAttributeValues: {
            ':one': 1,
            ':ttl': end,
            ':most': this.#most[name] ?? THROTTLES[name].most,
          },
        }),
      );
      return Key;
    } catch (error) {
      if (isConditionFailure(error)) throw tooMany(field, end - now);
      if (onFault === 'closed') throw error;
      this.#log('an attempt could not be counted', { throttle: name, error: String(error) });
      return undefined;
    }
  }

  /** Gives attempts back. What cannot be given back counts until the window ends. */
  async giveBack(all: Taken[]): Promise<void> {
    const results = await Promise.allSettled(
      all.map(async (Key) => {
        if (!Key) return;
        await this.#table.client.send(
          new UpdateCommand({
            TableName: this.#table.name,
            Key,
            UpdateExpression: 'ADD attempts :minus',
            // An item that was purged meanwhile must not come again, below zero and without an end.
            ConditionExpression: 'attempts > :zero',
            ExpressionAttributeValues: { ':minus': -1, ':zero': 0 },
          }),
        );
      }),
    );
    for (const result of results) {
      if (result.status === 'rejected' && !isConditionFailure(result.reason))
        this.#log('an attempt could not be given back', { error: String(result.reason) });
    }
  }
}

/** The refusal of one attempt too many. */
function tooMany(field: string, retryAfter: number): Refusal {
  const minutes = Math.ceil(retryAfter / 60);
  const sentence = `too many attempts, try again in ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}`;
  return new Refusal({ field, reason: 'was tried too often', sentence }, 429, {
    'Retry-After': String(retryAfter),
  });
}
