import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Sent } from '../accounts/app-token.ts';
import { tokenKey } from '../accounts/directory.ts';
import { hashSecret } from '../accounts/keys.ts';
import { Refusal } from '../refusal.ts';
import { batchGet } from '../storage/batches.ts';
import { type Clock, isConditionFailure, type Table } from '../storage/table.ts';

/** What the burst limit is kept with. */
export interface BurstContext {
  directory: Table;
  /** Messages a minute and app; 0 for no limit. */
  limit: number;
  clock: Clock;
  /** From 0 to below 1. */
  random(): number;
  log(level: 'warn', message: string, fields: Record<string, unknown>): void;
}

const MINUTE = 60_000;

/** Writes that counting a full minute takes, about. A count of random steps is off by a tenth then (1/√100). */
const STEPS = 100;

/** Tries at a count that others change at the same time: the first of a minute, and then one that adds. */
const TRIES = 3;

/**
 * How long an app has to wait that has sent so much. Minutes are those of the clock.
 *
 * @param now Unix milliseconds
 * @returns seconds, at least 1; 0 if it need not
 */
export function waitOf(sent: Sent | undefined, limit: number, now: number): number {
  const minute = Math.floor(now / MINUTE);
  if (sent?.minute !== minute || sent.count < limit) return 0;
  return Math.ceil(((minute + 1) * MINUTE - now) / 1000);
}

/**
 * The burst limit: an app that runs wild is stopped within the minute, before it has filled its users' devices.
 *
 * The count is in the token's item, which sending reads anyway; so refusing costs nothing more. It is written for one
 * message in k only, chosen at random, and then raised by k, where k is a hundredth of the limit: at 1,200 a minute a
 * twelfth of a write unit a message, and a count that is right on average and mostly within a tenth. Up to 199 a minute
 * every message is counted, by a write under the condition that the limit is not reached: exact, however many come at
 * once.
 *
 * What makes it safe: every write has the condition that the token's item is there as it was read, so a token that was
 * taken away meanwhile does not come back as a counter. A write whose answer was lost may count twice. Where counting
 * fails, the message goes through: the limit guards against accidents, and must not be one. Two Lambdas whose clocks
 * differ may begin a minute twice, which lets a little more through.
 *
 * A new token begins with nothing counted. Rotating takes the owner's session, and ends the old token; who can do that
 * can also make more apps. What bounds an account is its quota.
 */
export class BurstLimit {
  readonly #context: BurstContext;
  readonly #step: number;

  constructor(context: BurstContext) {
    this.#context = context;
    this.#step = Math.max(1, Math.floor(context.limit / STEPS));
  }

  /**
   * Lets a message pass, and counts it.
   *
   * @param token as given, of an app that was found
   * @param sent what was read of it
   * @throws Refusal (429) with `Retry-After`
   */
  async pass(token: string, sent: Sent | undefined): Promise<void> {
    const { limit, random, log } = this.#context;
    if (limit === 0) return;
    this.#check(sent);
    if (random() * this.#step >= 1) return;
    try {
      await this.#count(tokenKey(hashSecret(token)), sent);
    } catch (error) {
      if (error instanceof Refusal) throw error;
      log('warn', 'a message was not counted for the burst limit', { error: String(error) });
    }
  }

  #check(sent: Sent | undefined): void {
    const { limit, clock } = this.#context;
    const wait = waitOf(sent, limit, clock());
    if (wait === 0) return;
    const sentence = `application sends more than ${limit} messages a minute, try again in ${wait} s`;
    throw new Refusal({ field: 'token', reason: 'sends too fast', sentence }, 429, {
      'Retry-After': String(wait),
    });
  }

  async #count(key: ReturnType<typeof tokenKey>, read: Sent | undefined): Promise<void> {
    const { directory } = this.#context;
    let sent = read;
    for (let tries = 0; tries < TRIES; tries++) {
      if (await this.#write(key, sent)) return;
      const [items] = await batchGet([{ table: directory, keys: [key], consistent: true }]);
      // Rotated or deleted meanwhile: it was good when the message came.
      if (items!.length === 0) return;
      sent = items![0]!.sent as Sent | undefined;
      this.#check(sent);
    }
    throw new Error('others were faster');
  }

  /** Raises the count of this minute, or begins it. @returns whether the item was still as it was read */
  async #write(key: ReturnType<typeof tokenKey>, sent: Sent | undefined): Promise<boolean> {
    const { directory, limit, clock } = this.#context;
    const minute = Math.floor(clock() / MINUTE);
    const ofThisMinute = sent?.minute === minute;
    const change = ofThisMinute
      ? {
          UpdateExpression: 'SET sent.#count = sent.#count + :step',
          ConditionExpression: 'sent.#minute = :minute AND sent.#count < :limit',
          ExpressionAttributeNames: { '#minute': 'minute', '#count': 'count' },
          ExpressionAttributeValues: { ':step': this.#step, ':minute': minute, ':limit': limit },
        }
      : {
          UpdateExpression: 'SET sent = :sent',
          ...(sent
            ? {
                ConditionExpression: 'sent.#minute = :before',
                ExpressionAttributeNames: { '#minute': 'minute' },
              }
            : { ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(sent)' }),
          ExpressionAttributeValues: {
            ':sent': { minute, count: this.#step },
            ...(sent && { ':before': sent.minute }),
          },
        };
    try {
      await directory.client.send(new UpdateCommand({ TableName: directory.name, Key: key, ...change }));
      return true;
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
      return false;
    }
  }
}
