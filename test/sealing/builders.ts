/** Builders for the sealing tests. */
import { createPrivateKey } from 'node:crypto';
import fc from 'fast-check';
import nacl from 'tweetnacl';
import { type Ephemeral, ephemeralFrom } from '../../lib/sealing/seal.ts';

/** An ephemeral key pair with the given secret, as the fast path wants it. */
export function ephemeralOf(secret: Uint8Array): Ephemeral {
  const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
  const x = base64url(nacl.box.keyPair.fromSecretKey(secret).publicKey);
  return ephemeralFrom(
    createPrivateKey({ key: { kty: 'OKP', crv: 'X25519', x, d: base64url(secret) }, format: 'jwk' }),
  );
}

/** Any 32 bytes. */
export const secrets = fc.uint8Array({ minLength: 32, maxLength: 32 });

/** Any bytes up to 64 KiB; long ones repeat a short pattern, which is cheap to make and to shrink. */
export const plaintexts = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc
    .tuple(fc.integer({ min: 0, max: 65_536 }), fc.uint8Array({ minLength: 1, maxLength: 97 }))
    .map(([length, pattern]) => Uint8Array.from({ length }, (_, i) => pattern[i % pattern.length] ?? 0)),
);

export const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
