import { DeleteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Attachments } from '../attachments/attachments.ts';
import { Groups } from '../groups/groups.ts';
import { Members } from '../groups/members.ts';
import { chunkKeys, entryKey } from '../history/entry.ts';
import { acknowledgedKey } from '../mailbox/traces.ts';
import type { MediaBucket } from '../media/bucket.ts';
import { listSounds } from '../media/custom-sounds.ts';
import { Receipts } from '../receipts/receipts.ts';
import { keysOfRecipients } from '../receipts/recipients.ts';
import { Refusal } from '../refusal.ts';
import { batchDelete } from '../storage/batches.ts';
import { queryPage } from '../storage/query.ts';
import { settleAll } from '../storage/settle.ts';
import { type Clock, isConditionFailure, seconds, type Table } from '../storage/table.ts';
import { delist } from './account-index.ts';
import { Apps } from './apps.ts';
import { DeviceRegistry } from './device-registry.ts';
import {
  accountKey,
  connectionKey,
  deliveredKey,
  devicesKey,
  membershipKey,
  receiptKey,
  receiptOfOwnerKey,
  tagKey,
  userPartition,
} from './directory.ts';
import { canonicalEmail, type Email, NO_EMAIL } from './email.ts';
import type { SessionRegistry } from './session-registry.ts';

/** What it needs. */
export interface RemovalContext {
  directory: Table;
  mailbox: Table;
  sessions: SessionRegistry;
  attachments: Attachments;
  /** Of sounds and icons. */
  media: () => Promise<MediaBucket>;
  clock: Clock;
}

/** How far it has come. */
export interface Removal {
  /** User key. */
  user: string;
  /** Whether nothing is left. */
  done: boolean;
}

type Item = Record<string, unknown>;

/** Attempts at taking the list of devices away while devices are registered. */
const ATTEMPTS = 20;
/** Receipts that are deleted at once: one request reads them. */
const RECEIPTS = 100;

/** There is no more time; what is left is for the next call. */
class OutOfTime extends Error {
  override readonly name = 'OutOfTime';
}

/**
 * Deletes accounts, with all that is theirs.
 *
 * First the account is marked: nobody logs in any more. Then what it is known by goes (sessions with their sockets,
 * tokens, its list of devices), so that nothing new comes in, and then what is stored. What finds a thing goes after
 * the thing: ids of devices are noted on the account before their list goes, an entry of an index goes after what it
 * names, the account goes after everything. So wherever it dies or runs out of time, calling it again goes on. The last
 * is the address in the operator's list, which says nothing without the account.
 *
 * What was under way in that moment may come after: a message that was being sent lies in a mailbox that nobody reads,
 * until it expires, and may be noted in the history (30 days). And three kinds of things are not found, and go by their
 * own time: attachments that its apps have sent (some days), mailboxes of devices that were deleted before (21 days) and
 * what those have acknowledged (30 days), counts of throttles, which are hashed (30 days). Icons stay: their names follow
 * from their pictures, so another account's may be the same.
 */
export class AccountRemoval {
  readonly #context: RemovalContext;

  constructor(context: RemovalContext) {
    this.#context = context;
  }

