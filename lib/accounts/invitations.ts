import { randomUUID } from 'node:crypto';
import { PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { randomCharacters } from '../protocol/characters.ts';
import { Refusal } from '../refusal.ts';
import { batchDelete, batchGet, batchWrite } from '../storage/batches.ts';
import { queryAll } from '../storage/query.ts';
import { kind, newest, unchanged, versioned } from '../storage/schema.ts';
import { type Clock, isConditionFailure, seconds, type Table } from '../storage/table.ts';
import { invitationKey, madeInvitationKey } from './directory.ts';
import { hashSecret, isPublicId, publicIdOf } from './keys.ts';

/** An invitation is good for a week and for one account. */
export const INVITATION_SECONDS = 7 * 24 * 3600;

/** Most invitations in the list: the latest. All of them are good, and can be taken back. */
const MAX_LISTED = 1_000;
/** Longest note of an invitation, in characters. */
const MAX_NOTE = 200;
/** Characters of a code: 138 bits. */
const CODE_LENGTH = 24;
const INVITATION = kind('invitation', unchanged);

/** An invitation that is still good. */
export interface Invitation {
  id: string;
  /** For whom, as the operator noted it. */
  note?: string;
  /** Unix seconds. */
  createdAt: number;
  expiresAt: number;
}

/**
 * Invitations to make an account: an item by the code's hash, whose conditional marking as used lets exactly one person
 * in. It stays, marked, until it expires: so a write that made it, and which arrives once more after a repeat of the SDK,
 * makes no used one good. Another in one partition for all says that there is one, for the operator's list: it is written
 * first, expires at the same time, and counts for nothing by itself.
 */
export class Invitations {
  readonly #table: Table;
  readonly #clock: Clock;

  constructor(table: Table, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  /**
   * Makes an invitation: a code that lets one person sign up within a week.
   *
   * @throws Refusal naming `note`
   */
  async make(note?: string): Promise<{ code: string; id: string }> {
    if ([...(note ?? '')].length > MAX_NOTE) {
      throw new Refusal({ field: 'note', reason: `is too long (maximum is ${MAX_NOTE} characters)` });
    }
    const code = randomCharacters(CODE_LENGTH);
    const hash = hashSecret(code);
    const createdAt = seconds(this.#clock);
    const ttl = createdAt + INVITATION_SECONDS;
    const made = { ...madeInvitationKey(hash), createdAt, ttl, ...(note && { note }) };
    await this.#put(versioned(INVITATION, made));
    await this.#putNew(versioned(INVITATION, { ...invitationKey(hash), ttl }));
    return { code, id: publicIdOf(hash) };
  }

  /** The latest thousand of the invitations that are still good, the latest first. Those made before there was a list are not in it. */
  async list(): Promise<Invitation[]> {
    const items = await queryAll(this.#table, madeInvitationKey(''));
    const made = items.map((item) => ({
      ...(newest(INVITATION, item) as unknown as Made),
      hash: hashOf(item),
    }));
    const keys = made.map(({ hash }) => invitationKey(hash));
    const [good] = await batchGet([
      { table: this.#table, keys, consistent: true, attributes: ['pk', 'used'] },
    ]);
    const left = new Set(good!.filter(({ used }) => used === undefined).map(({ pk }) => pk));
    const now = seconds(this.#clock);
    return made
      .filter(({ hash, ttl }) => left.has(invitationKey(hash).pk) && ttl > now)
      .map(({ hash, note, createdAt, ttl }) => ({
        id: publicIdOf(hash),
        ...(note !== undefined && { note }),
        createdAt,
        expiresAt: ttl,
      }))
      .sort((a, b) => b.createdAt - a.createdAt)
      .slice(0, MAX_LISTED);
  }

  /**
   * Takes an invitation back.
   *
   * @throws Refusal naming `invitation`
   */
  async revoke(id: string): Promise<void> {
    const made = isPublicId(id) ? await queryAll(this.#table, madeInvitationKey('')) : [];
    const found = made.filter((item) => publicIdOf(hashOf(item)) === id);
    if (found.length === 0) throw new Refusal({ field: 'invitation', reason: 'not found' }, 404);
    // What lets somebody in goes first; a repeat finds the rest.
    await batchWrite(
      this.#table,
      found.map((item) => ({
        put: versioned(INVITATION, { ...invitationKey(hashOf(item)), used: 'revoked', ttl: item.ttl }),
      })),
    );
    await batchDelete(
      this.#table,
      found.map((item) => madeInvitationKey(hashOf(item))),
    );
  }

  /**
   * Uses up an invitation: the conditional write lets exactly one caller have it, and the SDK repeat it.
   *
   * @throws Refusal naming `invitation`
   */
  async redeem(code: string | undefined): Promise<void> {
    if (!code) throw new Refusal({ field: 'invitation', reason: 'is required to sign up on this server' });
    try {
      await this.#table.client.send(
        new UpdateCommand({
          TableName: this.#table.name,
          Key: invitationKey(hashSecret(code)),
          UpdateExpression: 'SET used = :us',
          ConditionExpression: '#ttl > :now AND (attribute_not_exists(used) OR used = :us)',
          ExpressionAttributeNames: { '#ttl': 'ttl' },
          ExpressionAttributeValues: { ':us': randomUUID(), ':now': seconds(this.#clock) },
        }),
      );
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
      throw new Refusal({ field: 'invitation', reason: 'is invalid or has been used' });
    }
  }

  /** Codes are never given twice: what is there already is our own, of which the answer was lost. */
  async #putNew(Item: Record<string, unknown>): Promise<void> {
    const ConditionExpression = 'attribute_not_exists(pk)';
    try {
      await this.#table.client.send(
        new PutCommand({ TableName: this.#table.name, Item, ConditionExpression }),
      );
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
    }
  }

  async #put(Item: Record<string, unknown>): Promise<void> {
    await this.#table.client.send(new PutCommand({ TableName: this.#table.name, Item }));
  }
}

/** What the list's item says of an invitation. */
interface Made {
  createdAt: number;
  note?: string;
  ttl: number;
}

const hashOf = ({ sk }: Record<string, unknown>) => (sk as string).slice(madeInvitationKey('').sk.length);
