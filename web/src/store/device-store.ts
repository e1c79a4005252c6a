/** The device's database in IndexedDB: the same as `lib/device/message-table.ts`, in transactions. */
import {
  type DeviceStore,
  fromBase64,
  type Identity,
  keyPairFrom,
  type NewMessage,
  type StoredMessage,
  toBase64,
} from '../../../lib/device/index.ts';
import type { Database, MessageRow } from './database.ts';
import { lock, type Sealed, unlock } from './vault.ts';

/** A change of the messages, by their ids. */
export interface StoreChange {
  changed: readonly number[];
  removed: readonly number[];
}

/** A device store that knows which device this browser was before it logged out. */
export interface BrowserStore extends DeviceStore {
  get(id: number): Promise<StoredMessage | undefined>;
  /** The device that this browser was when it last logged in; its `secret` may be worth nothing by now. */
  formerIdentity(): Promise<Identity | undefined>;
}

/**
 * How long a removed message's id stays known: longer than Peal keeps a message (21 days), after which no copy of it
 * can come any more. Seconds.
 */
const TOMBSTONE_SECONDS = 30 * 86_400;

/** What resolves is on the disk, whatever becomes of the tab. */
const DURABLE = { durability: 'strict' } as const;

interface KeptIdentity {
  user: string;
  device: string;
  /** `{secret, secretKey}`. */
  secrets: Sealed;
}

/**
 * Creates the store.
 *
 * @param onChange told of what other tabs have to show
 */
export function createDeviceStore(
  db: Database,
  { now = Date.now, onChange }: { now?: () => number; onChange(change: StoreChange): void },
): BrowserStore {
  async function read(name: 'former' | 'identity'): Promise<Identity | undefined> {
    const kept = (await db.get('meta', name)) as KeptIdentity | undefined;
    if (!kept) return undefined;
    const { user, device, secrets } = kept;
    const { secret, secretKey } = (await unlock(db, secrets)) as { secret: string; secretKey: string };
    const bytes = fromBase64(secretKey);
    return { user, device, secret, ...(bytes && bytes.length > 0 && { keys: keyPairFrom(bytes) }) };
  }

  return {
    identity: () => read('identity'),
    formerIdentity: () => read('former'),

    async setIdentity(identity) {
      const kept = identity && (await keep(db, identity));
      const change = db.transaction('meta', 'readwrite', DURABLE);
      if (kept) {
        await Promise.all([
          change.store.put(kept, 'identity'),
          change.store.put(kept, 'former'),
          change.done,
        ]);
      } else await Promise.all([change.store.delete('identity'), change.done]);
    },

    async add(messages) {
      const changed: number[] = [];
      const change = db.transaction(['messages', 'removed', 'meta'], 'readwrite', DURABLE);
      const [table, removed, meta] = [
        change.objectStore('messages'),
        change.objectStore('removed'),
        change.objectStore('meta'),
      ];
      let highest = ((await meta.get('highest')) as number | undefined) ?? 0;
      for (const message of messages) {
        if (await removed.getKey(message.id)) continue;
        const known = await table.get(message.id);
        if (known && !(known.unreadable && message.kind === 'message')) continue;
        await table.put(row(message));
        changed.push(message.id);
        highest = Math.max(highest, message.id);
      }
      if (changed.length > 0) await meta.put(highest, 'highest');
      await change.done;
      if (changed.length > 0) onChange({ changed, removed: [] });
    },

    async has(id) {
      const look = db.transaction(['messages', 'removed']);
      const keys = await Promise.all([
        look.objectStore('messages').getKey(id),
        look.objectStore('removed').getKey(id),
      ]);
      return keys.some((key) => key !== undefined);
    },

    get: async (id) => (await db.get('messages', id))?.stored,
    list: async () => stored(await db.getAll('messages')),
    unshown: async () => stored(await db.getAllFromIndex('messages', 'unshown')),
    unreadable: async () => stored(await db.getAllFromIndex('messages', 'unreadable')),
    expiring: async () =>
      (await db.getAllFromIndex('messages', 'expires')).flatMap(({ id, expires }) =>
        expires === undefined ? [] : [{ id, expires }],
      ),

    async markShown(ids) {
      // Not forced to the disk: a power cut may have a message shown twice, under the same tag.
      const change = db.transaction('messages', 'readwrite');
      for (const id of ids) {
        const found = await change.store.get(id);
        if (!found) continue;
        const { unshown: _, ...rest } = found;
        await change.store.put({ ...rest, stored: { ...found.stored, shown: true } });
      }
      await change.done;
    },

    async setAttachment(id, attachment) {
      const change = db.transaction(['messages', 'attachments'], 'readwrite', DURABLE);
      const table = change.objectStore('messages');
      const found = await table.get(id);
      if (found && found.stored.attachment === undefined) {
        const state = typeof attachment === 'string' ? attachment : 'stored';
        if (typeof attachment !== 'string') await change.objectStore('attachments').put(attachment, id);
        await table.put({ ...found, stored: { ...found.stored, attachment: state } });
      }
      await change.done;
      onChange({ changed: [id], removed: [] });
    },

    attachment: (id) => db.get('attachments', id),

    async remove(ids) {
      const at = Math.floor(now() / 1000);
      const change = db.transaction(
        ['messages', 'attachments', 'removed', 'acknowledgements', 'meta'],
        'readwrite',
        DURABLE,
      );
      const removed = change.objectStore('removed');
      for (const id of ids) {
        await change.objectStore('messages').delete(id);
        await change.objectStore('attachments').delete(id);
        await removed.put({ id, at });
      }
      const meta = change.objectStore('meta');
      const highest = Math.max(((await meta.get('highest')) as number | undefined) ?? 0, ...ids);
      if (highest > 0) await meta.put(highest, 'highest');
      for (const id of await removed.index('at').getAllKeys(IDBKeyRange.upperBound(at - TOMBSTONE_SECONDS))) {
        await removed.delete(id);
        await change.objectStore('acknowledgements').delete(id);
      }
      await change.done;
      onChange({ changed: [], removed: ids });
    },

    highest: async () => (await db.get('meta', 'highest')) as number | undefined,
  };
}

async function keep(db: Database, { user, device, secret, keys }: Identity): Promise<KeptIdentity> {
  const secrets = await lock(db, { secret, secretKey: keys ? toBase64(keys.secretKey) : '' });
  return { user, device, secrets };
}

function row(message: NewMessage): MessageRow {
  const expires = message.kind === 'message' ? message.message.expires : undefined;
  return {
    id: message.id,
    stored: { ...message, shown: false },
    unshown: 1,
    ...(message.kind === 'unreadable' && { unreadable: 1 }),
    ...(expires !== undefined && { expires }),
  };
}

const stored = (rows: MessageRow[]): StoredMessage[] => rows.map((one) => one.stored);
