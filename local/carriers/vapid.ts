/** Reading the `Authorization` of an application server as push services do (RFC 8292). */

import { createPublicKey, type KeyObject } from 'node:crypto';
import { isSignedBy, parseJwt } from './jwt.ts';

const DAY = 24 * 3600;
/** How far clocks may differ. Seconds. */
const SKEW = 60;
/** Names that nobody can be written to at (RFC 2606, RFC 6761, RFC 6762); Apple refuses them. */
const NOBODYS = /(^|\.)(localhost|local|invalid|test)$/;

/** Who sends, or what is wrong with how it says so. */
export type Vapid = { key: string } | { wrong: 'expired' | 'key' | 'token' };

/**
 * Checks a VAPID header: its form, the signature, the audience, the expiry and the subject.
 *
 * @param authorization the header
 * @param origin the push service's own
 * @param now Unix milliseconds
 */
export function readVapid(authorization: string | undefined, origin: string, now: number): Vapid {
  const parameters = /^vapid\s+(.*)$/i.exec(authorization ?? '')?.[1] ?? '';
  const fields = new Map(
    parameters.split(',').map((part) => part.trim().split(/=(.*)/s) as [string, string]),
  );
  const key = fields.get('k') ?? '';
  const publicKey = publicKeyOf(key);
  if (!publicKey) return { wrong: 'key' };

  const jwt = parseJwt(fields.get('t') ?? '');
  if (!jwt || !isSignedBy(jwt, 'ES256', publicKey)) return { wrong: 'token' };
  const { aud, exp, sub } = jwt.claims;
  const seconds = now / 1000;
  if (aud !== origin || !Number.isInteger(exp) || !isContact(sub)) return { wrong: 'token' };
  if (Number(exp) < seconds - SKEW) return { wrong: 'expired' };
  return Number(exp) > seconds + DAY + SKEW ? { wrong: 'token' } : { key };
}

function publicKeyOf(text: string): KeyObject | undefined {
  const point = Buffer.from(text, 'base64url');
  if (!/^[A-Za-z0-9_-]{87}$/.test(text) || point[0] !== 4) return undefined;
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'));
  try {
    return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: x!, y: y! }, format: 'jwk' });
  } catch {
    // Not a point of the curve.
    return undefined;
  }
}

/** Whether somebody could be reached there. */
function isContact(subject: unknown): boolean {
  const url = typeof subject === 'string' ? URL.parse(subject) : null;
  if (url?.protocol === 'https:') return !NOBODYS.test(url.hostname);
  const host = url?.protocol === 'mailto:' ? /^[^@\s]+@([^@\s]+)$/.exec(url.pathname)?.[1] : undefined;
  return host?.includes('.') === true && !NOBODYS.test(host);
}
