/**
 * The sealed box, slow and plain: tweetnacl's `box` and a hash, nothing shared with `seal.ts`. Tests hold the fast
 * path against it and the vectors are made with it; nothing in production calls it.
 */
import { blake2b } from '@noble/hashes/blake2.js';
import nacl from 'tweetnacl';

/**
 * `crypto_box_seal` with the ephemeral secret key given.
 *
 * @param plaintext any bytes
 * @param publicKey the recipient's, 32 bytes
 * @param ephemeralSecret 32 bytes, new for each message
 * @returns ephemeral public key ‖ box: 48 bytes more than the plaintext
 * @example
 * const sealed = sealReference(plaintext, device.publicKey, nacl.randomBytes(32));
 */
export function sealReference(
  plaintext: Uint8Array,
  publicKey: Uint8Array,
  ephemeralSecret: Uint8Array,
): Uint8Array {
  const ephemeral = nacl.box.keyPair.fromSecretKey(ephemeralSecret);
  const nonce = blake2b(Uint8Array.of(...ephemeral.publicKey, ...publicKey), { dkLen: 24 });
  const box = nacl.box(plaintext, nonce, publicKey, ephemeralSecret);
  return Uint8Array.from([...ephemeral.publicKey, ...box]);
}

/**
 * `crypto_box_seal_open`.
 *
 * @param sealed what a seal returned
 * @param secretKey the recipient's, 32 bytes
 * @returns the plaintext, or undefined if it was sealed for another key, or was changed
 * @example
 * openReference(sealed, device.secretKey);
 */
export function openReference(sealed: Uint8Array, secretKey: Uint8Array): Uint8Array | undefined {
  if (sealed.length < 48) return undefined;
  const { publicKey } = nacl.box.keyPair.fromSecretKey(secretKey);
  const ephemeralKey = sealed.slice(0, 32);
  const nonce = blake2b(Uint8Array.of(...ephemeralKey, ...publicKey), { dkLen: 24 });
  return nacl.box.open(sealed.slice(32), nonce, ephemeralKey, secretKey) ?? undefined;
}
