import { randomInt } from 'node:crypto';
import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { Refusal } from '../refusal.ts';
import { batchWrite } from '../storage/batches.ts';
import { kind, newest, type Step, unchanged, versioned } from '../storage/schema.ts';
import { settleAll } from '../storage/settle.ts';
import { type Clock, isConditionFailure, seconds, type Table } from '../storage/table.ts';
import { appsKey, limitsKey, tokenKey } from './directory.ts';
import { hashSecret, randomKey } from './keys.ts';
import { type Entries, OwnedList } from './owned-list.ts';
import { noAccount } from './refusals.ts';

/** An application that may send, as its token finds it. */
export interface App {
  /** Integer < 2^31 (clients read it into 32 bits). */
  id: number;
  name: string;
  /** Name of its icon. */
  icon: string;
  /** User key of the owner. */
  owner: string;
}

/** An application as its owner sees it; the token is never shown again. */
export interface OwnedApp {
  id: number;
  name: string;
  /** Name of its icon. */
  icon: string;
  /** Unix seconds. */
  createdAt: number;
}

/** Most apps of one account. */
export const MAX_APPS = 100;
/** What an app shows that has no icon of its own. */
export const DEFAULT_ICON = 'default';

/** Version 0 had no icon until it was given one. */
const withIcon: Step = (item) => ({ icon: DEFAULT_ICON, iconVersion: 0, ...item });
/** The apps of an account, which decide what sends: see {@link OwnedList}. */
export const APPS = kind('apps', unchanged);
/** An app, for sending. */
export const TOKEN = kind('token', withIcon);
/** What differs for an account from what the deployment allows. */
const LIMITS = kind('limits', unchanged);

/** An account's own monthly quota, and how often it was changed: it is kept and ordered as an app's icon is. */
interface QuotaState {
  /** Users whom its messages may reach in a month; 0 for no limit; absent: what the deployment says. */
  quota?: number;
  quotaVersion: number;
}

/** An app's icon and how often it was changed: of two that are written at once, the later counts, in any order. */
interface IconState {
  icon: string;
  iconVersion: number;
}

/** What the owner's list says of an app. */
type Entry = {
  name: string;
  /** Unix seconds. */
  createdAt: number;
  /** Hash of its token. */
  token: string;
} & IconState;

/** How long a token that is pending, or that is gone, is kept: far longer than any request is under way. Seconds. */
const MARKED_SECONDS = 24 * 3600;

/** Attempts at a deletion that rotations keep overtaking, and at finding an id. */
const ATTEMPTS = 8;

/**
 * Applications: an entry each in one list of their owner, and an item under the hash of its token, which is all that
 * sending reads.
 *
 * The owner's list decides what a token is. A token is made in three steps: its item is written, pending, which sends
 * nothing; one conditional write names it in the list; and the item is made to send, unless it is gone by then. It is
 * taken away in two: its item is marked as gone, for good, and one conditional write takes its name out of the list, if
 * that still names it. What is pending or gone is purged after a day, when nothing that was under way can still arrive.
 *
 * | what happens                                   | what holds                                                        |
 * | ---------------------------------------------- | ----------------------------------------------------------------- |
 * | it dies before the list names the token        | the pending item sends nothing, and is purged                     |
 * | it dies after that                             | the app is in the list without a token; its owner rotates it      |
 * | the token is taken away before it is to send   | it is gone: nothing makes it send, and the caller is told         |
 * | two rotations at once                          | one write of the list succeeds, the other is told to look again   |
 * | a deletion, and a rotation that overtakes it   | the list names another token by then: the deletion begins again   |
 * | the account is deleted meanwhile               | its list is gone, and nobody begins another                       |
 * | a write is repeated after a lost answer        | it finds its own hash in the list, and goes on                    |
 * | a repeated write arrives after all that        | the token is gone, which no write but the first could undo, and   |
 * |                                                | that one asks for there to be no item                             |
 *
 * So what sends is in the list, or is about to be marked as gone by what took it out, in any order of the writes and
 * wherever they stop.
 *
 * The icon is in both. The owner's list says what it is and counts its changes; the token's item follows, never to an
 * earlier count. A change of the icon writes the list, then the token's item that it names. A new token looks at the icon
 * once the list names it. Whichever of the two comes second sees what the first wrote, so no order of them leaves an old
 * icon. What dies in between is repeated by its caller: a change of the icon as it was, a rotation with another token.
 *
 * An account's own quota is in an item of its own and in those of its tokens, by the same order of writes.
 */
