/**
 * The device's own database, as far as the rest of the library needs one. Small and asynchronous, so that memory, a
 * file and IndexedDB can each be behind it.
 */
import type { KeyPair } from './keys.ts';
import type { NewMessage } from './message.ts';

/** Who this device is. */
export interface Identity {
  /** User key of the account. */
  user: string;
  /** Device id. */
  device: string;
  /** The session's secret. */
  secret: string;
  /** Absent: registered without a key, gets plain messages. */
  keys?: KeyPair | undefined;
}

/** A message in the device's database. */
export type StoredMessage = NewMessage & {
  /** Whether it was handed to `onMessage`, which may be shortly after it was stored. */
  shown: boolean;
  /** What became of its attachment; absent: it has none, or it is still to be fetched. */
  attachment?: 'stored' | AttachmentLoss;
};

/**
 * Why a message has lost its attachment. `gone`: the server had it no longer. `damaged`: what came is not what the
 * message says. `given-up`: it could not be fetched, however often it was tried.
 */
export type AttachmentLoss = 'damaged' | 'given-up' | 'gone';

/** The device's database. Everything that has resolved survives the end of the process at any moment. */
export interface DeviceStore {
  identity(): Promise<Identity | undefined>;
  /** `undefined` forgets it (log out). Messages stay. */
  setIdentity(identity: Identity | undefined): Promise<void>;
  /**
   * Stores messages, all or none. One that is known (stored, or removed since) is left as it is, so that a repeat
   * does nothing; except that a readable copy takes the place of an unreadable one, and is not shown yet.
   */
  add(messages: readonly NewMessage[]): Promise<void>;
  /** Whether the id was ever stored here; also if the message was removed since. */
  has(id: number): Promise<boolean>;
  /** All messages, by ascending id. */
  list(): Promise<StoredMessage[]>;
  /** Messages that are not shown yet, by ascending id. */
  unshown(): Promise<StoredMessage[]>;
  /** Stores the attachment of a message that is stored, or notes that it is lost. Once: a repeat does nothing. */
  setAttachment(id: number, attachment: Uint8Array | AttachmentLoss): Promise<void>;
  /** The bytes of a message's attachment; undefined if none are stored. */
  attachment(id: number): Promise<Uint8Array | undefined>;
  /** Messages that could not be read, by ascending id. */
  unreadable(): Promise<StoredMessage[]>;
  /** Ids of the messages that expire, and when they do. Unix seconds. */
  expiring(): Promise<{ id: number; expires: number }[]>;
  markShown(ids: readonly number[]): Promise<void>;
  /** Removes messages and their attachments for good; their ids stay known, so that a late copy does not bring them back. */
  remove(ids: readonly number[]): Promise<void>;
  /** The highest id ever stored. */
  highest(): Promise<number | undefined>;
}
