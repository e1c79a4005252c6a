import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { quotaKey } from '../accounts/directory.ts';
import { Refusal } from '../refusal.ts';
import { batchGet } from '../storage/batches.ts';
import { LeftBehind } from '../storage/left-behind.ts';
import { isConditionFailure, type Table } from '../storage/table.ts';
import { type Allowance, dayOf, limitHeaders, monthOf, nextMonth } from './limits.ts';

/** What the quota is kept with. */
export interface QuotaContext {
  directory: Table;
  /** The same table, for writes that are tried once. */
  withoutRetries: Table;
  /** Users whom an account's messages may reach in a month; 0 for no quota. */
  limit: number;
  log(level: 'warn', message: string, fields: Record<string, unknown>): void;
}

/** What a message takes. */
export interface Spending {
  /** User key of the account whose app sends. */
  owner: string;
  /** How many users it reaches. */
  users: number;
  /** Unix milliseconds; says the month. */
  at: number;
  /** The account's own limit, in place of what all have. */
  limit?: number | undefined;
  /** It may have been answered before: it is counted, but not refused. */
  again?: boolean;
}

/** How long a month's counts are kept after its end: those of its days are shown for 30 days. Seconds. */
const KEPT_SECONDS = 35 * 24 * 3600;

/**
 * The monthly quota of accounts: a message counts 1 for each user whom it reaches, over all apps of the account that
 * owns the sending one.
 *
 * An item an account and month holds the count, and beside it those of its days, which the account may look at. Where
 * there is a quota, the count is raised under the condition that it stays within the limit, before
 * anything of the message is stored: of any number at once exactly as many are let through as are left, and each is
 * told by its own write what is left after it. A message that reaches more users than are left is refused as a whole.
 *
 * **The count errs upwards.** Where it is not exact, it is too high, and the account gets less:
 *
 * - Who dies after counting has counted for nothing. Who gets no answer and repeats counts again, with an idempotency
 *   key too: the claim that it takes over does not say how far the first came.
 * - A raise whose answer was lost is repeated by the SDK, and counts twice. Just below the limit the repeat is refused
 *   although the first raised.
 * - When accepting fails, what was counted is given back in a single try that is never repeated: done twice it would
 *   give back what others have spent. If that try fails, the count stays; so it does if anything that was stored could
 *   not be withdrawn, since it may reach somebody.
 *
 * The other way it errs only where a request dies before it has counted, and the one that takes over its claim fails:
 * that gives back what it has counted, but withdraws nothing, since the first may have been answered.
 *
 * Beyond the limit only a message goes that may have been answered already, when it is done again.
 *
 * Where there is no quota, or the account is exempt from it, the same is counted, for whoever looks and for nothing else: beside storing the message, in a
 * single try, and a message goes its way whether it could be counted or not.
 */
export class Quota {
  readonly #context: QuotaContext;

  constructor(context: QuotaContext) {
    this.#context = context;
  }

  /**
   * Does what sends a message, for the price of its users.
   *
   * @returns what the work gives, and, where there is a quota, what is left after it
   * @throws Refusal (429) if more is needed than is left; the work is not begun then
   * @throws whatever the work throws
   */
  async spend<T extends object>(
    spending: Spending,
    work: () => Promise<T>,
  ): Promise<T & { allowance?: Allowance }> {
    if (this.#limitOf(spending) === 0) return this.#beside(spending, work);
    const allowance = await this.#take(spending);
    try {
      return { ...(await work()), allowance };
    } catch (error) {
      if (!(error instanceof LeftBehind)) await this.#giveBack(spending);
      throw error;
    }
  }

  #limitOf({ limit = this.#context.limit }: Spending): number {
    return limit;
  }

