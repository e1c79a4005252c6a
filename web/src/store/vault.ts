/**
 * Keeps secrets in the database, encrypted (AES-GCM) with a key that the browser does not give out. A copy of the
 * database's content alone opens nothing; script on this origin could use the key, which is what the page's
 * Content-Security-Policy is for. X25519 keys themselves cannot be non-extractable here: a sealed box needs the raw
 * shared secret (XSalsa20), which WebCrypto has no call for.
 */
import type { Database } from './database.ts';

/** What is kept of a secret. */
export interface Sealed {
  iv: Uint8Array<ArrayBuffer>;
  data: ArrayBuffer;
}

const KEY = 'vault-key';
const ALGORITHM = 'AES-GCM';
const IV_BYTES = 12;

/** Encrypts something that JSON can say. */
export async function lock(db: Database, value: unknown): Promise<Sealed> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const plaintext = new TextEncoder().encode(JSON.stringify(value));
  return { iv, data: await crypto.subtle.encrypt({ name: ALGORITHM, iv }, await vaultKey(db), plaintext) };
}

/** Decrypts what {@link lock} gave. @throws DOMException if it was not locked here */
export async function unlock(db: Database, { iv, data }: Sealed): Promise<unknown> {
  const plaintext = await crypto.subtle.decrypt({ name: ALGORITHM, iv }, await vaultKey(db), data);
  return JSON.parse(new TextDecoder().decode(plaintext));
}

/** This browser's key, made when it is first needed. Of two contexts that make one at once, the first one's stays. */
async function vaultKey(db: Database): Promise<CryptoKey> {
  const known = await db.get('meta', KEY);
  if (known) return known as CryptoKey;
  const made = await crypto.subtle.generateKey({ name: ALGORITHM, length: 256 }, false, [
    'encrypt',
    'decrypt',
  ]);
  const change = db.transaction('meta', 'readwrite', { durability: 'strict' });
  const first = await change.store.get(KEY);
  if (!first) await change.store.put(made, KEY);
  await change.done;
  return (first as CryptoKey | undefined) ?? made;
}
