import { createHash } from 'node:crypto';
import { derivedCharacters, isCharacters, randomCharacters } from '../protocol/characters.ts';

/** Length of a user key, app token and group key (Pushover: 30 of `[A-Za-z0-9]`; many clients check it). */
export const KEY_LENGTH = 30;
/** Length of a device id, as in Pushover's Open Client examples. */
export const DEVICE_ID_LENGTH = 40;
/** Length of a session secret, as in Pushover's Open Client examples. */
export const SECRET_LENGTH = 60;

/** The first letter of every group's key, and of no user's. */
export const GROUP_PREFIX = 'g';

/**
 * A new key of Pushover's form: the habitual first letter (`u` user, `a` app, `g` group, `r` receipt) and 29 random
 * characters (167 bits).
 */
export function randomKey(prefix: 'a' | typeof GROUP_PREFIX | 'r' | 'u'): string {
  return prefix + randomCharacters(KEY_LENGTH - 1);
}

/** The form of a user key, app token, group key or receipt: wider than what is made up, as Pushover's clients have it. */
export const KEY = /^[A-Za-z0-9]{30}$/;

/** The form of a device id. */
export const DEVICE_ID = /^[A-Za-z0-9]{40}$/;

/** Whether a text has the form of a user key, app token, group key or receipt. */
export function isKey(text: string): boolean {
  return KEY.test(text);
}

/** Whether a text has the form of a device id. */
export function isDeviceId(text: string): boolean {
  return DEVICE_ID.test(text);
}

/** A new device id: 40 random characters (231 bits). */
export function randomDeviceId(): string {
  return randomCharacters(DEVICE_ID_LENGTH);
}

/**
 * A new session secret: the user key (which says in whose partition the session is, so that checking it is one read)
 * followed by 30 random characters (173 bits).
 */
export function randomSecret(user: string): string {
  return user + randomCharacters(SECRET_LENGTH - KEY_LENGTH);
}

/** The user key that a session secret names, or undefined if the text has not the form of one. */
export function userOfSecret(secret: string): string | undefined {
  return /^[A-Za-z0-9]{60}$/.test(secret) ? secret.slice(0, KEY_LENGTH) : undefined;
}

/**
 * How secrets are stored: SHA-256, base64url. They are long and random, so a plain hash suffices; looking one up by
 * its hash leaks nothing through time that would help to guess it.
 */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

/** Characters of a public id. */
const PUBLIC_ID_LENGTH = 16;

/**
 * What people name something by that is stored by the hash of a secret, such as a session: 92 bits, from which nobody
 * gets to the hash or the secret. The hash itself has characters that do not belong on a command line.
 *
 * @param hash of {@link hashSecret}
 */
export function publicIdOf(hash: string): string {
  return derivedCharacters(`id of ${hash}`, PUBLIC_ID_LENGTH);
}

/** Whether a text has the form of a public id. */
export function isPublicId(text: string): boolean {
  return isCharacters(text, PUBLIC_ID_LENGTH);
}
