/**
 * Says to push services who we are (VAPID, RFC 8292): a JWT for each of them, signed with the key that browsers
 * subscribed with.
 *
 * The services differ in what they check. Apple's wants a `sub` that is an https URL or a mailto address at a domain
 * that could exist (403 BadJwtToken for `localhost` and reserved names), an `aud` that is its origin and an `exp`
 * within a day (Apple, "Sending web push notifications in web apps and browsers"); Mozilla's wants a `sub`, Google's
 * does not care. What suits Apple suits all.
 */

import { createECDH } from 'node:crypto';
import webpush from 'web-push';
import { CredentialsError } from '../credentials-error.ts';

/** For how long a token is good, in seconds: half of what RFC 8292 allows, so that clocks may differ. */
export const TOKEN_LIFE_SECONDS = 12 * 3600;

/** A token with less time left is not used any more. Seconds. */
export const TOKEN_REST_SECONDS = 3600;

/** Most tokens kept: users name the services. */
const MAX_TOKENS = 1_000;

/** A VAPID key as `web-push generate-vapid-keys` prints it, base64url without padding. */
export interface VapidKey {
  /** Whom the push service may turn to: `mailto:…` or `https://…`. */
  subject: string;
  /** 65 bytes, uncompressed P-256 point. Browsers subscribe with it as their `applicationServerKey`. */
  publicKey: string;
  /** 32 bytes. */
  privateKey: string;
}

/** Signs and caches the tokens of one key. */
export class VapidTokens {
  readonly #key: VapidKey;
  readonly #now: () => number;
  #usable = false;
  /** By origin, the oldest first. */
  readonly #kept = new Map<string, { exp: number; header: string }>();

  /** @param now wall clock in milliseconds */
  constructor(key: VapidKey, now: () => number) {
    this.#key = key;
    this.#now = now;
  }

  /**
   * The `Authorization` header for a push service.
   *
   * @param origin the service's, for example `https://web.push.apple.com`
   * @throws {CredentialsError} if the key or its subject cannot be used
   */
  header(origin: string): string {
    const seconds = Math.floor(this.#now() / 1000);
    const kept = this.#kept.get(origin);
    if (kept && kept.exp - seconds > TOKEN_REST_SECONDS) return kept.header;

    const exp = seconds + TOKEN_LIFE_SECONDS;
    const header = this.#sign(origin, exp);
    this.#kept.delete(origin);
    for (const [oldest] of this.#kept) {
      if (this.#kept.size < MAX_TOKENS) break;
      this.#kept.delete(oldest);
    }
    this.#kept.set(origin, { exp, header });
    return header;
  }

  #sign(origin: string, exp: number): string {
    // A key that signs for one service signs for all: what goes wrong after that is no fault of the key.
    if (!this.#usable) {
      checkKey(this.#key, exp);
      this.#usable = true;
    }
    return authorization(origin, this.#key, exp);
  }
}

/** @throws {CredentialsError} if the two halves do not belong together, or key or subject are malformed */
function checkKey(key: VapidKey, exp: number): void {
  try {
    const pair = createECDH('prime256v1');
    pair.setPrivateKey(Buffer.from(key.privateKey, 'base64url'));
    if (pair.getPublicKey('base64url') !== key.publicKey)
      throw new Error('public and private key do not match');
    authorization('https://push.example', key, exp);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CredentialsError(`the VAPID key cannot be used: ${reason}`, { cause: error });
  }
}

function authorization(origin: string, { subject, publicKey, privateKey }: VapidKey, exp: number): string {
  return webpush.getVapidHeaders(origin, subject, publicKey, privateKey, 'aes128gcm', exp).Authorization;
}
