import { randomInt } from 'node:crypto';
import { DeleteCommand, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { Refusal } from '../refusal.ts';
import { queryAll } from '../storage/query.ts';
import { kind, migrating, newest, type Step, unchanged, versioned } from '../storage/schema.ts';
import { settleAll } from '../storage/settle.ts';
import { type Clock, isConditionFailure, seconds, type Table } from '../storage/table.ts';
import { appKey, limitsKey, tokenKey } from './directory.ts';
import { hashSecret, randomKey } from './keys.ts';

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
/** An app, for its owner. */
export const APP = kind('app', withIcon);
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

/**
 * Applications. Each is stored twice: for its owner (a list), and under the hash of its token (what sending reads).
 * The owner's item is written first and names the token's hash, so whatever dies in between leaves an app that the
 * owner sees and can rotate or delete, never a token that nobody can take away.
 *
 * The icon is in both. The owner's item says what it is and counts its changes; the token's item follows, never to an
 * earlier count. Who changes the icon writes the owner's item, then the token's that it names. Who makes a token writes
 * the token's item, then looks at the owner's once more. Whichever of the two comes second sees what the first wrote, so
 * no order of them leaves an old icon. What dies in between is repeated by its caller: a change of the icon as it was,
 * a rotation with another token.
 *
 * An account's own quota is in an item of its own and in those of its tokens, by the same order of writes.
 */
export class Apps {
  readonly #table: Table;
  readonly #clock: Clock;

  constructor(table: Table, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  /**
   * @param name checked: neither blank nor too long
   * @throws Refusal naming `name`
   */
  async create(owner: string, name: string): Promise<{ id: number; token: string }> {
    const apps = await this.list(owner);
    if (apps.length >= MAX_APPS) {
      throw new Refusal({
        field: 'name',
        reason: `cannot be added: an account has at most ${MAX_APPS} applications`,
      });
    }
    const taken = new Set(apps.map((app) => app.id));
    let id = randomInt(1, 2 ** 31);
    while (taken.has(id)) id = randomInt(1, 2 ** 31);
    const token = randomKey('a');
    const icon = { icon: DEFAULT_ICON, iconVersion: 0 };
    const createdAt = seconds(this.#clock);
    const app = { ...appKey(owner, id), id, name, createdAt, token: hashSecret(token), ...icon };
    await this.#put(versioned(APP, app));
    await this.#putToken(hashSecret(token), { id, name, owner, ...icon });
    return { id, token };
  }

  /** The owner's apps, by id. */
  async list(owner: string): Promise<OwnedApp[]> {
    const { pk } = appKey(owner, 0);
    const items = (await queryAll(this.#table, { pk, sk: 'app#' })).map((item) => newest(APP, item));
    const apps = items as unknown as OwnedApp[];
    return apps
      .map(({ id, name, icon, createdAt }) => ({ id, name, icon, createdAt }))
      .sort((a, b) => a.id - b.id);
  }

  /**
   * An app as its owner's item has it.
   *
   * @throws Refusal naming `app`
   */
  async find(owner: string, id: number): Promise<Owned> {
    const app = await this.#read(owner, id);
    if (!app) throw notFound();
    return app;
  }

  /**
   * Gives an app a new token. The old one is taken away first: whatever dies after that leaves an app without a
   * token, which the owner rotates again, and never an old token that still works. Of two concurrent rotations one
   * wins and the other is told to look again, since each names the token that it replaces.
   *
   * @throws Refusal naming `app`
   */
  async rotate(owner: string, id: number): Promise<string> {
    const stored = await this.#get(appKey(owner, id));
    if (!stored) throw notFound();
    const app = ownedOf(stored);
    const token = randomKey('a');
    await this.#delete(tokenKey(app.token));
    const update = {
      UpdateExpression: 'SET #token = :new',
      ExpressionAttributeNames: { '#token': 'token' },
      ExpressionAttributeValues: { ':new': hashSecret(token), ':old': app.token },
    };
    try {
      await this.#table.client.send(
        new UpdateCommand({
          TableName: this.#table.name,
          Key: appKey(owner, id),
          ...migrating(APP, stored, update, ['token']),
          ConditionExpression: '#token = :old',
        }),
      );
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
      throw new Refusal({ field: 'app', reason: 'was changed at the same time, try again' }, 409);
    }
    const { icon, iconVersion } = app;
    await this.#putToken(hashSecret(token), { id, name: app.name, owner, icon, iconVersion });
    return token;
  }

  /**
   * Gives an app another icon. Messages that were sent keep the name of the one they had.
   *
   * @throws Refusal naming `app`
   */
  async setIcon(owner: string, id: number, icon: string): Promise<void> {
    let changed: Record<string, unknown> | undefined;
    try {
      const { Attributes } = await this.#table.client.send(
        new UpdateCommand({
          TableName: this.#table.name,
          Key: appKey(owner, id),
          UpdateExpression: 'SET icon = :icon ADD iconVersion :one',
          // An app that is deleted meanwhile does not come back.
          ConditionExpression: 'attribute_exists(pk)',
          ExpressionAttributeValues: { ':icon': icon, ':one': 1 },
          ReturnValues: 'ALL_NEW',
        }),
      );
      changed = Attributes;
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
      throw notFound();
    }
    const { token, icon: shown, iconVersion } = ownedOf(changed!);
    await this.#showIcon(token, { icon: shown, iconVersion });
  }

  /** An account's own quota; undefined if it has what the deployment says. */
  async quotaOf(owner: string): Promise<number | undefined> {
    return (await this.#limits(owner)).quota;
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
    const { pk } = appKey(owner, 0);
    const tokens = (await queryAll(this.#table, { pk, sk: 'app#' })).map((item) => ownedOf(item).token);
    await settleAll(tokens.map((token) => this.#showQuota(token, quotaIn(Attributes!))));
  }

  /**
   * Deletes an app: its token first, so that a repeat after a fault finds the rest.
   *
   * @throws Refusal naming `app`
   */
  async remove(owner: string, id: number): Promise<void> {
    const app = await this.find(owner, id);
    await this.#delete(tokenKey(app.token));
    await this.#delete(appKey(owner, id));
  }

  /** Lets a token send, with the icon that its app has by then. */
  async #putToken(token: string, app: Omit<App, keyof IconState> & IconState): Promise<void> {
    const limits = await this.#limits(app.owner);
    await this.#put(versioned(TOKEN, { ...tokenKey(token), ...app, ...limits }));
    const [now, limitsNow] = await Promise.all([this.#read(app.owner, app.id), this.#limits(app.owner)]);
    if (now && now.iconVersion > app.iconVersion) await this.#showIcon(token, now);
    if (limitsNow.quotaVersion > limits.quotaVersion) await this.#showQuota(token, limitsNow);
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

  async #limits(owner: string): Promise<QuotaState> {
    return limitsIn(await this.#get(limitsKey(owner)));
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

  async #read(owner: string, id: number): Promise<Owned | undefined> {
    const item = await this.#get(appKey(owner, id));
    return item && ownedOf(item);
  }

  async #get(Key: Record<string, unknown>): Promise<Record<string, unknown> | undefined> {
    const found = await this.#table.client.send(
      new GetCommand({ TableName: this.#table.name, Key, ConsistentRead: true }),
    );
    return found.Item;
  }

  async #put(Item: Record<string, unknown>): Promise<void> {
    await this.#table.client.send(new PutCommand({ TableName: this.#table.name, Item }));
  }

  async #delete(Key: Record<string, unknown>): Promise<void> {
    await this.#table.client.send(new DeleteCommand({ TableName: this.#table.name, Key }));
  }
}

/** What the owner's item says that sending needs. */
interface Owned extends IconState {
  name: string;
  /** Hash of its token. */
  token: string;
}

function ownedOf(item: Record<string, unknown>): Owned {
  const { name, token, icon, iconVersion } = newest(APP, item) as unknown as Owned;
  return { name, token, icon, iconVersion };
}

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