export class Apps {
  readonly #table: Table;
  readonly #clock: Clock;
  readonly #lists: OwnedList<Entry>;

  constructor(table: Table, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
    this.#lists = appLists(table);
  }

  /**
   * @param name checked: neither blank nor too long
   * @throws Refusal naming `name`; or `secret`, if the account is gone; or `app`, if it was deleted meanwhile
   */
  async create(owner: string, name: string): Promise<{ id: number; token: string }> {
    const known = await this.#entries(owner);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (Object.keys(known).length >= MAX_APPS) throw tooMany();
      const id = randomInt(1, 2 ** 31);
      const token = randomKey('a');
      const hash = hashSecret(token);
      const app: Entry = {
        name,
        createdAt: seconds(this.#clock),
        token: hash,
        icon: DEFAULT_ICON,
        iconVersion: 0,
      };
      await this.#putPending(owner, id, app);
      const added = await this.#lists.add(owner, String(id), app, (stored) => stored.token === hash);
      if (added === 'added') {
        await this.#letSend(owner, app, app);
        return { id, token };
      }
      await this.#end(hash);
      if (added === 'gone') throw noAccount();
      if (added === 'full') throw tooMany();
    }
    throw new Error('no free number was found for an app');
  }

  /** The owner's apps, by id. */
  async list(owner: string): Promise<OwnedApp[]> {
    return Object.entries((await this.#lists.read(owner)) ?? {})
      .map(([id, { name, icon, createdAt }]) => ({ id: Number(id), name, icon, createdAt }))
      .sort((a, b) => a.id - b.id);
  }

  /**
   * An app as its owner sees it.
   *
   * @throws Refusal naming `app`
   */
  async find(owner: string, id: number): Promise<Pick<OwnedApp, 'icon' | 'name'>> {
    return this.#entry(owner, id);
  }

  /**
   * Gives an app a new token. The old one is taken away first: whatever dies after that leaves an app without a token,
   * which its owner rotates again, and never an old token that still works. Of two rotations at once one wins.
   *
   * @throws Refusal naming `app`: 404 if there is none, 409 if it was changed at the same time
   */
  async rotate(owner: string, id: number): Promise<string> {
    const app = await this.#entry(owner, id);
    const token = randomKey('a');
    const hash = hashSecret(token);
    const renewed = { ...app, token: hash };
    await this.#putPending(owner, id, renewed);
    await this.#end(app.token);
    const change = { set: { token: hash }, when: { token: app.token } };
    const changed = (await this.#lists.change(owner, String(id), change)) ?? (await this.#read(owner, id));
    // If it is ours after all, the answer was lost and the SDK's repeat has failed.
    if (changed?.token !== hash) {
      await this.#end(hash);
      throw changed ? overtaken() : notFound();
    }
    await this.#letSend(owner, renewed, changed);
    return token;
  }

  /**
   * Gives an app another icon. Messages that were sent keep the name of the one they had.
   *
   * @throws Refusal naming `app`
   */
  async setIcon(owner: string, id: number, icon: string): Promise<void> {
    const changed = await this.#lists.change(owner, String(id), { set: { icon }, raise: 'iconVersion' });
    if (!changed) throw notFound();
    await this.#showIcon(changed.token, changed);
  }

  /** An account's own quota; undefined if it has what the deployment says. */
  async quotaOf(owner: string): Promise<number | undefined> {
    return ownQuota(await this.#get(limitsKey(owner)));
  }

  /**
   * Gives an account a monthly quota of its own. It is in the items of its tokens, which sending reads anyway, so that
   * it costs a message nothing. What dies in between is repeated by its caller: until then some apps have the old one.
   *
   * @param quota 0 for no limit; undefined for what the deployment says
   */
  async setQuota(owner: string, quota: number | undefined): Promise<void> {
    const { Attributes } = await this.#table.client.send(
      new UpdateCommand({
        TableName: this.#table.name,
        Key: limitsKey(owner),
        UpdateExpression: `${quota === undefined ? 'REMOVE quota SET' : 'SET quota = :quota,'} v = :v ADD quotaVersion :one`,
        ExpressionAttributeValues: {
          ':v': LIMITS.version,
          ':one': 1,
          ...(quota !== undefined && { ':quota': quota }),
        },
        ReturnValues: 'ALL_NEW',
      }),
    );
    const apps = Object.values((await this.#lists.read(owner)) ?? {});
    await settleAll(apps.map(({ token }) => this.#showQuota(token, quotaIn(Attributes!))));
  }

  /**
   * Deletes an app: its token first, so that a repeat after a fault finds the rest.
   *
   * @throws Refusal naming `app`
   */
  async remove(owner: string, id: number): Promise<void> {
    let app: Entry | undefined = await this.#entry(owner, id);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      await this.#end(app.token);
      if (await this.#lists.remove(owner, String(id), { token: app.token })) return;
      // It has another token by now, or another deletion was faster.
      app = await this.#read(owner, id);
      if (!app) return;
    }
    throw new Error('an app was changed too often at once');
  }

  /** Deletes all apps of an account that is deleted itself, and lets it have no more. Repeatable. */
  async removeAllOf(owner: string): Promise<void> {
    await this.#lists.close(owner, (apps) =>
      batchWrite(
        this.#table,
        Object.values(apps).map(({ token }) => ({ put: this.#gone(token) })),
      ),
    );
  }

  /** Writes the item of a token that nobody names yet, and which sends nothing. */
  async #putPending(owner: string, id: number, { name, token, icon, iconVersion }: Entry): Promise<void> {
    const app = { id, name, owner, icon, iconVersion };
    const ttl = seconds(this.#clock) + MARKED_SECONDS;
    const Item = versioned(TOKEN, { ...tokenKey(token), ...app, pending: true, ttl });
    const ConditionExpression = 'attribute_not_exists(pk)';
    try {
      await this.#table.client.send(
        new PutCommand({ TableName: this.#table.name, Item, ConditionExpression }),
      );
    } catch (error) {
      // Tokens are never given twice: the answer to our own write was lost, and the SDK has repeated it.
      if (!isConditionFailure(error)) throw error;
    }
  }

  /**
   * Lets a token send that its owner's list names, with the icon and the quota of that moment. Repeatable.
   *
   * @param written what its item says
   * @param app what the list says
   * @throws Refusal naming `app` if it was taken away meanwhile
   */
  async #letSend(owner: string, written: IconState, app: Entry): Promise<void> {
    const { token } = app;
    if (app.iconVersion > written.iconVersion) await this.#showIcon(token, app);
    const limits = limitsIn(await this.#get(limitsKey(owner)));
    if (limits.quotaVersion > 0) await this.#showQuota(token, limits);
    try {
      await this.#table.client.send(
        new UpdateCommand({
          TableName: this.#table.name,
          Key: tokenKey(token),
          UpdateExpression: 'REMOVE pending, #ttl',
          ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(gone)',
          ExpressionAttributeNames: { '#ttl': 'ttl' },
        }),
      );
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
      throw overtaken();
    }
  }

  /** Takes a token away, for good. Repeatable. */
  async #end(token: string): Promise<void> {
    await this.#table.client.send(new PutCommand({ TableName: this.#table.name, Item: this.#gone(token) }));
  }

  /** The item of a token that was taken away: it says nothing but that. */
  #gone(token: string): Record<string, unknown> {
    return versioned(TOKEN, {
      ...tokenKey(token),
      gone: true,
      ttl: seconds(this.#clock) + MARKED_SECONDS,
    });
  }

  /** Has a token send under a quota, unless it has a later one, or was replaced. */
  async #showQuota(token: string, { quota, quotaVersion }: QuotaState): Promise<void> {
    try {
      await this.#table.client.send(
        new UpdateCommand({
          TableName: this.#table.name,
          Key: tokenKey(token),
          UpdateExpression: `SET quotaVersion = :version${quota === undefined ? ' REMOVE quota' : ', quota = :quota'}`,
          ConditionExpression:
            'attribute_exists(pk) AND (attribute_not_exists(quotaVersion) OR quotaVersion < :version)',
          ExpressionAttributeValues: {
            ':version': quotaVersion,
            ...(quota !== undefined && { ':quota': quota }),
          },
        }),
      );
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
    }
  }

  /** Shows an icon on what a token sends, unless it shows a later one, or the token was replaced: then who did that sees to it. */
  async #showIcon(token: string, { icon, iconVersion }: IconState): Promise<void> {
    try {
      await this.#table.client.send(
        new UpdateCommand({
          TableName: this.#table.name,
          Key: tokenKey(token),
          UpdateExpression: 'SET icon = :icon, iconVersion = :version',
          ConditionExpression:
            'attribute_exists(pk) AND (attribute_not_exists(iconVersion) OR iconVersion < :version)',
          ExpressionAttributeValues: { ':icon': icon, ':version': iconVersion },
        }),
      );
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
    }
  }

  /** @throws Refusal naming `secret` if the account is gone */
  async #entries(owner: string): Promise<Entries<Entry>> {
    const entries = await this.#lists.read(owner);
    if (!entries) throw noAccount();
    return entries;
  }

  async #read(owner: string, id: number): Promise<Entry | undefined> {
    return (await this.#lists.read(owner))?.[id];
  }

  /** @throws Refusal naming `app` */
  async #entry(owner: string, id: number): Promise<Entry> {
    const app = await this.#read(owner, id);
    if (!app) throw notFound();
    return app;
  }

  async #get(Key: Record<string, unknown>): Promise<Record<string, unknown> | undefined> {
    const found = await this.#table.client.send(
      new GetCommand({ TableName: this.#table.name, Key, ConsistentRead: true }),
    );
    return found.Item;
  }
}

/** The lists of apps. */
const appLists = (table: Table) => new OwnedList<Entry>(table, { kind: APPS, key: appsKey, most: MAX_APPS });

/** Begins the list of a new account's apps. Repeatable. */
export const beginApps = (table: Table, owner: string): Promise<void> => appLists(table).begin(owner);

/** An account's own quota, by its item of limits; undefined if it has what the deployment says. */
export const ownQuota = (limits: Record<string, unknown> | undefined): number | undefined =>
  limitsIn(limits).quota;

const limitsIn = (found: Record<string, unknown> | undefined): QuotaState =>
  quotaIn(found ? newest(LIMITS, found) : {});

/** The quota that an item says; one that was never changed says none. */
function quotaIn({ quota, quotaVersion = 0 }: Record<string, unknown>): QuotaState {
  return {
    ...(quota !== undefined && { quota: quota as number }),
    quotaVersion: quotaVersion as number,
  };
}

function tooMany(): Refusal {
  const reason = `cannot be added: an account has at most ${MAX_APPS} applications`;
  return new Refusal({ field: 'name', reason });
}

function overtaken(): Refusal {
  return new Refusal({ field: 'app', reason: 'was changed at the same time, try again' }, 409);
}

function notFound(): Refusal {
  return new Refusal({ field: 'app', reason: 'not found' }, 404);
}

/**
 * The id of an app that a path names.
 *
 * @throws Refusal naming `app`
 */
export function appIdOf(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw notFound();
  return Number(text);
}
