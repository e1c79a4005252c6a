/**
 * Sealing: libsodium's `crypto_box_seal`, with X25519 from node:crypto, which is native and the costly part.
 *
 *     (esk, epk) = new X25519 key pair                                    RFC 7748
 *     k          = HSalsa20(X25519(esk, pk), 0^16)                        crypto_box_beforenm
 *     nonce      = BLAKE2b(epk ‖ pk), 24 bytes                            RFC 7693
 *     sealed     = epk ‖ XSalsa20-Poly1305(plaintext, nonce, k)           crypto_secretbox_easy
 *
 * {@link https://doc.libsodium.org/public-key_cryptography/sealed_boxes}. `reference.ts` is the same, plainly.
 */
import { createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { blake2b } from '@noble/hashes/blake2.js';
import nacl from 'tweetnacl';
import { createKeyCache, type KeyCache, keyName } from './key-cache.ts';
import { PUBLIC_KEY_BYTES } from './public-key.ts';

/** How much longer the sealed message is: the ephemeral public key and Poly1305's tag. `crypto_box_SEALBYTES`. */
export const SEAL_OVERHEAD = PUBLIC_KEY_BYTES + nacl.secretbox.overheadLength;

/** Seals messages; keeps the recipients' imported keys between them. */
export interface Sealer {
  /**
   * Seals one plaintext for each of `keys`.
   *
   * One new ephemeral key pair serves the whole call and is forgotten after it. A key that is named twice gets the
   * very same box twice: nonce and key of the cipher follow from the two public keys, so a second box under them
   * is only safe because it is the same one.
   *
   * @param plaintext any bytes
   * @param keys recipients' public keys, 32 bytes each, as `parsePublicKey` gives them
   * @returns one sealed message a key, in the order of `keys`, each `SEAL_OVERHEAD` bytes longer than the plaintext
   * @throws RangeError if a key is not 32 bytes long or is of low order; nothing is sealed then
   */
  sealForAll(plaintext: Uint8Array, keys: readonly Uint8Array[]): Uint8Array[];
}

/** An ephemeral key pair, for one call. */
export interface Ephemeral {
  privateKey: KeyObject;
  publicKey: Uint8Array;
}

/**
 * Creates a sealer.
 *
 * @param options.cacheSize how many recipients' imported keys it keeps (10,000: about 10 MB)
 * @example
 * const sealer = createSealer();
 * const [forPhone, forTablet] = sealer.sealForAll(envelope, [phoneKey, tabletKey]);
 */
export function createSealer(options: { cacheSize?: number } = {}): Sealer {
  const importKey = createKeyCache(options.cacheSize);
  return {
    sealForAll: (plaintext, keys) =>
      keys.length === 0 ? [] : sealForAllFrom(newEphemeral(), plaintext, keys, importKey),
  };
}

/**
 * {@link Sealer.sealForAll} with the ephemeral key pair given, so that vectors and tests can fix it. Never call it
 * twice with the same pair and different plaintexts: the cipher's key and nonce would repeat.
 */
export function sealForAllFrom(
  ephemeral: Ephemeral,
  plaintext: Uint8Array,
  keys: readonly Uint8Array[],
  importKey: KeyCache,
): Uint8Array[] {
  const boxes = new Map<string, Uint8Array>();
  return keys.map((key) => {
    const name = keyName(key);
    const box = boxes.get(name) ?? sealOne(ephemeral, plaintext, key, importKey(key));
    boxes.set(name, box);
    return box;
  });
}

/** An ephemeral key pair from a private key. */
export function ephemeralFrom(privateKey: KeyObject): Ephemeral {
  return { privateKey, publicKey: rawPublicKey(createPublicKey(privateKey)) };
}

function newEphemeral(): Ephemeral {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  return { privateKey, publicKey: rawPublicKey(publicKey) };
}

/** JWK is the one export that needs no ASN.1; `x` is the 32 bytes (RFC 8037 §2). */
function rawPublicKey(key: KeyObject): Uint8Array {
  return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
}

function sealOne(ephemeral: Ephemeral, plaintext: Uint8Array, key: Uint8Array, publicKey: KeyObject) {
  const cipherKey = hsalsa20(agree(ephemeral.privateKey, publicKey));
  const nonce = sealNonce(ephemeral.publicKey, key);
  const box = nacl.secretbox(plaintext, nonce, cipherKey);
  const sealed = new Uint8Array(PUBLIC_KEY_BYTES + box.length);
  sealed.set(ephemeral.publicKey);
  sealed.set(box, PUBLIC_KEY_BYTES);
  return sealed;
}

function agree(privateKey: KeyObject, publicKey: KeyObject): Uint8Array {
  try {
    return diffieHellman({ privateKey, publicKey });
  } catch (cause) {
    // OpenSSL fails on one thing only: the all-zero secret that RFC 7748 §6.1 tells to refuse.
    throw new RangeError("recipient's public key: expected a point of high order", { cause });
  }
}

/** BLAKE2b-24 over both public keys. Its length is a parameter of the hash: a longer one cut off is another value. */
function sealNonce(ephemeralKey: Uint8Array, key: Uint8Array): Uint8Array {
  const both = new Uint8Array(2 * PUBLIC_KEY_BYTES);
  both.set(ephemeralKey);
  both.set(key, PUBLIC_KEY_BYTES);
  return blake2b(both, { dkLen: nacl.secretbox.nonceLength });
}

/** tweetnacl exports its primitives under `lowlevel`, which its types leave out. */
interface Lowlevel {
  lowlevel: {
    crypto_core_hsalsa20(out: Uint8Array, input: Uint8Array, key: Uint8Array, constant: Uint8Array): void;
  };
}
const { crypto_core_hsalsa20 } = (nacl as typeof nacl & Lowlevel).lowlevel;
const ZEROS = new Uint8Array(16);
const SIGMA = new TextEncoder().encode('expand 32-byte k');

/** HSalsa20 of sixteen zero bytes: `crypto_box_beforenm`'s second half (NaCl, "Cryptography in NaCl" §8). */
function hsalsa20(secret: Uint8Array): Uint8Array {
  const key = new Uint8Array(32);
  crypto_core_hsalsa20(key, ZEROS, secret, SIGMA);
  return key;
}
