/**
 * A device's database in a folder (Node only): `identity.json`, `messages.jsonl`, an append-only journal, and the folder
 * `attachments` with a file an image.
 */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { IMAGE_TYPES } from '../protocol/images.ts';
import { isRecord } from './envelope.ts';
import { StoreError } from './errors.ts';
import { takeLock } from './file-lock.ts';
import { Journal, writeWhole } from './journal.ts';
import { fromBase64, keyPairFrom, toBase64 } from './keys.ts';
import { MessageTable, parseRecord, type TableRecord } from './message-table.ts';
import type { AttachmentLoss, DeviceStore, Identity, StoredMessage } from './store.ts';

/** A store that holds files open. */
export interface FileStore extends DeviceStore {
  /** Where the attachment of a message is, for other programs; undefined if none is stored. */
  attachmentPath(id: number): string | undefined;
  /** Waits for what is being written, and gives the folder free. */
  close(): Promise<void>;
}

/** The journal is written anew when it has this many lines that no longer matter, and more of them than others. */
const COMPACT_AT = 1000;

/**
 * Opens a folder as a device's database; makes it if there is none. For its owner only (0700, files 0600).
 *
 * What `add`, `remove` and `setIdentity` have resolved is on the disk. `markShown` outlives a kill of the process but
 * perhaps not a power cut, after which a message may be shown once more.
 *
 * @param options.now the time in milliseconds; default Date.now
 * @throws StoreError if another process has it open, or a file is damaged
 * @example
 * const store = await openFileStore('/home/me/.local/share/peal');
 */
export async function openFileStore(
  folder: string,
  options: { now?: () => number } = {},
): Promise<FileStore> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const unlock = await takeLock(join(folder, 'lock'));
  try {
    const [journal, lines] = await Journal.open(
      join(folder, 'messages.jsonl'),
      (line) => parseRecord(line) !== undefined,
    );
    const store = new FolderStore(folder, journal, lines, unlock, options.now ?? Date.now);
    await store.clearAttachments();
    return store;
  } catch (error) {
    await unlock();
    throw error;
  }
}

class FolderStore implements FileStore {
  readonly #identityPath: string;
  readonly #attachments: string;
  readonly #journal: Journal;
  readonly #unlock: () => Promise<void>;
  readonly #now: () => number;
  readonly #table = new MessageTable();
  #lines: number;
  /** The last of the writes, which come one after another. Never rejects. */
  #writing: Promise<void> = Promise.resolve();

  constructor(
    folder: string,
    journal: Journal,
    lines: readonly string[],
    unlock: () => Promise<void>,
    now: () => number,
  ) {
    this.#identityPath = join(folder, 'identity.json');
    this.#attachments = join(folder, 'attachments');
    this.#journal = journal;
    this.#unlock = unlock;
    this.#now = now;
    this.#lines = lines.length;
    for (const line of lines) {
      const record = parseRecord(line);
      if (record) this.#table.apply(record);
    }
  }

