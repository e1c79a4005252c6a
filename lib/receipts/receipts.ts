import { DeleteCommand, GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { authorize } from '../accounts/app-token.ts';
import type { App } from '../accounts/apps.ts';
import { chainKey, deliveredKey, receiptKey, receiptOfOwnerKey, tagKey } from '../accounts/directory.ts';
import { isKey } from '../accounts/keys.ts';
import type { Person } from '../groups/hidden.ts';
import { Refusal } from '../refusal.ts';
import { batchGet } from '../storage/batches.ts';
import { kind, newest, unchanged, versioned } from '../storage/schema.ts';
import { settleAll } from '../storage/settle.ts';
import { type Place, takeOn } from '../storage/succession.ts';
import { type Clock, isConditionFailure, seconds, type Table } from '../storage/table.ts';
import { addRecipients, keysOfRecipient, recipientAmong } from './recipients.ts';

const RECEIPT = kind('receipt', unchanged);
const DELIVERED = kind('delivery of a receipt', unchanged);

/** How long a receipt can be asked for (Pushover: one week). Seconds from acceptance. */
export const RECEIPT_SECONDS = 7 * 24 * 3600;

/** The receipt of an emergency message. All times in Unix seconds. */
export interface Receipt {
  receipt: string;
  /** The app that sent it. */
  app: Pick<App, 'id' | 'owner'>;
  /** Until when it asks to be acknowledged; a cancellation brings it forward. */
  expiresAt: number;
  callback?: string;
  tags: string[];
  acknowledged?: Acknowledgement;
  /** The callback is on its queue. */
  callbackQueued?: true;
  calledBackAt?: number;
  /** When it is forgotten. */
  ttl: number;
}

/** A receipt, with what is noted of its message's delivery. */
export interface DeliveredReceipt extends Receipt {
  /** When a carrier last accepted the message or a repetition of it. */
  deliveredAt?: number;
}

/** Who acknowledged, and when. What of it the sender may be told is `acknowledgedTo`'s to say. */
export interface Acknowledgement {
  /** Unix seconds. */
  at: number;
  /** User key. */
  by: string;
  /** Name of the device; empty if the client did not say which. */
  device: string;
  /** The sender is not told who it was. */
  hidden?: true;
}

/**
 * Receipts, in the Directory: an item each, an index item for each tag, and one for the account that sends.
 *
 * An update is billed by the size of its item, and one partition takes 1,000 write units a second. So what changes is
 * apart from what is large, and what is noted often is apart from both:
 *
 * - the receipt is below 1 KB, unless its tags and its callback are long, and changes four times at most: it is
 *   acknowledged or cancelled, and its callback is queued and answered;
 * - its recipients, who may be thousands, are written once (`recipients.ts`);
 * - when it was last delivered is an item of a hundred bytes, which each environment of a push function writes at most
 *   once a second ({@link Receipts.delivered}).
 *
 * Every change is one conditional write, so of two acknowledgements the first wins, and an acknowledgement and a
 * cancellation exclude each other. Every reader filters by `ttl`.
 *
 * The other items count for nothing without the receipt, and expire with it or a few days later. They are written side
 * by side, before any copy of the message is stored: a request that dies in between has told nobody of the receipt,
 * and has given nobody a copy to acknowledge it by. A note of a delivery that comes after a receipt was withdrawn is
 * read by nobody.
 */
export class Receipts {
  readonly #table: Table;
  readonly #clock: Clock;
  /** Notes of deliveries of this very second, by receipt. */
  #noted = { second: 0, notes: new Map<string, Promise<void>>() };

  constructor(table: Table, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  /**
   * Stores a new receipt, its recipients, its tags, and that the account has it. One write each, side by side; of more
   * than a hundred recipients, 32. A receipt that is there already (a repeat of the request that made it) is left as it
   * is: it may have been acknowledged meanwhile. Recipients are added to those that are there.
   */
  async put(receipt: Receipt, recipients: Person[]): Promise<void> {
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
      addRecipients(this.#table, receipt.receipt, recipients, ttl),
      ...index.map((key) => this.#table.client.send(new PutCommand({ TableName, Item: { ...key, ttl } }))),
    ]);
  }

  /** Takes back a receipt whose message was not accepted. What else there is of it is purged; readers skip it. */
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

  /** Several of them, and when each was delivered, in one request. Strongly consistent. */
  async findDelivered(receipts: string[]): Promise<DeliveredReceipt[]> {
    const keys = [...new Set(receipts)].filter(isKey).flatMap(keysOfDelivered);
    const [items] = await batchGet([{ table: this.#table, keys, consistent: true }]);
    return items!.map((item) => this.#delivered(item, items!)).filter((receipt) => receipt !== undefined);
  }

  /**
   * The receipt, for the app that sent it.
   *
   * @throws Refusal naming `token`, or `receipt`: the same whether it does not exist or is another app's
   */
  async ofApp(token: string | undefined, receipt: string): Promise<DeliveredReceipt> {
    const keys = isKey(receipt) ? keysOfDelivered(receipt) : [];
    const { app, items } = await authorize(this.#table, token, keys);
    const found = this.#delivered(
      items.find(({ pk }) => pk === keys[0]?.pk),
      items,
    );
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
    return this.#ofRecipient(user, items).receipt;
  }

  /** Strongly consistent. @throws as {@link ofRecipient} */
  async #findFor(user: string, receipt: string): Promise<{ receipt: Receipt; person: Person }> {
    const keys = keysOfReceipt(receipt, user);
    const [items] = await batchGet([{ table: this.#table, keys, consistent: true }]);
    return this.#ofRecipient(user, items!);
  }

  #ofRecipient(user: string, items: Record<string, unknown>[]): { receipt: Receipt; person: Person } {
    const receipt = this.#alive(items.find(isReceipt));
    const person = recipientAmong(items, user);
    if (!receipt || !person) throw receiptNotFound();
    return { receipt, person };
  }

  /**
   * Acknowledges for a recipient. The first acknowledgement wins; a later one changes nothing and is no error.
   *
   * @returns the receipt with the acknowledgement that counts
   * @throws Refusal naming `receipt` if it is not this user's, has expired or was cancelled
   */
  async acknowledge(receipt: string, by: string, device: string): Promise<Receipt> {
    const { receipt: found, person } = await this.#findFor(by, receipt);
    if (found.acknowledged) return found;
    const at = seconds(this.#clock);
    const acknowledged: Acknowledgement = { at, by, device, ...(person.hidden && { hidden: true }) };
    const won = await this.#update(receiptKey(receipt), {
      UpdateExpression: 'SET acknowledged = :acknowledged',
      ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(acknowledged) AND expiresAt > :now',
      ExpressionAttributeValues: { ':acknowledged': acknowledged, ':now': at },
    });
    if (won) return { ...found, acknowledged };
    const { receipt: now } = await this.#findFor(by, receipt);
    if (!now.acknowledged) throw receiptNotFound();
    return now;
  }

  /** Ends a receipt's asking now. @returns false if it had ended, or was acknowledged */
  cancel(receipt: string): Promise<boolean> {
    return this.#update(receiptKey(receipt), {
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

  /**
   * Notes that a carrier accepted the message. The latest time stays, in whatever order they come.
   *
   * One write unit, whatever the number of recipients. An emergency to thousands is delivered by hundreds of records
   * within seconds, and their notes are all the same within one second. So calls in one second share one write, and
   * what it says is exact all the same: an item is written as often a second as environments deliver its message at
   * once, which the concurrency of the carriers bounds (40 together by default), well below the 1,000 of a partition.
   *
   * It does not look for the receipt, to which its caller has no grant: a note of one that is gone expires unread.
   */
  delivered(receipt: string): Promise<void> {
    const second = seconds(this.#clock);
    if (this.#noted.second !== second) this.#noted = { second, notes: new Map() };
    const { notes } = this.#noted;
    const known = notes.get(receipt);
    if (known) return known;
    const note = this.#noteDelivered(receipt, second).catch((error: unknown) => {
      // The next one tries again.
      notes.delete(receipt);
      throw error;
    });
    notes.set(receipt, note);
    return note;
  }

  async #noteDelivered(receipt: string, at: number): Promise<void> {
    await this.#update(deliveredKey(receipt), {
      UpdateExpression: 'SET #at = :at, #ttl = :ttl, v = :v',
      ConditionExpression: 'attribute_not_exists(#at) OR #at < :at',
      ExpressionAttributeNames: { '#at': 'at', '#ttl': 'ttl' },
      ExpressionAttributeValues: { ':at': at, ':ttl': at + RECEIPT_SECONDS, ':v': DELIVERED.version },
    });
  }

  /**
   * Has a record of a chain of repetitions take its step on. One write unit, on an item beside the receipt, which it
   * outlives by no more than a week. Repeatable.
   *
   * @param line name of the chain
   * @returns false if another record of the chain does it
   */
  takeOn(receipt: string, line: string, place: Place): Promise<boolean> {
    const ttl = seconds(this.#clock) + RECEIPT_SECONDS;
    return takeOn({ table: this.#table, key: chainKey(receipt, line), ttl }, place);
  }

  /** Notes that the callback is queued. */
  async noteCallbackQueued(receipt: string): Promise<void> {
    await this.#update(receiptKey(receipt), {
      UpdateExpression: 'SET callbackQueued = :yes',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeValues: { ':yes': true },
    });
  }

  /** Notes when the callback was answered; the first time stays. @param at Unix seconds */
  async noteCalledBack(receipt: string, at: number): Promise<void> {
    await this.#update(receiptKey(receipt), {
      UpdateExpression: 'SET calledBackAt = :at',
      ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(calledBackAt)',
      ExpressionAttributeValues: { ':at': at },
    });
  }

  /** @returns whether the condition held */
  async #update(
    Key: Record<string, unknown>,
    change: {
      UpdateExpression: string;
      ConditionExpression: string;
      ExpressionAttributeNames?: Record<string, string>;
      ExpressionAttributeValues: Record<string, unknown>;
    },
  ): Promise<boolean> {
    try {
      await this.#table.client.send(new UpdateCommand({ TableName: this.#table.name, Key, ...change }));
      return true;
    } catch (error) {
      if (isConditionFailure(error)) return false;
      throw error;
    }
  }

  #delivered(
    item: Record<string, unknown> | undefined,
    items: Record<string, unknown>[],
  ): DeliveredReceipt | undefined {
    if (!item || !isReceipt(item)) return undefined;
    const receipt = this.#alive(item);
    const note = receipt && items.find(({ pk }) => pk === deliveredKey(receipt.receipt).pk);
    return receipt && { ...receipt, ...(note && { deliveredAt: newest(DELIVERED, note).at as number }) };
  }

  #alive(item: Record<string, unknown> | undefined): Receipt | undefined {
    if (!item || (item.ttl as number) <= seconds(this.#clock)) return undefined;
    const { pk, sk: _, v: __, tags, ...receipt } = newest(RECEIPT, item);
    const fields = receipt as unknown as Omit<Receipt, 'receipt' | 'tags'>;
    return { ...fields, receipt: (pk as string).slice('receipt#'.length), tags: tags as string[] };
  }
}

/** What to read of the Directory to find a receipt for a recipient. @param receipt as given */
export const keysOfReceipt = (receipt: string, user: string): Record<string, unknown>[] =>
  isKey(receipt) ? [receiptKey(receipt), ...keysOfRecipient(receipt, user)] : [];

const keysOfDelivered = (receipt: string) => [receiptKey(receipt), deliveredKey(receipt)];

const isReceipt = ({ sk }: Record<string, unknown>) => sk === receiptKey('').sk;

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
