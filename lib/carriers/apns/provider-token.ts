/**
 * APNs provider tokens (JWT, ES256) that all Lambda environments compute alike without talking to each other.
 *
 * Apple refuses tokens older than an hour (403 ExpiredProviderToken) and senders that change their token more often
 * than every 20 minutes (429 TooManyProviderTokenUpdates), counted by team: a token an environment breaks the second
 * rule as soon as a few environments run. So `iat` is rounded down to a window that all share, and the signature is
 * deterministic (RFC 6979): the same window gives the same bytes everywhere, one token in 40 minutes.
 */

import { createPrivateKey } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { CredentialsError } from '../credentials-error.ts';

/** Length of the window that shares a token, in seconds: between Apple's 20 and 60 minutes. */
export const WINDOW_SECONDS = 40 * 60;

/** `iat` is this much before the window, so that a clock ahead of Apple's signs nothing in the future. Seconds. */
export const SKEW_SECONDS = 60;

/** An APNs key as Apple gives it. */
export interface ApnsKey {
  /** 10 characters. */
  keyId: string;
  /** 10 characters. */
  teamId: string;
  /** PKCS#8 PEM of a P-256 key (the .p8 file). */
  privateKey: string;
}

/** Signs and caches provider tokens of one key. */
export class ProviderTokens {
  readonly #key: ApnsKey;
  readonly #now: () => number;
  #secret: Uint8Array | undefined;
  #cached: { iat: number; token: string } | undefined;

  /** @param now wall clock in milliseconds */
  constructor(key: ApnsKey, now: () => number) {
    this.#key = key;
    this.#now = now;
  }

  /**
   * The token of the present window.
   *
   * @throws {CredentialsError} if the private key is not a P-256 key in PKCS#8 PEM
   */
  current(): string {
    const seconds = Math.floor(this.#now() / 1000);
    const iat = seconds - (seconds % WINDOW_SECONDS) - SKEW_SECONDS;
    if (this.#cached?.iat !== iat) this.#cached = { iat, token: this.#sign(iat) };
    return this.#cached.token;
  }

  #sign(iat: number): string {
    this.#secret ??= secretOf(this.#key.privateKey);
    const header = encode({ alg: 'ES256', kid: this.#key.keyId });
    const claims = encode({ iss: this.#key.teamId, iat });
    // Hashed with SHA-256 and encoded as r || s, as ES256 wants it (RFC 7518, section 3.4).
    const signature = p256.sign(Buffer.from(`${header}.${claims}`), this.#secret, { lowS: false });
    return `${header}.${claims}.${Buffer.from(signature).toString('base64url')}`;
  }
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function secretOf(pem: string): Uint8Array {
  let jwk: JsonWebKey | undefined;
  try {
    jwk = createPrivateKey(pem).export({ format: 'jwk' });
  } catch (error) {
    throw new CredentialsError('the APNs key is not a private key in PKCS#8 PEM', { cause: error });
  }
  if (jwk.crv !== 'P-256' || !jwk.d) throw new CredentialsError('the APNs key is not a P-256 key');
  return Buffer.from(jwk.d, 'base64url');
}
