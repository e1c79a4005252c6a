import { DeleteCommand, GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { authorize } from '../accounts/app-token.ts';
import type { App } from '../accounts/apps.ts';
import { receiptKey, receiptOfOwnerKey, tagKey } from '../accounts/directory.ts';
import { isKey } from '../accounts/keys.ts';
import { Refusal } from '../refusal.ts';
import { batchGet } from '../storage/batches.ts';
import { kind, newest, unchanged, versioned } from '../storage/schema.ts';
import { settleAll } from '../storage/settle.ts';
import { type Clock, isConditionFailure, seconds, type Table } from '../storage/table.ts';

const RECEIPT = kind('receipt', unchanged);

/** How long a receipt can be asked for (Pushover: one week). Seconds from acceptance. */
export const RECEIPT_SECONDS = 7 * 24 * 3600;

/** The receipt of an emergency message. All times in Unix seconds. */
export interface Receipt {
  receipt: string;
  /** The app that sent it. */
  app: Pick<App, 'id' | 'owner'>;
  /** User keys of the recipients: who may acknowledge it. */
  users: string[];
  /** Until when it asks to be acknowledged; a cancellation brings it forward. */
  expiresAt: number;
  callback?: string;
  tags: string[];
  acknowledged?: Acknowledgement;
  /** When a carrier last accepted the message or a repetition of it. */
  deliveredAt?: number;
  /** The callback is on its queue. */
  callbackQueued?: true;
  calledBackAt?: number;
  /** When it is forgotten. */
  ttl: number;
}

/** Who acknowledged, and when. */
export interface Acknowledgement {
  /** Unix seconds. */
  at: number;
  /** User key. */
  by: string;
  /** Name of the device; empty if the client did not say which. */
  device: string;
}

/**
 * Receipts, in the Directory: an item each, an index item for each tag, and one for the account that sends.
 *
 * Every change is one conditional write, so of two acknowledgements the first wins, and an acknowledgement and a
 * cancellation exclude each other. Every reader filters by `ttl`.
 */
export class Receipts {
  readonly #table: Table;
  readonly #clock: Clock;

  constructor(table: Table, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  /**
   * Stores a new receipt, its tags, and that the account has it. One write each, side by side. A receipt that is there
   * already (a repeat of the request that made it) is left as it is: it may have been acknowledged meanwhile.
   */
  async put(receipt: Receipt): Promise<void> {
    const { ttl } = receipt;
    const index = [
      receiptOfOwnerKey(receipt.app.owner, receipt.receipt),
      ...receipt.tags.map((tag) => tagKey(receipt.app, tag, receipt.receipt)),
    ];
    const TableName = this.#table.name;
    const Item = versioned(RECEIPT, { ...receiptKey(receipt.receipt), ...itemOf(receipt) });
    const put = new PutCommand({ TableName, Item, ConditionExpression: 'attribute_not_exists(pk)' });
    await settleAll<unknown>([
      this.#table.client.send(put).catch((error: unknown) => {
        if (!isConditionFailure(error)) throw error;
      }),
      ...index.map((key) => this.#table.client.send(new PutCommand({ TableName, Item: { ...key, ttl } }))),
    ]);
  }

  /** Takes back a receipt whose message was not accepted. Index items that name it are purged; readers skip them. */
  async withdraw(receipt: string): Promise<void> {
    await this.#table.client.send(
      new DeleteCommand({ TableName: this.#table.name, Key: receiptKey(receipt) }),
    );
  }

  /** Strongly consistent. Undefined if there is none, or its week is over. */
  async find(receipt: string): Promise<Receipt | undefined> {
    if (!isKey(receipt)) return undefined;
    const found = await this.#table.client.send(
      new GetCommand({ TableName: this.#table.name, Key: receiptKey(receipt), ConsistentRead: true }),
    );
    return this.#alive(found.Item);
  }

  /** Several of them, in one request. Strongly consistent. */
  async findMany(receipts: string[]): Promise<Receipt[]> {
    const keys = [...new Set(receipts)].filter(isKey).map(receiptKey);
    const [items] = await batchGet([{ table: this.#table, keys, consistent: true }]);
    return items!.map((item) => this.#alive(item)).filter((receipt) => receipt !== undefined);
  }

  /**
   * The receipt, for the app that sent it.
   *
   * @throws Refusal naming `token`, or `receipt`: the same whether it does not exist or is another app's
   */
  async ofApp(token: string | undefined, receipt: string): Promise<Receipt> {
    const keys = isKey(receipt) ? [receiptKey(receipt)] : [];
    const { app, items } = await authorize(this.#table, token, keys);
    const found = this.#alive(items.find(({ pk }) => pk === keys[0]?.pk));
    if (!found || found.app.id !== app.id || found.app.owner !== app.owner) throw receiptNotFound();
    return found;
  }

  /**
   * The receipt, for a recipient.
   *
   * @param items what was found of {@link keysOfReceipt}
   * @throws Refusal naming `receipt`: the same whether it does not exist or is for others
   */
  ofRecipient(user: string, items: Record<string, unknown>[]): Receipt {
    const found = this.#alive(items[0]);
    if (!found?.users.includes(user)) throw receiptNotFound();
    return found;
  }

  /**
   * Acknowledges for a recipient. The first acknowledgement wins; a later one changes nothing and is no error.
   *
   * @returns the receipt with the acknowledgement that counts
   * @throws Refusal naming `receipt` if it is not this user's, has expired or was cancelled
   */
  async acknowledge(receipt: string, by: string, device: string): Promise<Receipt> {
    const found = await this.find(receipt);
    if (!found?.users.includes(by)) throw receiptNotFound();
    if (found.acknowledged) return found;
    const at = seconds(this.#clock);
    const acknowledged = { at, by, device };
    const won = await this.#update(receipt, {
      UpdateExpression: 'SET acknowledged = :acknowledged',
      ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(acknowledged) AND expiresAt > :now',
      ExpressionAttributeValues: { ':acknowledged': acknowledged, ':now': at },
    });
    if (won) return { ...found, acknowledged };
    const now = await this.find(receipt);
    if (!now?.acknowledged) throw receiptNotFound();
    return now;
  }

  /** Ends a receipt's asking now. @returns false if it had ended, or was acknowledged */
  cancel(receipt: string): Promise<boolean> {
    return this.#update(receipt, {
      UpdateExpression: 'SET expiresAt = :now',
      ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(acknowledged) AND expiresAt > :now',
      ExpressionAttributeValues: { ':now': seconds(this.#clock) },
    });
  }

  /**
   * Cancels what an app has sent with a tag.
   *
   * @returns how many were still asking
   * @throws Refusal naming `token`
   */
  async cancelByTag(token: string | undefined, tag: string): Promise<number> {
    const { app } = await authorize(this.#table, token);
    let canceled = 0;
    let start: Record<string, unknown> | undefined;
    do {
      const page = await this.#table.client.send(
        new QueryCommand({
          TableName: this.#table.name,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': tagKey(app, tag, '').pk },
          ConsistentRead: true,
          Limit: 100,
          ...(start && { ExclusiveStartKey: start }),
        }),
      );
      const named = (page.Items ?? []).map(({ sk }) => String(sk).slice('receipt#'.length));
      const now = seconds(this.#clock);
      const asking = (await this.findMany(named)).filter((receipt) => isAsking(receipt, now));
      const ended = await settleAll(asking.map(({ receipt }) => this.cancel(receipt)));
      canceled += ended.filter(Boolean).length;
      start = page.LastEvaluatedKey;
    } while (start);
    return canceled;
  }

  /** Notes that a carrier accepted the message. The latest time stays, in whatever order they come. */
  async delivered(receipt: string): Promise<void> {
    await this.#update(receipt, {
      UpdateExpression: 'SET deliveredAt = :now',
      ConditionExpression:
        'attribute_exists(pk) AND (attribute_not_exists(deliveredAt) OR deliveredAt < :now)',
      ExpressionAttributeValues: { ':now': seconds(this.#clock) },
    });
  }

  /** Notes that the callback is queued. */
  async noteCallbackQueued(receipt: string): Promise<void> {
    await this.#update(receipt, {
      UpdateExpression: 'SET callbackQueued = :yes',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeValues: { ':yes': true },
    });
  }

  /** Notes when the callback was answered; the first time stays. @param at Unix seconds */
  async noteCalledBack(receipt: string, at: number): Promise<void> {
    await this.#update(receipt, {
      UpdateExpression: 'SET calledBackAt = :at',
      ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(calledBackAt)',
      ExpressionAttributeValues: { ':at': at },
    });
  }

  /** @returns whether the condition held */
  async #update(
    receipt: string,
    change: {
      UpdateExpression: string;
      ConditionExpression: string;
      ExpressionAttributeValues: Record<string, unknown>;
    },
  ): Promise<boolean> {
    try {
      await this.#table.client.send(
        new UpdateCommand({ TableName: this.#table.name, Key: receiptKey(receipt), ...change }),
      );
      return true;
    } catch (error) {
      if (isConditionFailure(error)) return false;
      throw error;
    }
  }

  #alive(item: Record<string, unknown> | undefined): Receipt | undefined {
    if (!item || (item.ttl as number) <= seconds(this.#clock)) return undefined;
    const { pk, sk: _, v: __, tags, ...receipt } = newest(RECEIPT, item);
    const fields = receipt as unknown as Omit<Receipt, 'receipt' | 'tags'>;
    return { ...fields, receipt: (pk as string).slice('receipt#'.length), tags: tags as string[] };
  }
}

/** What to read of the Directory to find a receipt. @param receipt as given */
export const keysOfReceipt = (receipt: string) => (isKey(receipt) ? [receiptKey(receipt)] : []);

/** Whether a receipt still asks to be acknowledged. @param now Unix seconds */
export function isAsking(receipt: Receipt, now: number): boolean {
  return !receipt.acknowledged && receipt.expiresAt > now;
}

function itemOf({ receipt: _, ...fields }: Receipt): Record<string, unknown> {
  return fields;
}

function receiptNotFound(): Refusal {
  const sentence = 'receipt not found; may be invalid or expired';
  return new Refusal({ field: 'receipt', reason: 'not found', sentence });
}
