import { DeleteCommand, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { NativeAttributeValue } from '@aws-sdk/util-dynamodb';
import { type Kind, newest, versioned } from '../storage/schema.ts';
import { isConditionFailure, type Table } from '../storage/table.ts';

type Item = Record<string, unknown>;

/** What tells one list from another. */
export interface ListOf {
  kind: Kind;
  /** Where the list of an account is. @param owner user key */
  key(owner: string): { pk: string; sk: string };
  /** Most entries. */
  most: number;
}

/** What came of an attempt to add an entry: it is there; the list is full; the name is taken; the account is gone. */
export type Added = 'added' | 'full' | 'gone' | 'taken';

/** Entries of a list by their names, which are made of letters and digits. */
export type Entries<Entry> = Record<string, Entry>;

/** Attempts at closing a list that is added to meanwhile. */
const ATTEMPTS = 20;

/**
 * What an account owns, in one item of its own partition: the one place that decides.
 *
 * A thing of an account is often stored a second time where others find it (a token, a group's key). Such a thing counts
 * only because it is in this list, and every change of the list is one conditional write. So no more entries get in than
 * `most` says however many come at once, of two changes of one entry one wins, and a list that has been closed stays
 * closed: nothing begins a list but the making of its account, whose user key is never given twice.
 */
export class OwnedList<Entry extends Record<string, NativeAttributeValue>> {
  readonly #table: Table;
  readonly #of: ListOf;

  constructor(table: Table, of: ListOf) {
    this.#table = table;
    this.#of = of;
  }

  /** Begins the list of a new account. Repeatable until something is in it. */
  async begin(owner: string): Promise<void> {
    const { kind, key } = this.#of;
    const Item = versioned(kind, { ...key(owner), entries: {}, version: 1 });
    const ConditionExpression = 'attribute_not_exists(pk)';
    try {
      await this.#table.client.send(
        new PutCommand({ TableName: this.#table.name, Item, ConditionExpression }),
      );
    } catch (error) {
      // The answer to our own write was lost, and the SDK has repeated it: user keys are never given twice.
      if (!isConditionFailure(error)) throw error;
    }
  }

  /** The entries; undefined if there is no such account. Strongly consistent. */
  async read(owner: string): Promise<Entries<Entry> | undefined> {
    return (await this.#get(owner))?.entries;
  }

  /**
   * Adds an entry.
   *
   * @param isOurs tells an entry that is there already from our own, which was added though the answer was lost
   */
  async add(owner: string, name: string, entry: Entry, isOurs: (stored: Entry) => boolean): Promise<Added> {
    try {
      await this.#table.client.send(
        new UpdateCommand({
          TableName: this.#table.name,
          Key: this.#of.key(owner),
          UpdateExpression: 'SET entries.#name = :entry, version = version + :one',
          ConditionExpression:
            'attribute_exists(pk) AND attribute_not_exists(entries.#name) AND size(entries) < :most',
          ExpressionAttributeNames: { '#name': name },
          ExpressionAttributeValues: { ':entry': entry, ':one': 1, ':most': this.#of.most },
        }),
      );
      return 'added';
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
    }
    const entries = await this.read(owner);
    if (!entries) return 'gone';
    const found = entries[name];
    if (found) return isOurs(found) ? 'added' : 'taken';
    return 'full';
  }

  /**
   * Changes attributes of an entry.
   *
   * @param set what they become
   * @param when what attributes must be until then
   * @param raise an attribute that goes up by one
   * @returns the entry as it is then; undefined if it is not there, or not as it must be
   */
  async change(
    owner: string,
    name: string,
    { set, when = {}, raise }: { set: Partial<Entry>; when?: Partial<Entry>; raise?: keyof Entry & string },
  ): Promise<Entry | undefined> {
    const names: Record<string, string> = { '#name': name };
    const values: Item = { ':one': 1 };
    const equal = (attributes: Partial<Entry>, letter: string) =>
      Object.entries(attributes).map(([attribute, value], n) => {
        names[`#${letter}${n}`] = attribute;
        values[`:${letter}${n}`] = value;
        return `entries.#name.#${letter}${n} = :${letter}${n}`;
      });
    const sets = [...equal(set, 's'), 'version = version + :one'];
    const conditions = ['attribute_exists(entries.#name)', ...equal(when, 'w')];
    if (raise !== undefined) {
      names['#raised'] = raise;
      sets.push('entries.#name.#raised = entries.#name.#raised + :one');
    }
    try {
      const { Attributes } = await this.#table.client.send(
        new UpdateCommand({
          TableName: this.#table.name,
          Key: this.#of.key(owner),
          UpdateExpression: `SET ${sets.join(', ')}`,
          ConditionExpression: conditions.join(' AND '),
          ExpressionAttributeNames: names,
          ExpressionAttributeValues: values,
          ReturnValues: 'ALL_NEW',
        }),
      );
      return (newest(this.#of.kind, Attributes!).entries as Entries<Entry>)[name];
    } catch (error) {
      if (isConditionFailure(error)) return undefined;
      throw error;
    }
  }

  /** Takes an entry out, if its attributes are what they must be. @returns whether it was, and did */
  async remove(owner: string, name: string, when: Partial<Entry> = {}): Promise<boolean> {
    const wanted = Object.entries(when);
    try {
      await this.#table.client.send(
        new UpdateCommand({
          TableName: this.#table.name,
          Key: this.#of.key(owner),
          UpdateExpression: 'REMOVE entries.#name SET version = version + :one',
          ConditionExpression: [
            'attribute_exists(entries.#name)',
            ...wanted.map((_, n) => `entries.#name.#w${n} = :w${n}`),
          ].join(' AND '),
          ExpressionAttributeNames: {
            '#name': name,
            ...Object.fromEntries(wanted.map(([attribute], n) => [`#w${n}`, attribute])),
          },
          ExpressionAttributeValues: {
            ':one': 1,
            ...Object.fromEntries(wanted.map(([, value], n) => [`:w${n}`, value])),
          },
        }),
      );
      return true;
    } catch (error) {
      if (isConditionFailure(error)) return false;
      throw error;
    }
  }

  /**
   * Closes the list of an account that is deleted, for good. Repeatable, also after it died at any point.
   *
   * @param takeAway takes away what the entries stand for: called with all that are there, before the list goes
   */
  async close(owner: string, takeAway: (entries: Entries<Entry>) => Promise<void>): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const found = await this.#get(owner);
      if (!found) return;
      await takeAway(found.entries);
      try {
        await this.#table.client.send(
          new DeleteCommand({
            TableName: this.#table.name,
            Key: this.#of.key(owner),
            ConditionExpression: 'version = :version',
            ExpressionAttributeValues: { ':version': found.version },
          }),
        );
        return;
      } catch (error) {
        if (!isConditionFailure(error)) throw error;
      }
    }
    throw new Error(`the list (${this.#of.kind.name}) of an account changed too often at once`);
  }

  async #get(owner: string): Promise<{ entries: Entries<Entry>; version: number } | undefined> {
    const found = await this.#table.client.send(
      new GetCommand({ TableName: this.#table.name, Key: this.#of.key(owner), ConsistentRead: true }),
    );
    if (!found.Item) return undefined;
    return newest(this.#of.kind, found.Item) as unknown as { entries: Entries<Entry>; version: number };
  }
}
