/** Opens sealed messages: libsodium's `crypto_box_seal_open`, see `lib/sealing/seal.ts` for the steps. */
import { blake2b } from '@noble/hashes/blake2.js';
import nacl from 'tweetnacl';
import { parseEnvelope, type ReadEnvelope } from './envelope.ts';
import type { KeyPair } from './keys.ts';

/**
 * Opens a sealed message: the plaintext, or undefined if it was sealed for another key or was changed. Never throws.
 * The default is {@link openSealed}; where a faster one is at hand (libsodium), it may be given instead.
 */
export type Opener = (sealed: Uint8Array, keys: KeyPair) => Uint8Array | undefined;

/** What opening gave: an envelope, one of a version to come, or nothing that can be read. */
export type Opened = ReadEnvelope | { kind: 'unreadable'; reason: 'seal' };

const KEY_BYTES = nacl.box.publicKeyLength;

/**
 * `crypto_box_seal_open` in plain JavaScript, the same in browsers and Node.
 *
 * @param sealed ephemeral public key (32 bytes) ‖ box
 * @param keys the device's
 * @example
 * const plaintext = openSealed(sealed, keys);
 */
export const openSealed: Opener = (sealed, keys) => {
  if (sealed.length < KEY_BYTES + nacl.box.overheadLength) return undefined;
  const ephemeralKey = sealed.subarray(0, KEY_BYTES);
  const bothKeys = new Uint8Array(2 * KEY_BYTES);
  bothKeys.set(ephemeralKey);
  bothKeys.set(keys.publicKey, KEY_BYTES);
  const nonce = blake2b(bothKeys, { dkLen: nacl.box.nonceLength });
  return nacl.box.open(sealed.subarray(KEY_BYTES), nonce, ephemeralKey, keys.secretKey) ?? undefined;
};

/**
 * Opens a sealed message and reads the envelope in it. Never throws.
 *
 * @example
 * const opened = openEnvelope(sealed, keys);
 * if (opened.kind === 'unknown-version') keepForLater(sealed);
 */
export function openEnvelope(sealed: Uint8Array, keys: KeyPair, open: Opener = openSealed): Opened {
  const plaintext = open(sealed, keys);
  return plaintext ? parseEnvelope(plaintext) : { kind: 'unreadable', reason: 'seal' };
}