  /**
   * Deletes an account, as far as the time goes.
   *
   * @param until when to stop, Unix milliseconds
   * @throws Refusal naming `email`
   */
  async remove(given: string, until: number): Promise<Removal> {
    const email = canonicalEmail(given) ?? NO_EMAIL;
    const user = await this.#mark(email);
    try {
      await this.#removeAll(email, user, () => {
        if (this.#context.clock() >= until) throw new OutOfTime();
      });
      return { user, done: true };
    } catch (error) {
      if (error instanceof OutOfTime) return { user, done: false };
      throw error;
    }
  }

  async #removeAll(email: Email, user: string, checkTime: () => void): Promise<void> {
    const { directory, sessions } = this.#context;
    await sessions.endAll(user);
    await new Apps(directory, this.#context.clock).removeAllOf(user);
    const devices = await this.#removeDevices(email, user);
    await this.#removeReceipts(user, checkTime);
    for (const device of devices) await this.#emptyMailbox(device, checkTime);
    await batchDelete(directory, devices.map(connectionKey));
    await this.#removeHistory(user, checkTime);
    await new Groups(directory, this.#context.clock).removeAllOf(user, checkTime);
    await this.#leaveGroups(user, checkTime);
    await this.#removeSounds(user);
    // What is left, whatever it is, and what came in between.
    for await (const items of this.#pages(directory, { pk: userPartition(user) }, checkTime)) {
      await batchDelete(directory, items.map(keyOf));
    }
    await this.#removeAccount(email, user);
    await delist(directory, email);
  }

  /** Deletes the account itself, unless another removal has, and somebody has signed up with its address since. */
  async #removeAccount(email: Email, user: string): Promise<void> {
    const { directory } = this.#context;
    try {
      await directory.client.send(
        new DeleteCommand({
          TableName: directory.name,
          Key: accountKey(email),
          ConditionExpression: '#user = :user',
          ExpressionAttributeNames: { '#user': 'user' },
          ExpressionAttributeValues: { ':user': user },
        }),
      );
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
    }
  }

  /** @returns the user key */
  async #mark(email: Email): Promise<string> {
    const { directory, clock } = this.#context;
    try {
      const { Attributes } = await directory.client.send(
        new UpdateCommand({
          TableName: directory.name,
          Key: accountKey(email),
          UpdateExpression: 'SET deleting = if_not_exists(deleting, :now)',
          ConditionExpression: 'attribute_exists(pk)',
          ExpressionAttributeValues: { ':now': seconds(clock) },
          ReturnValues: 'ALL_NEW',
        }),
      );
      return Attributes!.user as string;
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
      // The last step may have been missing.
      await delist(directory, email);
      throw new Refusal({ field: 'email', reason: 'has no account' });
    }
  }

  /**
   * Notes the ids of the devices on the account, and takes the list away: nothing is sent to them any more, and no session
   * is good. A device that is registered in that moment is noted, too, since the list goes as it was read.
   */
  async #removeDevices(email: Email, user: string): Promise<string[]> {
    const { directory, clock } = this.#context;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { devices, version } = await new DeviceRegistry(directory, clock).list(user);
      const ids = devices.map(({ id }) => id);
      const { Attributes } = await directory.client.send(
        new UpdateCommand({
          TableName: directory.name,
          Key: accountKey(email),
          ConditionExpression: 'attribute_exists(deleting) AND #user = :user',
          ExpressionAttributeNames: { '#user': 'user' },
          // DynamoDB has no empty set: there is one that is nobody's.
          UpdateExpression: 'ADD deletedDevices :ids',
          ExpressionAttributeValues: { ':ids': new Set(['-', ...ids]), ':user': user },
          ReturnValues: 'ALL_NEW',
        }),
      );
      try {
        await directory.client.send(
          new DeleteCommand({
            TableName: directory.name,
            Key: devicesKey(user),
            ConditionExpression: 'attribute_not_exists(pk) OR version = :version',
            ExpressionAttributeValues: { ':version': version },
          }),
        );
        return [...(Attributes!.deletedDevices as Set<string>)].filter((id) => id !== '-');
      } catch (error) {
        if (!isConditionFailure(error)) throw error;
      }
    }
    throw new Error('the devices of an account changed too often at once');
  }

  /**
   * The receipts of what its apps have sent: without them no repetition goes out. Each goes after what is found by it,
   * and before its entry in the account's list.
   */
  async #removeReceipts(user: string, checkTime: () => void): Promise<void> {
    const { directory, clock } = this.#context;
    const { pk, sk: prefix } = receiptOfOwnerKey(user, '');
    const receipts = new Receipts(directory, clock);
    for await (const items of this.#pages(directory, { pk, prefix }, checkTime)) {
      // A page may be thousands of them, with dozens of items each: some at a time, so that a call that ends gets on.
      for (let start = 0; start < items.length; start += RECEIPTS) {
        checkTime();
        const some = items.slice(start, start + RECEIPTS);
        const names = some.map(({ sk }) => (sk as string).slice(prefix.length));
        const found = await receipts.findMany(names);
        const tags = found.flatMap(({ app, tags, receipt }) => tags.map((tag) => tagKey(app, tag, receipt)));
        const notes = names.flatMap((name) => [deliveredKey(name), ...keysOfRecipients(name)]);
        await batchDelete(directory, [...tags, ...notes]);
        await batchDelete(directory, names.map(receiptKey));
        await batchDelete(directory, some.map(keyOf));
      }
    }
  }

  /**
   * Deletes what waits for a device, and that it has acknowledged what waited. It will never fetch an attachment, which
   * counts as its report.
   */
  async #emptyMailbox(device: string, checkTime: () => void): Promise<void> {
    const { mailbox, attachments } = this.#context;
    const attributes = ['pk', 'sk', 'attachment'];
    for await (const items of this.#pages(mailbox, { pk: device, attributes }, checkTime)) {
      const named = items.flatMap(({ attachment }) =>
        attachment === undefined ? [] : [attachment as string],
      );
      const marked = await settleAll(
        named.map(async (id) => ((await attachments.report(id, device)) ? [id] : [])),
      );
      await attachments.remove(marked.flat());
      await batchDelete(mailbox, items.map(keyOf));
    }
    await this.#clear(mailbox, acknowledgedKey({ device, id: 0 }).pk, checkTime);
  }

  /** What its apps have sent: the chunks of what was fanned out before the entry that finds them. */
  async #removeHistory(user: string, checkTime: () => void): Promise<void> {
    const { mailbox } = this.#context;
    const attributes = ['pk', 'sk', 'request', 'chunks'];
    for await (const items of this.#pages(mailbox, { pk: entryKey(user, 0).pk, attributes }, checkTime)) {
      for (const { chunks, request, ...item } of items) {
        if (chunks === undefined) continue;
        checkTime();
        await batchDelete(mailbox, chunkKeys(request as string, chunks as number));
        await batchDelete(mailbox, [keyOf(item)]);
      }
      await batchDelete(mailbox, items.map(keyOf));
    }
  }

  async #clear(table: Table, pk: string, checkTime: () => void): Promise<void> {
    for await (const items of this.#pages(table, { pk, attributes: ['pk', 'sk'] }, checkTime)) {
      await batchDelete(table, items.map(keyOf));
    }
  }

  /** Leaves the groups of others. */
  async #leaveGroups(user: string, checkTime: () => void): Promise<void> {
    const { directory } = this.#context;
    const { pk, sk } = membershipKey(user, '', undefined);
    const prefix = sk.slice(0, 'member#'.length);
    const members = new Members(directory);
    for await (const items of this.#pages(directory, { pk, prefix }, checkTime)) {
      const groups = new Set(items.map((item) => (item.sk as string).split('#')[1]!));
      for (const key of groups) await members.leave(key, user);
      await batchDelete(directory, items.map(keyOf));
    }
  }

  /** Files first: their names are what finds them. */
  async #removeSounds(user: string): Promise<void> {
    const { directory, media } = this.#context;
    const sounds = await listSounds(directory, user);
    if (sounds.length === 0) return;
    const bucket = await media();
    await settleAll(sounds.map(({ id }) => bucket.delete('sounds', id)));
  }

  /** Pages of what is about to be deleted: each is the first of what is left. */
  async *#pages(
    table: Table,
    range: { pk: string; prefix?: string; attributes?: string[] },
    checkTime: () => void,
  ): AsyncGenerator<Item[]> {
    let after: Item | undefined;
    do {
      checkTime();
      const page = await queryPage(table, { ...range, after });
      yield page.items;
      after = page.last;
    } while (after);
  }
}

const keyOf = ({ pk, sk }: Item): Item => ({ pk, sk });
