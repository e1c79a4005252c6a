/**
 * What counts as a device's public key: an X25519 u-coordinate (RFC 7748 §5) that sealing can use and that the
 * device can open with.
 */
import nacl from 'tweetnacl';

/** Bytes in an X25519 public key (RFC 7748 §5). */
export const PUBLIC_KEY_BYTES = 32;

/** 32 bytes in standard base64 are 43 digits and one `=` (RFC 4648 §4). */
const BASE64_OF_32_BYTES = /^[A-Za-z0-9+/]{43}=$/;

/** Any scalar serves: clamping makes it a multiple of 8, which takes every low-order point to zero. */
const PROBE = new Uint8Array(PUBLIC_KEY_BYTES).fill(1);

/**
 * Tells whether `key` may be registered: 32 bytes, a reduced field element, not of low order.
 *
 * Low-order points (RFC 7748 §6.1: the shared secret is all zero) would make every later seal for the device throw.
 * Unreduced encodings (u ≥ 2^255 − 19) seal without error but never open, because the nonce is a hash over the key's
 * bytes and the device, which computes its key anew from its secret, gets the reduced ones.
 *
 * @example
 * isPublicKey(new Uint8Array(32)); // false: zero is a low-order point
 */
export function isPublicKey(key: Uint8Array): boolean {
  return key.length === PUBLIC_KEY_BYTES && isReduced(key) && !isLowOrder(key);
}

/**
 * Reads a public key as a device sends it: standard base64 with padding (RFC 4648 §4).
 *
 * @returns the 32 bytes, or undefined if the text is not base64 of a usable key (see {@link isPublicKey})
 * @example
 * parsePublicKey('hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=')?.length; // 32
 * parsePublicKey('AAAA'); // undefined
 */
export function parsePublicKey(text: string): Uint8Array | undefined {
  if (!BASE64_OF_32_BYTES.test(text)) return undefined;
  const key = Buffer.from(text, 'base64');
  // The last digit has two spare bits. Only zeros there are canonical, else one key would have four spellings.
  if (key.toString('base64') !== text) return undefined;
  return isPublicKey(key) ? new Uint8Array(key) : undefined;
}

/** u < p = 2^255 − 19, little-endian: bit 255 clear, and not one of the 19 values from p to 2^255 − 1. */
function isReduced(key: Uint8Array): boolean {
  const last = key[31] ?? 0;
  if (last > 0x7f) return false;
  if (last < 0x7f || (key[0] ?? 0) < 0xed) return true;
  return key.subarray(1, 31).some((byte) => byte !== 0xff);
}

function isLowOrder(key: Uint8Array): boolean {
  return nacl.scalarMult(PROBE, key).every((byte) => byte === 0);
}
