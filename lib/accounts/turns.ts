import { randomUUID } from 'node:crypto';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { Refusal } from '../refusal.ts';
import { type Clock, isConditionFailure, seconds, type Table } from '../storage/table.ts';
import { type Account, findAccount } from './account.ts';
import { accountKey } from './directory.ts';
import { badSecret } from './refusals.ts';
import { isOpen, type Session } from './sessions.ts';
import type { ThrottleLog } from './throttles.ts';

/** How long a turn lasts that nobody ends: longer than a function of the API runs. Seconds. */
const TURN_SECONDS = 30;

/**
 * One at a time ends the other sessions of an account.
 *
 * Two sessions that ended each other at once would both be told that it worked, and both be over. So a request that ends
 * others takes a turn first, which is one conditional write of the account's item, and then looks whether its own session
 * is still there. A request that gets no turn is refused and has ended nothing. A turn ends with what it was for; after a
 * death it ends by itself, when nothing that was done in it can still be under way.
 */
export class Turns {
  readonly #table: Table;
  readonly #clock: Clock;
  readonly #log: ThrottleLog;

  constructor(table: Table, clock: Clock, log: ThrottleLog) {
    this.#table = table;
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Does something in a turn.
   *
   * @param account as it was read: only as long as its password and second factor are the same
   * @param work is given the turn's id, which the account's item has as long as it is its turn
   * @throws Refusal with status 409 if it is another request's turn; or naming `secret` if the session has ended
   */
  async take<T>(session: Session, account: Account, work: (id: string) => Promise<T>): Promise<T> {
    const id = randomUUID();
    await this.#begin(account, id);
    try {
      if (!(await isOpen(this.#table, session))) throw badSecret();
      return await work(id);
    } finally {
      await this.#end(account, id);
    }
  }

  async #begin(account: Account, id: string): Promise<void> {
    const now = seconds(this.#clock);
    const { condition, values } = asItWas(account);
    try {
      await this.#table.client.send(
        new UpdateCommand({
          TableName: this.#table.name,
          Key: accountKey(account.email),
          UpdateExpression: 'SET turn = :turn',
          ConditionExpression: `${condition} AND (attribute_not_exists(turn) OR turn.#until <= :now)`,
          ExpressionAttributeNames: { '#until': 'until' },
          ExpressionAttributeValues: { ...values, ':turn': { id, until: now + TURN_SECONDS }, ':now': now },
        }),
      );
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
      // It may be ours: of a write whose answer was lost, the SDK's repeat fails.
      if ((await findAccount(this.#table, account.email))?.turn?.id !== id) throw atTheSameTime();
    }
  }

  /** What was done in it is done: a turn that cannot be ended ends by itself. */
  async #end({ email }: Account, id: string): Promise<void> {
    try {
      await this.#table.client.send(
        new UpdateCommand({
          TableName: this.#table.name,
          Key: accountKey(email),
          UpdateExpression: 'REMOVE turn',
          ConditionExpression: 'turn.id = :id',
          ExpressionAttributeValues: { ':id': id },
        }),
      );
    } catch (error) {
      if (!isConditionFailure(error)) this.#log('a turn could not be ended', { error: String(error) });
    }
  }
}

/** The condition that an account's password and second factor are what they were when they were proved. */
export function asItWas({ password, twofaNonce }: Account): {
  condition: string;
  values: Record<string, unknown>;
} {
  const factor = twofaNonce === undefined ? 'attribute_not_exists(twofaNonce)' : 'twofaNonce = :asNonce';
  return {
    condition: `password = :asPassword AND attribute_not_exists(deleting) AND ${factor}`,
    values: { ':asPassword': password, ...(twofaNonce !== undefined && { ':asNonce': twofaNonce }) },
  };
}

/** The refusal of what another change has overtaken. */
export function atTheSameTime(): Refusal {
  return new Refusal({ field: 'password', reason: 'was changed at the same time, try again' }, 409);
}
