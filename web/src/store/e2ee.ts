/**
 * The account's encryption key, which its owner typed. It is kept as the two keys that WebCrypto made of it, which the
 * browser uses and does not give out: nobody, this app included, reads the digits back.
 */
import {
  E2EE_FIELDS,
  type E2eeField,
  type E2eeKey,
  openE2ee,
  type StoredMessage,
} from '../../../lib/device/index.ts';
import type { Database } from './database.ts';

/**
 * Why fields of a message could not be opened. `no-key`: this browser has no key. `wrong-key`: it has, and the message
 * was encrypted with another, or changed.
 */
export type Closed = 'no-key' | 'wrong-key';

/** A message as it is shown: with its fields opened, and without those that could not be. */
export type ShownMessage = StoredMessage & { closed?: Closed };

const NAME = 'e2ee';

/** What each text of ciphertext is at least: IV, a block and MAC in base64. */
const CIPHERTEXT = /^[A-Za-z0-9+/]{86,}={0,2}$/;

export async function readKey(db: Database): Promise<E2eeKey | undefined> {
  return (await db.get('meta', NAME)) as E2eeKey | undefined;
}

/** Keeps a key in the place of the one before. `undefined` forgets it. */
export async function writeKey(db: Database, key: E2eeKey | undefined): Promise<void> {
  const change = db.transaction('meta', 'readwrite', { durability: 'strict' });
  await (key ? change.store.put(key, NAME) : change.store.delete(NAME));
  await change.done;
}

export const isEncrypted = (stored: StoredMessage): boolean =>
  stored.kind === 'message' && stored.message.encrypted === 1;

/**
 * Opens a message that its sender encrypted, to be shown: what is stored stays encrypted. Ciphertext that could not be
 * opened is left out; other text in a closed field is what a sender did not encrypt (Apprise's file names), and stays.
 */
export async function openMessage(stored: StoredMessage, key: E2eeKey | undefined): Promise<ShownMessage> {
  if (!key || stored.kind !== 'message' || !isEncrypted(stored)) return closeMessage(stored);
  const { message, closed } = await openE2ee(stored.message, key);
  return withoutCiphertext({ ...stored, message }, closed, 'wrong-key');
}

/** The message as it is shown without a key. */
export function closeMessage(stored: StoredMessage): ShownMessage {
  return isEncrypted(stored) ? withoutCiphertext(stored, E2EE_FIELDS, 'no-key') : stored;
}

function withoutCiphertext(
  stored: StoredMessage,
  fields: readonly E2eeField[],
  closed: Closed,
): ShownMessage {
  if (stored.kind !== 'message') return stored;
  const message = { ...stored.message };
  const missing = fields.filter((field) => CIPHERTEXT.test(message[field] ?? ''));
  for (const field of missing) {
    if (field === 'message') message.message = '';
    else delete message[field];
  }
  return missing.length > 0 ? { ...stored, message, closed } : { ...stored, message };
}
