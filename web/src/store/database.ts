/** This browser's database: one for all tabs and the service worker. */
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import type { StoredMessage } from '../../../lib/device/index.ts';

/** A message as it is kept: with what the indexes need, since neither booleans nor nested absences are keys. */
export interface MessageRow {
  id: number;
  stored: StoredMessage;
  /** There as long as the message is not shown. */
  unshown?: 1;
  /** There if it could not be read. */
  unreadable?: 1;
  /** Unix seconds; there if it expires. */
  expires?: number;
}

/** An emergency message that asks no more: it was acknowledged here, or it is known that it has ended elsewhere. */
export interface Acknowledgement {
  /** Message id. */
  id: number;
  receipt: string;
  /** Unix milliseconds. */
  at: number;
  /** There as long as Peal has not been told. */
  waiting?: 1;
  /** There if nobody did so here: it was acknowledged elsewhere, or its sender cancelled it. */
  ended?: Ended;
}

/** How an emergency ended elsewhere. */
export type Ended =
  | { how: 'cancelled' }
  /** On which device, if it is one of the account. */
  | { how: 'acknowledged'; device?: string };

interface Schema extends DBSchema {
  messages: {
    key: number;
    value: MessageRow;
    indexes: { unshown: number; unreadable: number; expires: number };
  };
  /** Ids of removed messages, and when. Unix seconds. */
  removed: { key: number; value: { id: number; at: number }; indexes: { at: number } };
  /** The images of messages, by the message's id. */
  attachments: { key: number; value: Uint8Array };
  acknowledgements: { key: number; value: Acknowledgement; indexes: { waiting: number } };
  /** Single values by name. */
  meta: { key: string; value: unknown };
}

export type Database = IDBPDatabase<Schema>;

const NAME = 'peal';
const VERSION = 1;

/**
 * Opens the database; makes it on the first start.
 *
 * @param onReplaced a later version of the app, in another tab or the worker, needs the database to change: this one has
 *   let go of it, and has to start again
 */
export function openDatabase(onReplaced: () => void): Promise<Database> {
  return openDB<Schema>(NAME, VERSION, {
    blocking(_from, _to, event) {
      (event.target as IDBDatabase).close();
      onReplaced();
    },
    upgrade(db) {
      const messages = db.createObjectStore('messages', { keyPath: 'id' });
      messages.createIndex('unshown', 'unshown');
      messages.createIndex('unreadable', 'unreadable');
      messages.createIndex('expires', 'expires');
      db.createObjectStore('removed', { keyPath: 'id' }).createIndex('at', 'at');
      db.createObjectStore('acknowledgements', { keyPath: 'id' }).createIndex('waiting', 'waiting');
      db.createObjectStore('attachments');
      db.createObjectStore('meta');
    },
  });
}

/** Forgets everything: messages, keys, settings. The database itself stays, since other tabs have it open. */
export async function wipe(db: Database): Promise<void> {
  const names = [...db.objectStoreNames];
  const change = db.transaction(names, 'readwrite', { durability: 'strict' });
  await Promise.all([...names.map((name) => change.objectStore(name).clear()), change.done]);
}
