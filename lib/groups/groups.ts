import { DeleteCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { groupKey, groupsKey } from '../accounts/directory.ts';
import { GROUP_PREFIX, isKey, randomKey } from '../accounts/keys.ts';
import { OwnedList } from '../accounts/owned-list.ts';
import type { Owner } from '../accounts/owner.ts';
import { noAccount } from '../accounts/refusals.ts';
import { Refusal } from '../refusal.ts';
import { batchGet } from '../storage/batches.ts';
import { kind, newest, unchanged, versioned } from '../storage/schema.ts';
import { type Clock, isConditionFailure, seconds, type Table } from '../storage/table.ts';
import { Members } from './members.ts';

/** A group of users, who are sent to by one key. */
export interface Group {
  /** 30 characters, `g…`; any app may send to it. */
  key: string;
  name: string;
  /** User key of the account whose apps may change it. */
  owner: string;
  /** How many entries it has; after a fault, a few too many (see `Members`). */
  members: number;
  /** How often that had to be corrected. */
  corrected: number;
}

const GROUP = kind('group', unchanged);
/** The groups of an account: see {@link OwnedList}. */
export const GROUPS = kind('groups', unchanged);

/** Most groups of one account. Their names are read with one request. */
export const MAX_GROUPS = 100;

type Item = Record<string, unknown>;

/** What the owner's list says of a group. */
type Entry = {
  /** Unix seconds. */
  createdAt: number;
};

/** The lists of groups. */
const groupLists = (table: Table) =>
  new OwnedList<Entry>(table, { kind: GROUPS, key: groupsKey, most: MAX_GROUPS });

/** Begins the list of a new account's groups. Repeatable. */
export const beginGroups = (table: Table, owner: string): Promise<void> => groupLists(table).begin(owner);

/**
 * Groups, in the Directory: an item by the group's key, with its name, its owner and how many members it has; and an
 * entry in the one list of its owner's groups, which says no more than that there is this group. What would have to be
 * kept equal in two places is in the first alone. `Members` has the rest.
 */
export class Groups {
  readonly #table: Table;
  readonly #clock: Clock;
  readonly #lists: OwnedList<Entry>;

  constructor(table: Table, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
    this.#lists = groupLists(table);
  }

  /**
   * Makes a group without members. The owner's list comes second, and decides: whatever dies before it leaves a group
   * whose key nobody was told, which does no harm, rather than one in the list that does not exist. A list that is full,
   * or whose account is gone, takes no entry, and the group goes again.
   *
   * @throws Refusal naming `name`; or the owner's credential, if the account is gone
   * @returns the group's key
   */
  async create(owner: string, name: string): Promise<string> {
    const known = await this.#lists.read(owner);
    if (!known) throw noAccount();
    if (Object.keys(known).length >= MAX_GROUPS) throw tooMany();
    const key = randomKey(GROUP_PREFIX);
    const createdAt = seconds(this.#clock);
    await this.#put(versioned(GROUP, { ...groupKey(key), name, owner, members: 0, createdAt }));
    const added = await this.#lists.add(owner, key, { createdAt }, () => true);
    if (added === 'added') return key;
    await this.#delete(groupKey(key));
    throw added === 'gone' ? noAccount() : tooMany();
  }

  /** The groups of an account, by name. */
  async list(owner: string): Promise<Group[]> {
    const keys = (await this.keysOf(owner)).map(groupKey);
    const [items] = await batchGet([{ table: this.#table, keys, consistent: true }]);
    return items!.map(groupOf).sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  /** The keys of an account's groups, in their order. */
  async keysOf(owner: string): Promise<string[]> {
    return Object.keys((await this.#lists.read(owner)) ?? {}).sort();
  }

  /** Gives a group another name. Repeatable. */
  async rename({ key }: Group, name: string): Promise<void> {
    await this.#table.client.send(
      new UpdateCommand({
        TableName: this.#table.name,
        Key: groupKey(key),
        UpdateExpression: 'SET #name = :name',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeNames: { '#name': 'name' },
        ExpressionAttributeValues: { ':name': name },
      }),
    );
  }

  /**
   * Deletes a group. It is marked first, and by that one write it is over: nobody sends to it or changes it any more,
   * and only this goes on. Its members go next, then the entry in its owner's list, then the group's item.
   *
   * What dies anywhere in between is repeated by the owner, in whose list the group is until all members are gone, and
   * who is found by the group's own item, which goes last. A member that is added in the very moment may be written after
   * its group was looked through: an item that no key leads to, since keys are never given twice.
   */
  async remove({ key, owner }: Group): Promise<void> {
    await this.#empty(key);
    await this.#lists.remove(owner, key);
    await this.#delete(groupKey(key));
  }

  /**
   * Deletes all groups of an account that is deleted itself, in the same way, but for the end: nobody but the list leads
   * back to them, so it goes last, and the account can have no more. Repeatable.
   *
   * @param checkTime called now and then; throws when there is no more time
   */
  async removeAllOf(owner: string, checkTime: () => void): Promise<void> {
    await this.#lists.close(owner, async (groups) => {
      for (const key of Object.keys(groups)) {
        await this.#empty(key, checkTime);
        await this.#delete(groupKey(key));
      }
    });
  }

  /** Marks a group as deleted, and takes its members out. */
  async #empty(key: string, checkTime?: () => void): Promise<void> {
    try {
      await this.#table.client.send(
        new UpdateCommand({
          TableName: this.#table.name,
          Key: groupKey(key),
          UpdateExpression: 'SET deletedAt = :now',
          ConditionExpression: 'attribute_exists(pk)',
          ExpressionAttributeValues: { ':now': seconds(this.#clock) },
        }),
      );
    } catch (error) {
      // Somebody else has deleted it to the end meanwhile.
      if (!isConditionFailure(error)) throw error;
    }
    await new Members(this.#table).removeAll(key, checkTime);
  }

  async #put(item: Item): Promise<void> {
    await this.#table.client.send(new PutCommand({ TableName: this.#table.name, Item: item }));
  }

  async #delete(Key: Item): Promise<void> {
    await this.#table.client.send(new DeleteCommand({ TableName: this.#table.name, Key }));
  }
}

/** What to read of the Directory to find a group. @param key as given */
export const keysOfGroup = (key: string): Item[] => (isKey(key) ? [groupKey(key)] : []);

/** Whether somebody has begun to delete a group: to all but who goes on with that, it is gone. */
export const isDeleted = (group: Item): boolean => group.deletedAt !== undefined;

/**
 * The group of a key, for the account that owns it.
 *
 * @param owner found together with {@link keysOfGroup}
 * @param key as given
 * @param deleting whether it is to be deleted, which may have to be repeated
 * @throws Refusal naming `group`: the same whether it does not exist or is another account's
 */
export function ownGroup({ user, items }: Owner, key: string, deleting = false): Group {
  const found = items.find(({ pk }) => pk === groupKey(key).pk);
  if (!found || found.owner !== user || (isDeleted(found) && !deleting)) {
    const sentence = 'group not found or you are not authorized to edit it';
    throw new Refusal({ field: 'group', reason: 'not found', sentence });
  }
  return groupOf(found);
}

function tooMany(): Refusal {
  return new Refusal({
    field: 'name',
    reason: `cannot be added: an account has at most ${MAX_GROUPS} groups`,
  });
}

function groupOf(stored: Item): Group {
  const item = newest(GROUP, stored);
  const key = (item.pk as string).slice(groupKey('').pk.length);
  const { name, owner, members } = item as unknown as Group;
  return { key, name, owner, members, corrected: correctedOf(item) };
}

/** How often the count of a group's members was corrected, by its item. */
export const correctedOf = (group: Item | undefined): number => (group?.corrected ?? 0) as number;