  async identity(): Promise<Identity | undefined> {
    const text = await readFile(this.#identityPath, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    return text === undefined ? undefined : parseIdentity(this.#identityPath, text);
  }

  setIdentity(identity: Identity | undefined): Promise<void> {
    return this.#inTurn(async () => {
      if (!identity) return rm(this.#identityPath, { force: true });
      const { keys, ...rest } = identity;
      const kept = { ...rest, ...(keys ? { secret_key: toBase64(keys.secretKey) } : {}) };
      await writeWhole(this.#identityPath, `${JSON.stringify(kept, null, 2)}\n`);
    });
  }

  add: DeviceStore['add'] = (messages) =>
    this.#inTurn(async () => {
      const news = this.#table.news(messages);
      if (news.length > 0) await this.#record({ op: 'add', messages: news }, true);
    });

  markShown: DeviceStore['markShown'] = (ids) =>
    this.#inTurn(() => this.#record({ op: 'shown', ids }, false));

  /** First the journal: a file that is left over is deleted at the next start. */
  remove: DeviceStore['remove'] = (ids) =>
    this.#inTurn(async () => {
      const paths = ids.flatMap((id) => this.attachmentPath(id) ?? []);
      await this.#record({ op: 'remove', ids, at: this.#seconds() }, true);
      for (const path of paths) await rm(path, { force: true });
    });

  /** First the file, whole and on the disk, then the journal: what the journal says is stored is there. */
  setAttachment: DeviceStore['setAttachment'] = (id, attachment) =>
    this.#inTurn(async () => {
      const message = this.#table.get(id);
      if (!message || !this.#table.awaitsAttachment(id)) return;
      if (typeof attachment !== 'string') {
        await mkdir(this.#attachments, { recursive: true, mode: 0o700 });
        await writeWhole(this.#pathOf(message), attachment);
      }
      const state: 'stored' | AttachmentLoss = typeof attachment === 'string' ? attachment : 'stored';
      await this.#record({ op: 'attachment', ids: [id], state }, true);
    });

  async attachment(id: number) {
    const path = this.attachmentPath(id);
    return path === undefined ? undefined : new Uint8Array(await readFile(path));
  }

  attachmentPath(id: number): string | undefined {
    const message = this.#table.get(id);
    return message?.attachment === 'stored' ? this.#pathOf(message) : undefined;
  }

  /** Deletes files that belong to no message: what was cut off before the journal knew of it. */
  async clearAttachments(): Promise<void> {
    const files = await readdir(this.#attachments).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    const kept = new Set(this.#table.list().map(({ id }) => this.attachmentPath(id)));
    for (const file of files) {
      const path = join(this.#attachments, file);
      if (!kept.has(path)) await rm(path, { force: true });
    }
  }

  /** The ending is of a known type, or none: nothing that a message says becomes part of a path. */
  #pathOf(message: StoredMessage): string {
    const type = message.kind === 'message' ? message.message.attachment?.type : undefined;
    const ending = Object.entries(IMAGE_TYPES).find(([name]) => name === type)?.[1] ?? 'bin';
    return join(this.#attachments, `${message.id}.${ending}`);
  }

  async has(id: number) {
    return this.#table.has(id);
  }

  async list() {
    return this.#table.list();
  }

  async unshown() {
    return this.#table.unshown();
  }

  async unreadable() {
    return this.#table.unreadable();
  }

  async expiring() {
    return this.#table.expiring();
  }

  async highest() {
    return this.#table.highest();
  }

  async close(): Promise<void> {
    await this.#inTurn(() => this.#journal.close());
    await this.#unlock();
  }

  /** First the file, then the memory: what is seen is what is kept. */
  async #record(record: TableRecord, durable: boolean): Promise<void> {
    await this.#journal.append(JSON.stringify(record), durable);
    this.#lines++;
    this.#table.apply(record);
    const stale = this.#lines - this.#table.size();
    if (stale < COMPACT_AT || stale < this.#table.size()) return;
    const snapshot = this.#table.snapshot(this.#seconds());
    await this.#journal.replace(snapshot.map((line) => JSON.stringify(line)));
    this.#lines = snapshot.length;
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#writing.then(work);
    // Who called gets the error; the next write starts either way.
    this.#writing = done.catch(() => undefined);
    return done;
  }

  #seconds(): number {
    return Math.floor(this.#now() / 1000);
  }
}

function parseIdentity(path: string, text: string): Identity {
  const damaged = (cause?: unknown) =>
    new StoreError(`${path}: damaged; delete it and log in again`, cause ? { cause } : {});
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw damaged(cause);
  }
  if (!isRecord(value)) throw damaged();
  const { user, device, secret, secret_key } = value;
  if (typeof user !== 'string' || typeof device !== 'string' || typeof secret !== 'string') throw damaged();
  if (secret_key === undefined) return { user, device, secret };
  const bytes = typeof secret_key === 'string' ? fromBase64(secret_key) : undefined;
  if (bytes?.length !== 32) throw damaged();
  return { user, device, secret, keys: keyPairFrom(bytes) };
}
