/** A device's key pair (X25519, RFC 7748), and base64 as the API speaks it (RFC 4648 §4, padded). */
import nacl from 'tweetnacl';

/** A device's keys, 32 bytes each. The secret key never leaves the device. */
export interface KeyPair {
  publicKey: Uint8Array;
  secretKey: Uint8Array;
}

/**
 * Makes a new key pair from the system's random numbers.
 *
 * @example
 * const keys = createKeyPair();
 * toBase64(keys.publicKey); // what is registered
 */
export function createKeyPair(): KeyPair {
  return nacl.box.keyPair();
}

/**
 * The key pair of a secret key that was kept.
 *
 * @throws RangeError if it is not 32 bytes
 */
export function keyPairFrom(secretKey: Uint8Array): KeyPair {
  if (secretKey.length !== nacl.box.secretKeyLength) {
    throw new RangeError(`secret key: expected ${nacl.box.secretKeyLength} bytes, got ${secretKey.length}`);
  }
  return nacl.box.keyPair.fromSecretKey(secretKey);
}

/**
 * @example
 * toBase64(Uint8Array.of(1, 2)); // 'AQI='
 */
export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  // In pieces: the arguments of one call are limited.
  for (let at = 0; at < bytes.length; at += 4096) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 4096));
  }
  return btoa(binary);
}

/**
 * @returns undefined if the text is not base64
 * @example
 * fromBase64('AQI='); // Uint8Array [1, 2]
 */
export function fromBase64(text: string): Uint8Array | undefined {
  // atob also takes white space and missing padding; what Peal sends has neither.
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
