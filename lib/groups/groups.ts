import { PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { authorize } from '../accounts/app-token.ts';
import { groupKey, groupOfOwnerKey } from '../accounts/directory.ts';
import { GROUP_PREFIX, isKey, randomKey } from '../accounts/keys.ts';
import { Refusal } from '../refusal.ts';
import { batchGet } from '../storage/batches.ts';
import { queryAll } from '../storage/query.ts';
import { kind, newest, unchanged, versioned } from '../storage/schema.ts';
import { type Clock, seconds, type Table } from '../storage/table.ts';

/** A group of users, who are sent to by one key. */
export interface Group {
  /** 30 characters, `g…`; any app may send to it. */
  key: string;
  name: string;
  /** User key of the account whose apps may change it. */
  owner: string;
}

const GROUP = kind('group', unchanged);
/** A group, for its owner. */
const GROUP_OF_OWNER = kind('group of its owner', unchanged);

/** Most groups of one account. Their names are read with one request. */
export const MAX_GROUPS = 100;

type Item = Record<string, unknown>;

/**
 * Groups, in the Directory: an item by the group's key, with its name, its owner and how many members it has; and one
 * in the owner's partition that says no more than that there is this group. What would have to be kept equal in two
 * places is in the first alone. `Members` has the rest.
 */
export class Groups {
  readonly #table: Table;
  readonly #clock: Clock;

  constructor(table: Table, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  /**
   * Makes a group without members. The owner's item comes second: whatever dies before it leaves a group whose key
   * nobody was told, which does no harm, rather than one in the list that does not exist.
   *
   * @throws Refusal naming `name`
   * @returns the group's key
   */
  async create(owner: string, name: string): Promise<string> {
    if ((await this.#keys(owner)).length >= MAX_GROUPS) {
      const reason = `cannot be added: an account has at most ${MAX_GROUPS} groups`;
      throw new Refusal({ field: 'name', reason });
    }
    const key = randomKey(GROUP_PREFIX);
    const createdAt = seconds(this.#clock);
    await this.#put(versioned(GROUP, { ...groupKey(key), name, owner, members: 0, createdAt }));
    await this.#put(versioned(GROUP_OF_OWNER, { ...groupOfOwnerKey(owner, key), createdAt }));
    return key;
  }

  /** The groups of an account, by name. */
  async list(owner: string): Promise<Group[]> {
    const keys = (await this.#keys(owner)).map(groupKey);
    const [items] = await batchGet([{ table: this.#table, keys, consistent: true }]);
    return items!.map(groupOf).sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  /** The keys of an account's groups, in their order. */
  keysOf(owner: string): Promise<string[]> {
    return this.#keys(owner);
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

  async #keys(owner: string): Promise<string[]> {
    const from = groupOfOwnerKey(owner, '');
    return (await queryAll(this.#table, from)).map(({ sk }) => (sk as string).slice(from.sk.length));
  }

  async #put(item: Item): Promise<void> {
    await this.#table.client.send(new PutCommand({ TableName: this.#table.name, Item: item }));
  }
}

/**
 * The group of a key, for an app of the account that owns it.
 *
 * @param key as given
 * @throws Refusal naming `token`, or `group`: the same whether it does not exist or is another account's
 */
export async function ownedGroup(directory: Table, token: string | undefined, key: string): Promise<Group> {
  const { app, items } = await authorize(directory, token, isKey(key) ? [groupKey(key)] : []);
  const [found] = items;
  if (!found || found.owner !== app.owner) {
    const sentence = 'group not found or you are not authorized to edit it';
    throw new Refusal({ field: 'group', reason: 'not found', sentence });
  }
  return groupOf(found);
}

function groupOf(stored: Item): Group {
  const item = newest(GROUP, stored);
  const key = (item.pk as string).slice(groupKey('').pk.length);
  return { key, name: item.name as string, owner: item.owner as string };
}
