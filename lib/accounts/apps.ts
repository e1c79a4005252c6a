import { randomInt } from 'node:crypto';
import { DeleteCommand, GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { Refusal } from '../refusal.ts';
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
  /** Unix seconds. */
  createdAt: number;
}

/** Longest name, in characters; a message without a title shows it as one (Pushover: at most 20). */
export const MAX_APP_NAME = 20;
/** Most apps of one account. */
export const MAX_APPS = 100;
const DEFAULT_ICON = 'default';

/**
 * Applications. Each is stored twice: for its owner (a list), and under the hash of its token (what sending reads).
 * The owner's item is written first and names the token's hash, so whatever dies in between leaves an app that the
 * owner sees and can rotate or delete, never a token that nobody can take away.
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
    await this.#put({ ...tokenKey(hashSecret(token)), id, name, icon: DEFAULT_ICON, owner });
    return { id, token };
  }

  /** The owner's apps, by id. */
  async list(owner: string): Promise<OwnedApp[]> {
    const apps: OwnedApp[] = [];
    let start: Record<string, unknown> | undefined;
    do {
      const page = await this.#table.client.send(
        new QueryCommand({
          TableName: this.#table.name,
          KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
          ExpressionAttributeValues: { ':pk': appKey(owner, 0).pk, ':prefix': 'app#' },
          ConsistentRead: true,
          ...(start && { ExclusiveStartKey: start }),
        }),
      );
      for (const item of page.Items ?? [])
        apps.push({ id: item.id, name: item.name, createdAt: item.createdAt });
      start = page.LastEvaluatedKey;
    } while (start);
    return apps.sort((a, b) => a.id - b.id);
  }

  /**
   * Gives an app a new token. The old one is taken away first: whatever dies after that leaves an app without a
   * token, which the owner rotates again, and never an old token that still works. Of two concurrent rotations one
   * wins and the other is told to look again, since each names the token that it replaces.
   *
   * @throws Refusal naming `app`
   */
  async rotate(owner: string, id: number): Promise<string> {
    const app = await this.#owned(owner, id);
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
    await this.#put({ ...tokenKey(hashSecret(token)), id, name: app.name, icon: DEFAULT_ICON, owner });
    return token;
  }

  /**
   * Deletes an app: its token first, so that a repeat after a fault finds the rest.
   *
   * @throws Refusal naming `app`
   */
  async remove(owner: string, id: number): Promise<void> {
    const app = await this.#owned(owner, id);
    await this.#delete(tokenKey(app.token));
    await this.#delete(appKey(owner, id));
  }

  async #owned(owner: string, id: number): Promise<{ name: string; token: string }> {
    const found = await this.#table.client.send(
      new GetCommand({ TableName: this.#table.name, Key: appKey(owner, id), ConsistentRead: true }),
    );
    if (!found.Item) throw new Refusal({ field: 'app', reason: 'not found' }, 404);
    return { name: found.Item.name, token: found.Item.token };
  }

  async #put(Item: Record<string, unknown>): Promise<void> {
    await this.#table.client.send(new PutCommand({ TableName: this.#table.name, Item }));
  }

  async #delete(Key: Record<string, unknown>): Promise<void> {
    await this.#table.client.send(new DeleteCommand({ TableName: this.#table.name, Key }));
  }
}