  /** Does the work and counts meanwhile. */
  async #beside<T>(spending: Spending, work: () => Promise<T>): Promise<T> {
    const counted = this.#count(spending);
    try {
      return await work();
    } catch (error) {
      if ((await counted) && !(error instanceof LeftBehind)) await this.#giveBack(spending);
      throw error;
    } finally {
      await counted;
    }
  }

  /** Tries once. @returns whether it is known to be counted */
  async #count(spending: Spending): Promise<boolean> {
    const { withoutRetries, log } = this.#context;
    try {
      await withoutRetries.client.send(new UpdateCommand(raise(withoutRetries, spending)));
      return true;
    } catch (error) {
      log('warn', 'a message is not counted', { users: spending.users, error: String(error) });
      return false;
    }
  }

  async #take(spending: Spending): Promise<Allowance> {
    const { users, again = false } = spending;
    const { directory } = this.#context;
    const limit = this.#limitOf(spending);
    if (users > limit && !again) throw await this.#spent(spending);
    const plain = raise(directory, spending);
    try {
      const { Attributes } = await directory.client.send(
        new UpdateCommand({
          ...plain,
          ...(!again && {
            ConditionExpression: 'attribute_not_exists(used) OR used <= :most',
            ExpressionAttributeValues: { ...plain.ExpressionAttributeValues, ':most': limit - users },
          }),
          ReturnValues: 'UPDATED_NEW',
        }),
      );
      return { limit, remaining: Math.max(0, limit - Attributes!.used) };
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
      throw await this.#spent(spending);
    }
  }

  /** Tries once. That it failed is logged; what the sender must hear of is why the message was not accepted. */
  async #giveBack({ owner, users, at }: Spending): Promise<void> {
    const { withoutRetries, log } = this.#context;
    try {
      await withoutRetries.client.send(
        new UpdateCommand({
          TableName: withoutRetries.name,
          Key: quotaKey(owner, monthOf(at)),
          UpdateExpression: 'ADD #day :back, used :back',
          ConditionExpression: 'used >= :users',
          ExpressionAttributeNames: { '#day': dayOf(at) },
          ExpressionAttributeValues: { ':back': -users, ':users': users },
        }),
      );
    } catch (error) {
      log('warn', 'a failed message stays counted', { users, error: String(error) });
    }
  }

  async #spent(spending: Spending): Promise<Refusal> {
    const { owner, users, at } = spending;
    const { directory } = this.#context;
    const limit = this.#limitOf(spending);
    const remaining = await remainingOf(directory, owner, at, limit);
    const sentence = `application is out of messages for this month: ${users} needed, ${remaining} of ${limit} left`;
    const fault = { field: 'token', reason: 'is out of messages for this month', sentence };
    return new Refusal(fault, 429, limitHeaders(at, { limit, remaining }));
  }
}

/** The update that raises the counts of a month and of a day. One write unit: with all its days, the item is below 1 KB. */
function raise({ name: TableName }: Table, { owner, users, at }: Spending) {
  return {
    TableName,
    Key: quotaKey(owner, monthOf(at)),
    UpdateExpression: 'SET #ttl = :ttl ADD #day :users, used :users',
    ExpressionAttributeNames: { '#ttl': 'ttl', '#day': dayOf(at) },
    ExpressionAttributeValues: { ':users': users, ':ttl': nextMonth(at) + KEPT_SECONDS },
  };
}

/**
 * What an account has left, for one read.
 *
 * @param limit of a month; 0 for no quota
 * @returns undefined, and nothing is read, without a quota
 */
export async function allowanceOf(
  directory: Table,
  owner: string,
  at: number,
  limit: number,
): Promise<Allowance | undefined> {
  return limit === 0 ? undefined : { limit, remaining: await remainingOf(directory, owner, at, limit) };
}

async function remainingOf(directory: Table, owner: string, at: number, limit: number): Promise<number> {
  const keys = [quotaKey(owner, monthOf(at))];
  const [items] = await batchGet([{ table: directory, keys, consistent: true }]);
  return Math.max(0, limit - ((items![0]?.used ?? 0) as number));
}
