import { randomUUID } from 'node:crypto';
import { DeleteCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { deviceList } from '../accounts/device-registry.ts';
import { namedDevices } from '../accounts/devices.ts';
import { devicesKey, groupKey, memberKey, membershipKey } from '../accounts/directory.ts';
import { badDevice, badUser } from '../accounts/refusals.ts';
import { Refusal } from '../refusal.ts';
import { batchDelete, batchGet } from '../storage/batches.ts';
import { kind, newest, unchanged, versioned } from '../storage/schema.ts';
import { type Clock, isConditionFailure, seconds, type Table } from '../storage/table.ts';
import { correctedOf, type Group } from './groups.ts';

/** A user in a group: with all devices, or with one. A user may be in it several times, with a device each. */
export interface Member {
  user: string;
  device?: string;
  memo?: string;
  /** Stays in the group, but gets nothing. */
  disabled: boolean;
}

/** All entries of a user in a group, or that of one device. */
export type MemberRef = Pick<Member, 'device' | 'user'>;

/** Members in the order of their keys. */
export interface MemberPage {
  members: Member[];
  /** Where the next page begins; absent on the last. */
  next?: string;
}

const MEMBER = kind('member', unchanged);
/** A membership, for its user. */
const MEMBERSHIP = kind('membership', unchanged);

/** Most members of a group, each entry counting. Bounds what one message can cost. */
export const MAX_MEMBERS = 10_000;

/** Attempts at adding a member to a group that seems full, whose count has to be put right first. */
const ATTEMPTS = 4;
/** After this long nobody still writes a member that was counted: functions end after half of it. Seconds. */
const SETTLED_SECONDS = 60;

type Item = Record<string, unknown>;

/**
 * Members of groups: an item each in the group's partition, by user and device, so that adding one twice is refused by
 * one condition and no two changes of different members meet.
 *
 * The group's item counts them, so that adding does not have to read up to 10,000. It is raised before a member is
 * written and lowered after one is deleted: whatever dies in between, or is repeated after a lost answer, leaves a
 * count that is too high, never too low. So a group that seems full is counted again before anyone is refused. That would
 * miss members that were counted and are still being written: a group in which one was counted within the last minute is
 * not counted again, and is full. A deletion that finds the group counted again meanwhile leaves the count as it is. So
 * the limit holds however many come at once, and may seem to be reached too early for a minute.
 *
 * A membership is in its user's partition as well, for when that account is deleted or asked about: it is written before
 * the member is and deleted after, and says nothing but that there may be one. (Of a group that is deleted as a whole it
 * goes before: the member finds it.) Members from before there were these, and whoever is added in the moment in which
 * the account goes, stay in the group: sending passes over users who are not there.
 */
export class Members {
  readonly #table: Table;
  readonly #limit: number;
  readonly #clock: Clock;

  constructor(table: Table, limit = MAX_MEMBERS, clock: Clock = Date.now) {
    this.#table = table;
    this.#limit = limit;
    this.#clock = clock;
  }

  /**
   * Adds a user, with all devices or with one.
   *
   * @throws Refusal naming `user` (unknown, or in the group already with this device), `device` or `group` (full)
   */
  async add({ key }: Group, { user, device, memo }: Omit<Member, 'disabled'>): Promise<void> {
    const account = devicesKey(user);
    const [items] = await batchGet([
      { table: this.#table, keys: [account, memberKey(key, user, device)], consistent: true },
    ]);
    const list = items!.find(({ pk }) => pk === account.pk);
    if (!list) throw badUser();
    if (items!.length > 1) throw alreadyMember();
    if (device !== undefined && namedDevices(deviceList(user, list).devices, [device]).length === 0) {
      throw badDevice();
    }
    const corrected = await this.#reserve(key);
    // A put whose answer was lost is repeated by the SDK, and must not take its own item for somebody else's.
    const added = randomUUID();
    const membership = versioned(MEMBERSHIP, membershipKey(user, key, device));
    await this.#table.client.send(new PutCommand({ TableName: this.#table.name, Item: membership }));
    try {
      await this.#table.client.send(
        new PutCommand({
          TableName: this.#table.name,
          Item: versioned(MEMBER, {
            ...memberKey(key, user, device),
            user,
            ...(device !== undefined && { device }),
            ...(memo !== undefined && { memo }),
            added,
          }),
          ConditionExpression: 'attribute_not_exists(pk) OR added = :added',
          ExpressionAttributeValues: { ':added': added },
        }),
      );
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
      await this.#uncount(key, 1, corrected);
      throw alreadyMember();
    }
  }

  /**
   * Takes a user out of a group: with all entries, or only that of one device.
   *
   * @throws Refusal naming `user`
   */
  async remove({ key, corrected }: Group, { user, device }: MemberRef): Promise<void> {
    if ((await this.#remove(key, corrected, user, device)) === 0) throw notMember();
  }

  /** Takes a user out of a group who is about to vanish; if that is not in it, nothing is to be done. Repeatable. */
  async leave(key: string, user: string): Promise<void> {
    await this.#remove(key, correctedOf(await this.#group(key)), user, undefined);
  }

  /** @returns how many entries there were */
  async #remove(key: string, corrected: number, user: string, device: string | undefined): Promise<number> {
    let removed = 0;
    for (const entry of await this.#entries(key, user, device)) {
      if (await this.#changed(() => this.#delete(entry))) removed++;
      await this.#forget(membershipKey(user, key, memberOf(entry).device));
    }
    if (removed > 0) await this.#uncount(key, removed, corrected);
    return removed;
  }

  /**
   * Stops or resumes sending to a user in a group: for all entries, or only that of one device. Repeatable.
   *
   * @throws Refusal naming `user`
   */
  async setDisabled({ key }: Group, { user, device }: MemberRef, disabled: boolean): Promise<void> {
    let changed = 0;
    for (const entry of await this.#entries(key, user, device)) {
      if (await this.#changed(() => this.#disable(entry, disabled))) changed++;
    }
    if (changed === 0) throw notMember();
  }

  /**
   * Members, from where another page ended.
   *
   * @param most members on the page; absent: as many as there are
   * @param maxBytes where to cut the page, by what `sizeOf` says of each member
   */
  async page(
    { key }: Pick<Group, 'key'>,
    after: string | undefined,
    most: number | undefined,
    maxBytes: number,
    sizeOf: (member: Member) => number,
  ): Promise<MemberPage> {
    const members: Member[] = [];
    let bytes = 0;
    // One more than wanted, which tells whether there are more.
    for await (const items of this.#query(key, '', { after, limit: most && most + 1 })) {
      for (const item of items) {
        const member = memberOf(item);
        bytes += sizeOf(member);
        if (members.length > 0 && (bytes > maxBytes || members.length === most))
          return { members, next: cursorOf(members.at(-1)!) };
        members.push(member);
      }
    }
    return { members };
  }

  /** All members, page after page as DynamoDB cuts them (1 MB). Strongly consistent. */
  async *all(key: string): AsyncGenerator<Member[]> {
    for await (const items of this.#query(key, '')) yield items.map(memberOf);
  }

  /**
   * Takes all members out, 25 a request, each page's memberships first: a repeat finds those by the members. Repeatable.
   * The count is not kept: it is for a group that is deleted.
   *
   * @param checkTime called after each page; throws when there is no more time
   */
  async removeAll(key: string, checkTime?: () => void): Promise<void> {
    for await (const items of this.#query(key, '')) {
      const members = items.map(memberOf);
      await batchDelete(
        this.#table,
        members.map(({ user, device }) => membershipKey(user, key, device)),
      );
      await batchDelete(
        this.#table,
        items.map(({ pk, sk }) => ({ pk, sk })),
      );
      checkTime?.();
    }
  }

  async #entries(key: string, user: string, device: string | undefined): Promise<Item[]> {
    const entries: Item[] = [];
    for await (const items of this.#query(key, `${user}#`)) entries.push(...items);
    if (device === undefined) return entries;
    const { sk } = memberKey(key, user, device);
    return entries.filter((entry) => entry.sk === sk);
  }

  async *#query(
    key: string,
    prefix: string,
    { after, limit }: { after?: string | undefined; limit?: number | undefined } = {},
  ): AsyncGenerator<Item[]> {
    const { pk } = groupKey(key);
    let start: Item | undefined = after === undefined ? undefined : { pk, sk: `member#${after}` };
    do {
      const page = await this.#table.client.send(
        new QueryCommand({
          TableName: this.#table.name,
          KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
          ExpressionAttributeValues: { ':pk': pk, ':prefix': `member#${prefix}` },
          ConsistentRead: true,
          ...(limit !== undefined && { Limit: limit }),
          ...(start && { ExclusiveStartKey: start }),
        }),
      );
      yield page.Items ?? [];
      start = page.LastEvaluatedKey;
    } while (start);
  }

  /**
   * Counts one more member.
   *
   * @returns how often the count had been corrected by then
   * @throws Refusal if the group is full
   */
  async #reserve(key: string): Promise<number> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      try {
        return await this.#raise(key);
      } catch (error) {
        if (!isConditionFailure(error)) throw error;
      }
      const group = await this.#group(key);
      const raisedAt = (group?.raisedAt ?? 0) as number;
      if (!group || seconds(this.#clock) - raisedAt < SETTLED_SECONDS) break;
      let counted = 0;
      for await (const items of this.#query(key, '')) counted += items.length;
      if (counted >= this.#limit) break;
      await this.#changed(() => this.#correct(key, counted, raisedAt));
    }
    throw new Refusal({ field: 'group', reason: `cannot have more than ${this.#limit} members` });
  }

  async #group(key: string): Promise<Item | undefined> {
    const [items] = await batchGet([{ table: this.#table, keys: [groupKey(key)], consistent: true }]);
    return items![0];
  }

  /** Raises the count by one, below the limit. @throws ConditionalCheckFailedException at the limit */
  async #raise(key: string): Promise<number> {
    const { Attributes } = await this.#table.client.send(
      new UpdateCommand({
        TableName: this.#table.name,
        Key: groupKey(key),
        UpdateExpression: 'SET members = members + :one, raisedAt = :now',
        ConditionExpression: 'members < :limit',
        ExpressionAttributeValues: { ':one': 1, ':limit': this.#limit, ':now': seconds(this.#clock) },
        ReturnValues: 'ALL_NEW',
      }),
    );
    return correctedOf(Attributes);
  }

  /**
   * Lowers the count, once however often the SDK repeats it; not so if the group was counted again meanwhile, which may
   * have seen that they are gone. A group that was deleted meanwhile has none.
   */
  async #uncount(key: string, by: number, corrected: number): Promise<void> {
    await this.#changed(async () => {
      await this.#table.client.send(
        new UpdateCommand({
          TableName: this.#table.name,
          Key: groupKey(key),
          UpdateExpression: 'SET members = members - :by, uncounted = :once',
          ConditionExpression: `attribute_exists(pk) AND (attribute_not_exists(uncounted) OR uncounted <> :once) AND ${
            corrected === 0 ? 'attribute_not_exists(corrected)' : 'corrected = :corrected'
          }`,
          ExpressionAttributeValues: {
            ':by': by,
            ':once': randomUUID(),
            ...(corrected > 0 && { ':corrected': corrected }),
          },
        }),
      );
    });
  }

  /** Sets a count that was at the limit to what there is, if nobody was counted since. */
  async #correct(key: string, counted: number, raisedAt: number): Promise<void> {
    await this.#table.client.send(
      new UpdateCommand({
        TableName: this.#table.name,
        Key: groupKey(key),
        UpdateExpression: 'SET members = :counted ADD corrected :one',
        ConditionExpression: `members >= :limit AND ${
          raisedAt === 0 ? 'attribute_not_exists(raisedAt)' : 'raisedAt = :raisedAt'
        }`,
        ExpressionAttributeValues: {
          ':counted': counted,
          ':limit': this.#limit,
          ':one': 1,
          ...(raisedAt > 0 && { ':raisedAt': raisedAt }),
        },
      }),
    );
  }

  async #delete({ pk, sk }: Item): Promise<void> {
    const ConditionExpression = 'attribute_exists(pk)';
    await this.#table.client.send(
      new DeleteCommand({ TableName: this.#table.name, Key: { pk, sk }, ConditionExpression }),
    );
  }

  async #forget(Key: Item): Promise<void> {
    await this.#table.client.send(new DeleteCommand({ TableName: this.#table.name, Key }));
  }

  async #disable({ pk, sk }: Item, disabled: boolean): Promise<void> {
    await this.#table.client.send(
      new UpdateCommand({
        TableName: this.#table.name,
        Key: { pk, sk },
        UpdateExpression: 'SET disabled = :disabled',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeValues: { ':disabled': disabled },
      }),
    );
  }

  /** Whether a conditional write took place; if not, somebody else was first. */
  async #changed(write: () => Promise<void>): Promise<boolean> {
    try {
      await write();
      return true;
    } catch (error) {
      if (isConditionFailure(error)) return false;
      throw error;
    }
  }
}

/** What tells one entry from all others, as `page` takes it to go on after it. */
export function cursorOf({ user, device }: MemberRef): string {
  return memberKey('', user, device).sk.slice('member#'.length);
}

function alreadyMember(): Refusal {
  const sentence = 'user is already a member of this group';
  return new Refusal({ field: 'user', reason: 'invalid', sentence });
}

function notMember(): Refusal {
  const sentence = 'user is not a member of this group';
  return new Refusal({ field: 'user', reason: 'invalid', sentence });
}

function memberOf(item: Item): Member {
  const { user, device, memo, disabled } = newest(MEMBER, item) as unknown as Partial<Member> & {
    user: string;
  };
  return {
    user,
    ...(device !== undefined && { device }),
    ...(memo !== undefined && { memo }),
    disabled: disabled === true,
  };
}
