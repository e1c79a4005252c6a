import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { Refusal } from '../refusal.ts';
import { batchDelete } from '../storage/batches.ts';
import { queryAll } from '../storage/query.ts';
import { newest, versioned } from '../storage/schema.ts';
import { type Clock, seconds, type Table } from '../storage/table.ts';
import { sessionKey } from './directory.ts';
import type { Email } from './email.ts';
import { hashSecret, isPublicId, publicIdOf, randomSecret } from './keys.ts';
import type { SessionView } from './session-view.ts';
import { SESSION } from './sessions.ts';

/** Most sessions in a list: the latest used. All of them can be ended, whether they are listed or not. */
export const MAX_LISTED = 1_000;

/**
 * Ends what sessions of an account hold open elsewhere: their sockets.
 *
 * @param isEnded whether the session of a hash has been ended
 */
export type Disconnect = (user: string, isEnded: (hash: string) => boolean) => Promise<void>;

interface StoredSession {
  sk: string;
  createdAt: number;
  seenAt: number;
  name?: string;
}

/**
 * The sessions of accounts: opening, listing and ending them.
 *
 * A session is ended by deleting its item, which every request reads: it is over at once, everywhere. Its connections
 * come after that; whatever dies in between, ending it again sees to them, though the session is gone already.
 */
export class SessionRegistry {
  readonly #table: Table;
  readonly #clock: Clock;
  readonly #disconnect: Disconnect;

  constructor(table: Table, clock: Clock, disconnect: Disconnect) {
    this.#table = table;
    this.#clock = clock;
    this.#disconnect = disconnect;
  }

  /** Opens a session. @returns its secret */
  async open(user: string, email: Email, name: string): Promise<string> {
    const secret = randomSecret(user);
    const createdAt = seconds(this.#clock);
    const session = { ...sessionKey(user, hashSecret(secret)), email, createdAt, seenAt: createdAt };
    const Item = versioned(SESSION, { ...session, ...(name !== '' && { name }) });
    await this.#table.client.send(new PutCommand({ TableName: this.#table.name, Item }));
    return secret;
  }

  /** The sessions of an account, the latest used first. */
  async list(user: string, currentHash: string): Promise<SessionView[]> {
    const current = sessionKey(user, currentHash).sk;
    const sessions = await this.#query(user);
    return sessions
      .map((item) => newest(SESSION, { ...item }) as unknown as StoredSession)
      .map(({ sk, createdAt, seenAt, name = '' }) => ({
        id: idOf(sk),
        name,
        created_at: createdAt,
        seen_at: seenAt,
        current: sk === current,
      }))
      .sort((a, b) => Number(b.current) - Number(a.current) || b.seen_at - a.seen_at)
      .slice(0, MAX_LISTED);
  }

  /**
   * Ends the session with an id.
   *
   * @throws Refusal naming `session`, the same whether it does not exist or is another account's
   */
  async end(user: string, id: string): Promise<void> {
    if (!isPublicId(id)) throw unknownSession();
    const found = (await this.#query(user)).filter(({ sk }) => idOf(sk) === id);
    await this.#delete(user, found);
    await this.#disconnect(user, (hash) => publicIdOf(hash) === id);
    if (found.length === 0) throw unknownSession();
  }

  /** Ends the session of a secret's hash. Ending one that is gone is no error. */
  async close(user: string, hash: string): Promise<void> {
    const Key = sessionKey(user, hash);
    await this.#table.client.send(new DeleteCommand({ TableName: this.#table.name, Key }));
    await this.#disconnect(user, (other) => other === hash);
  }

  /**
   * Ends all sessions of an account, but for one.
   *
   * @param except hash of the one that stays
   * @returns how many
   */
  async endAll(user: string, except?: string): Promise<number> {
    const kept = except === undefined ? undefined : sessionKey(user, except).sk;
    const ended = (await this.#query(user)).filter(({ sk }) => sk !== kept);
    await this.#delete(user, ended);
    await this.#disconnect(user, (hash) => hash !== except);
    return ended.length;
  }

  async #delete(user: string, sessions: StoredSession[]): Promise<void> {
    const { pk } = sessionKey(user, '');
    await batchDelete(
      this.#table,
      sessions.map(({ sk }) => ({ pk, sk })),
    );
  }

  async #query(user: string): Promise<StoredSession[]> {
    return (await queryAll(this.#table, sessionKey(user, ''))) as unknown as StoredSession[];
  }
}

const idOf = (sk: string) => publicIdOf(sk.slice('session#'.length));

function unknownSession(): Refusal {
  return new Refusal({ field: 'session', reason: 'not found' }, 404);
}
