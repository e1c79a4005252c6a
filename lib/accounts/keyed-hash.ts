import { createHmac, hkdfSync } from 'node:crypto';
import { hashSecret } from './keys.ts';

/** Hashes a text for a key of the table; may have to read a secret first. */
export type HashOf = (text: string) => Promise<string>;

/**
 * How texts are stored that could be guessed, such as addresses of e-mail and of the network: HMAC-SHA-256, base64url,
 * under a key that is derived (HKDF, RFC 5869) from the deployment's master secret. All IPv4 addresses are hashed within
 * an hour by anyone who has the table; without the secret that tells nothing.
 *
 * @param master reads the master secret, and keeps it
 * @param purpose so that what is derived for one is worth nothing for another
 */
export function keyedHash(master: () => Promise<string>, purpose: string): HashOf {
  return async (text) => {
    const key = hkdfSync('sha256', await master(), '', `peal ${purpose}`, 32);
    return createHmac('sha256', Buffer.from(key)).update(text).digest('base64url');
  };
}

/** How texts are stored that are long and random, such as keys of users: nobody can guess them. */
export const plainHash: HashOf = async (text) => hashSecret(text);
