/** Reading signed JWTs as the carriers do. */

import { createPublicKey, type KeyObject, verify } from 'node:crypto';

/** A JWT whose parts could be read; whether its signature is good is another question. */
export interface Jwt {
  header: Record<string, unknown>;
  claims: Record<string, unknown>;
  /** What was signed. */
  signed: string;
  signature: Buffer;
}

/** Takes a compact JWT (RFC 7519) apart; undefined if it is none. */
export function parseJwt(text: string): Jwt | undefined {
  const [header, claims, signature, ...rest] = text.split('.');
  if (!header || !claims || !signature || rest.length > 0) return undefined;

  const [parsedHeader, parsedClaims] = [part(header), part(claims)];
  if (!parsedHeader || !parsedClaims) return undefined;
  return {
    header: parsedHeader,
    claims: parsedClaims,
    signed: `${header}.${claims}`,
    signature: Buffer.from(signature, 'base64url'),
  };
}

/** Whether the signature is that of the key, for RS256 or ES256 (RFC 7518, sections 3.3 and 3.4). */
export function isSignedBy(jwt: Jwt, algorithm: 'RS256' | 'ES256', publicKey: string | KeyObject): boolean {
  if (jwt.header.alg !== algorithm) return false;

  const key = typeof publicKey === 'string' ? createPublicKey(publicKey) : publicKey;
  const options = algorithm === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' as const } : { key };
  return verify('sha256', Buffer.from(jwt.signed), options, jwt.signature);
}

function part(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    // Not JSON: whoever asks treats it like a missing token.
    return undefined;
  }
}
