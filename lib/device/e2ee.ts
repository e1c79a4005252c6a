/**
 * Pushover's end-to-end encryption (`encrypted=1`): a sender encrypts the text fields with a key that only it and the
 * account's devices have. Each field by itself is
 *
 *     base64( IV ‖ AES-256-CBC( gzip( UTF-8 ) ) ‖ HMAC-SHA256( IV ‖ ciphertext ) )
 *
 * with PKCS #7 padding (RFC 5652 §6.3), a random IV of 16 bytes, and one key of 32 bytes for both. All on WebCrypto and
 * the Compression Streams that browsers and Node share.
 */
import type { Message } from './envelope.ts';
import { fromBase64, toBase64 } from './keys.ts';

/** An account's key, which is typed into each of its devices and senders. It cannot be read back. */
export interface E2eeKey {
  readonly aes: CryptoKey;
  readonly mac: CryptoKey;
}

/** The fields that a sender encrypts. */
export const E2EE_FIELDS = ['message', 'title', 'url', 'url_title'] as const;

/** A field that a sender encrypts. */
export type E2eeField = (typeof E2EE_FIELDS)[number];

/**
 * Why a field could not be opened. `form`: it is no ciphertext. `mac`: it was made with another key, or changed.
 * `content`: the sender's key, but not gzip of UTF-8. `size`: too much text comes out of it.
 */
export type E2eeReason = 'content' | 'form' | 'mac' | 'size';

/** A field could not be opened. */
export class E2eeError extends Error {
  override readonly name = 'E2eeError';
  readonly reason: E2eeReason;

  constructor(reason: E2eeReason, cause?: unknown) {
    super(`the field cannot be opened: ${reason}`, { cause });
    this.reason = reason;
  }
}

const IV_BYTES = 16;
const BLOCK_BYTES = 16;
const MAC_BYTES = 32;

/** Most text that a field may open to: sixteen times a message of 1,024 four-byte characters. A gzip bomb ends here. */
const MAX_TEXT_BYTES = 64 * 1024;

/**
 * The key that an account's owner typed: 64 hexadecimal digits, of any case.
 *
 * @throws RangeError for anything else; it does not repeat the text, which is a secret
 */
export async function e2eeKey(text: string): Promise<E2eeKey> {
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new RangeError('E2EE key: expected 64 hexadecimal digits');
  const bytes = Uint8Array.from({ length: 32 }, (_, n) => Number.parseInt(text.slice(2 * n, 2 * n + 2), 16));
  const [aes, mac] = await Promise.all([
    crypto.subtle.importKey('raw', bytes, 'AES-CBC', false, ['encrypt', 'decrypt']),
    crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']),
  ]);
  return { aes, mac };
}

/** Encrypts one field. */
export async function sealE2eeText(text: string, { aes, mac }: E2eeKey): Promise<string> {
  const zipped = await readAll(through(new TextEncoder().encode(text), new CompressionStream('gzip')));
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const ciphertext = await crypto.subtle.encrypt({ name: 'AES-CBC', iv }, aes, zipped);
  const covered = concat([iv, new Uint8Array(ciphertext)]);
  return toBase64(concat([covered, new Uint8Array(await crypto.subtle.sign('HMAC', mac, covered))]));
}

/**
 * Opens one field. The MAC is checked before anything is decrypted (encrypt-then-MAC), by WebCrypto's own comparison,
 * which takes the same time whatever differs.
 *
 * @throws E2eeError, and nothing else, for whatever is not a field that was sealed with this key
 */
export async function openE2eeText(text: string, { aes, mac }: E2eeKey): Promise<string> {
  const bytes = fromBase64(text);
  const length = (bytes?.length ?? 0) - IV_BYTES - MAC_BYTES;
  if (!bytes || length < BLOCK_BYTES || length % BLOCK_BYTES !== 0) throw new E2eeError('form');
  const covered = bytes.slice(0, -MAC_BYTES);
  if (!(await crypto.subtle.verify('HMAC', mac, bytes.slice(-MAC_BYTES), covered)))
    throw new E2eeError('mac');
  try {
    const iv = covered.slice(0, IV_BYTES);
    const zipped = await crypto.subtle.decrypt({ name: 'AES-CBC', iv }, aes, covered.slice(IV_BYTES));
    const opened = through(new Uint8Array(zipped), new DecompressionStream('gzip'));
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      await readAll(opened, MAX_TEXT_BYTES),
    );
  } catch (error) {
    // What is left is the sender's own mistake: padding, gzip or UTF-8 under a good MAC.
    throw error instanceof E2eeError ? error : new E2eeError('content', error);
  }
}

/** The fields of a message to be sent, encrypted and marked; the others as they are. Empty ones stay empty. */
export async function sealE2ee<Fields extends { [field in E2eeField]?: string | undefined }>(
  fields: Fields,
  key: E2eeKey,
): Promise<Fields & { encrypted: 1 }> {
  const sealed = await Promise.all(
    E2EE_FIELDS.map(async (field) => {
      const text = fields[field];
      return text ? [[field, await sealE2eeText(text, key)]] : [];
    }),
  );
  return { ...fields, ...Object.fromEntries(sealed.flat()), encrypted: 1 };
}

/** A message whose fields were opened. */
export interface OpenedE2ee {
  /** With the texts of the fields that could be opened. The others are as they came, and then it stays `encrypted`. */
  message: Message;
  /** The fields that could not be opened. */
  closed: E2eeField[];
}

/**
 * Opens the fields of a received message with the account's key. Senders mark messages of which they encrypted only
 * some fields (Apprise: the file name that stands for the message of a second attachment), so a field that does not
 * open is kept as it came, and named. A message without the mark is given back as it is. Never throws.
 *
 * @example
 * const { message, closed } = await openE2ee(received, await e2eeKey(typed));
 * show(message, { warn: closed.length > 0 });
 */
export async function openE2ee(message: Message, key: E2eeKey): Promise<OpenedE2ee> {
  if (!message.encrypted) return { message, closed: [] };
  const { encrypted, ...opened } = message;
  const closed: E2eeField[] = [];
  for (const field of E2EE_FIELDS) {
    const text = message[field];
    if (text === undefined) continue;
    try {
      opened[field] = await openE2eeText(text, key);
    } catch (error) {
      if (!(error instanceof E2eeError)) throw error;
      closed.push(field);
    }
  }
  return { message: closed.length > 0 ? { ...opened, encrypted } : opened, closed };
}

type Bytes = Uint8Array<ArrayBuffer>;

/** The bytes, through a stream that compresses or decompresses. */
function through(bytes: Bytes, stream: CompressionStream | DecompressionStream): ReadableStream<Bytes> {
  return new Blob([bytes]).stream().pipeThrough(stream);
}

/** All of a stream; no more is read than `most` bytes and what came with them. @throws E2eeError for more */
async function readAll(stream: ReadableStream<Bytes>, most = Number.POSITIVE_INFINITY): Promise<Bytes> {
  const reader = stream.getReader();
  const chunks: Bytes[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concat(chunks);
    length += value.length;
    if (length > most) {
      await reader.cancel();
      throw new E2eeError('size');
    }
    chunks.push(value);
  }
}

function concat(parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
