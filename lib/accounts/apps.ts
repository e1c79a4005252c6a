import { randomInt } from 'node:crypto';
import { DeleteCommand, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { Refusal } from '../refusal.ts';
import { queryAll } from '../storage/query.ts';
import { type Clock, isConditionFailure, seconds, type Table } from '../storage/table.ts';
import { appKey, tokenKey } from './directory.ts';
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
    await this.#put({
      ...appKey(owner, id),
      id,
      name,
      createdAt: seconds(this.#clock),
      token: hashSecret(token),
    });
    await this.#putToken(hashSecret(token), { id, name, owner, ...iconOf({}) });
    return { id, token };
  }

  /** The owner's apps, by id. */
  async list(owner: string): Promise<OwnedApp[]> {
    const { pk } = appKey(owner, 0);
    const apps = (await queryAll(this.#table, { pk, sk: 'app#' })).map((item) => ({
      id: item.id as number,
      name: item.name as string,
      icon: iconOf(item).icon,
      createdAt: item.createdAt as number,
    }));
    return apps.sort((a, b) => a.id - b.id);
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
    const app = await this.find(owner, id);
    const token = randomKey('a');
    await this.#delete(tokenKey(app.token));
    try {
      await this.#table.client.send(
        new UpdateCommand({
          TableName: this.#table.name,
          Key: appKey(owner, id),
          UpdateExpression: 'SET #token = :new',
          ConditionExpression: '#token = :old',
          ExpressionAttributeNames: { '#token': 'token' },
          ExpressionAttributeValues: { ':new': hashSecret(token), ':old': app.token },
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
    await this.#showIcon(changed!.token as string, iconOf(changed!));
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
    await this.#put({ ...tokenKey(token), ...app });
    const now = await this.#read(app.owner, app.id);
    if (now && now.iconVersion > app.iconVersion) await this.#showIcon(token, now);
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
    const found = await this.#table.client.send(
      new GetCommand({ TableName: this.#table.name, Key: appKey(owner, id), ConsistentRead: true }),
    );
    const item = found.Item;
    return item && { name: item.name, token: item.token, ...iconOf(item) };
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

/** The icon of an item; one that never had another has none. */
function iconOf(item: Record<string, unknown>): IconState {
  const { icon = DEFAULT_ICON, iconVersion = 0 } = item as Partial<IconState>;
  return { icon, iconVersion };
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
