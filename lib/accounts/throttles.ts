import { randomInt } from 'node:crypto';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { Refusal } from '../refusal.ts';
import { type Clock, isConditionFailure, isThrottled, seconds, type Table } from '../storage/table.ts';
import { countKey } from './directory.ts';
import type { HashOf } from './keyed-hash.ts';

/** How often something may be done. */
export interface Throttle {
  /** So many within a window. */
  most: number;
  /** Length of the window. */
  seconds: number;
  /** What happens when it cannot be counted: the attempt goes on (`open`), or fails as a server's error (`closed`). */
  onFault: 'closed' | 'open';
  /**
   * What happens when DynamoDB is asked to count too often, which says by itself that there are too many: the attempt is
   * refused like one too many (`closed`), but for addresses that the account knows (`known`).
   */
  onOverload: 'closed' | 'known';
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
 *   the account logged in within 30 days, and ends with the hour; nor does it when the count itself is overloaded;
 * - what is asked within a session has counts of its own, which only who has a session of the account can use up;
 * - codes are counted only behind the right password;
 * - sessions that are open go on, whatever the counts are.
 *
 * Windows are fixed, so at the border of two twice as much may be done: the limits are meant with that in them.
 */
export const THROTTLES = {
  /** Failed logins to an account from an address; password checks within a session count here, too. */
  login: { most: 10, seconds: 15 * MINUTES, onFault: 'open', onOverload: 'closed' },
  /** Failed logins from an address, to whatever accounts. An office behind one address stays below it. */
  loginAddress: { most: 100, seconds: 15 * MINUTES, onFault: 'open', onOverload: 'closed' },
  /** Failed logins to an account, from addresses that it does not know. */
  loginAccount: { most: 100, seconds: HOURS, onFault: 'open', onOverload: 'known' },
  /** Wrong codes of an account at login: three of a million are right at a time, so a year of guessing finds one in four. */
  loginCode: { most: 10, seconds: HOURS, onFault: 'closed', onOverload: 'closed' },
  /** Wrong passwords and codes within an account's sessions: who has stolen a session must not guess the rest. */
  session: { most: 10, seconds: 15 * MINUTES, onFault: 'closed', onOverload: 'closed' },
  /** Test messages of an account: in place of the limit that apps have. */
  test: { most: 30, seconds: 15 * MINUTES, onFault: 'open', onOverload: 'closed' },
  /** Sounds and icons that an account uploads: each is kept in S3, icons for good. */
  upload: { most: 60, seconds: HOURS, onFault: 'open', onOverload: 'closed' },
  /** Sign-ups from an address. The number is the deployment's (`registrationsPerHour`). */
  signUpAddress: { most: 20, seconds: HOURS, onFault: 'open', onOverload: 'closed' },
  /** Sign-ups altogether: what a flood from many addresses can leave behind. */
  signUp: { most: 1_000, seconds: HOURS, onFault: 'open', onOverload: 'closed' },
  /**
   * Sign-ups from an address that were told that an e-mail address has an account. Peal sends no mail, so it can neither
   * hide that nor ask whose the address is; it slows down those who ask. Closed, since it guards what others may know.
   */
  signUpTakenAddress: { most: 5, seconds: HOURS, onFault: 'closed', onOverload: 'closed' },
  /** The same altogether: what many addresses can learn. It takes nobody's sign-up away for longer than an hour. */
  signUpTaken: { most: 100, seconds: HOURS, onFault: 'closed', onOverload: 'closed' },
} as const satisfies Record<string, Throttle>;

export type ThrottleName = keyof typeof THROTTLES;

/** What is logged when something cannot be counted. */
export type ThrottleLog = (message: string, fields: Record<string, unknown>) => void;

/** An attempt that was counted: where, so that it can be given back. Absent: it could not be counted. */
export type Taken = { pk: string; sk: string } | undefined;

/** Counts beside the first that an attempt may go to when DynamoDB does not take it there. */
const SPARES = 8;
/** When an attempt may be repeated that nobody could count for their number. Seconds. */
const OVERLOAD_SECONDS = 60;

/**
 * Counts in the Directory: an item for each throttle, subject and window, which DynamoDB purges some time after the
 * window. Subjects are hashed under a key: neither e-mail nor network addresses can be found in them.
 *
 * DynamoDB takes a thousand writes a second on one item, so a guesser with enough addresses can have any more refused, and
 * must not get in by that. What the first count does not take goes to a spare one, by chance one of eight, each with the
 * same limit and a partition of its own: that lets through those who only share a busy partition, and a guesser nine times the
 * limit. What that does not take either is one too many, as no limit is near a thousand a second.
 *
 * An attempt is counted before it is made, by one conditional write, so no more get through than the throttle says
 * however many come at once. What dies in between, and a write that the SDK repeats, count as failed attempts.
 */
export class Throttles {
  readonly #table: Table;
  readonly #clock: Clock;
  readonly #log: ThrottleLog;
  readonly #hash: HashOf;
  readonly #most: Partial<Record<ThrottleName, number>>;

  /**
   * @param hash of subjects
   * @param most limits in place of the table's
   */
  constructor(
    table: Table,
    clock: Clock,
    log: ThrottleLog,
    hash: HashOf,
    most: Partial<Record<ThrottleName, number>> = {},
  ) {
    this.#table = table;
    this.#clock = clock;
    this.#log = log;
    this.#hash = hash;
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
    try {
      const hash = await this.#hash(subject);
      for (const spare of [0, randomInt(1, SPARES + 1)]) {
        const Key = countKey(name, hash, window, spare);
        try {
          await this.#count(Key, end, this.#most[name] ?? THROTTLES[name].most);
          return Key;
        } catch (error) {
          if (isConditionFailure(error)) throw tooMany(field, end - now);
          if (!isThrottled(error)) throw error;
        }
      }
    } catch (error) {
      if (error instanceof Refusal || onFault === 'closed') throw error;
      this.#log('an attempt could not be counted', { throttle: name, error: String(error) });
      return undefined;
    }
    this.#log('a count is overloaded, the attempt is refused', { throttle: name });
    throw tooMany(field, OVERLOAD_SECONDS);
  }

  /** @throws ConditionalCheckFailedException when it was one too many */
  async #count(Key: ReturnType<typeof countKey>, end: number, most: number): Promise<void> {
    await this.#table.client.send(
      new UpdateCommand({
        TableName: this.#table.name,
        Key,
        UpdateExpression: 'SET #ttl = :ttl ADD attempts :one',
        ConditionExpression: 'attribute_not_exists(attempts) OR attempts < :most',
        ExpressionAttributeNames: { '#ttl': 'ttl' },
        ExpressionAttributeValues: { ':one': 1, ':ttl': end, ':most': most },
      }),
    );
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
