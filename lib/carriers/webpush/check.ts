import { createPublicKey, verify } from 'node:crypto';
import type { Checked } from '../check.ts';
import { CredentialsError } from '../credentials-error.ts';
import { type VapidKey, VapidTokens } from './vapid.ts';

/** A push service; which one does not matter, since nothing is sent. */
const ORIGIN = 'https://updates.push.services.mozilla.com';

/**
 * Checks a VAPID key. Push services know nobody, so there is no one to ask: it signs as for a push, and checks the
 * signature with the public half, as they do.
 */
export function checkVapid(key: VapidKey): Checked {
  try {
    const header = new VapidTokens(key, Date.now).header(ORIGIN);
    const [, signed = '', signature = ''] = /t=([^.]+\.[^.]+)\.([^,]+)/.exec(header) ?? [];
    const point = Buffer.from(key.publicKey, 'base64url');
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'));
    const publicKey = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: x!, y: y! }, format: 'jwk' });
    const bytes = Buffer.from(signature, 'base64url');
    if (verify('sha256', Buffer.from(signed), { key: publicKey, dsaEncoding: 'ieee-p1363' }, bytes)) {
      return {
        kind: 'good',
        said: 'the pair of keys signs and verifies; push services cannot be asked beforehand',
      };
    }
    return { kind: 'wrong', said: 'what the private key signs, the public key does not verify' };
  } catch (error) {
    if (error instanceof CredentialsError) return { kind: 'wrong', said: error.message };
    throw error;
  }
}
