/**
 * Time-based one-time passwords (RFC 6238): SHA-1, 6 digits, 30 seconds, which is what every authenticator app has.
 *
 * An account's secret is stored nowhere: it is derived from the deployment's master secret and a random nonce of the
 * account's item. Who reads the table alone can make no code; a new nonce is a new secret.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import { LOWER_CASE, randomCharacters } from '../protocol/characters.ts';

/** Seconds that a code is of. */
const PERIOD = 30;
/** Steps before and after the current one whose codes are good: clocks differ, and people type slowly (RFC 6238, 5.2). */
const SKEW = 1;
/** RFC 4226, 4: at least 128 bits, 160 recommended. */
const SECRET_BYTES = 20;
/** What apps show beside the account. */
const ISSUER = 'Peal';

/** 10 of 31 are 49 bits: enough behind throttles, and the table has them under a key that it does not have. */
const RECOVERY_LENGTH = 10;
/** How many there are. */
export const RECOVERY_CODES = 10;

/** A nonce for a new second factor. */
export function newNonce(): string {
  return randomBytes(16).toString('base64url');
}

/** The secret of an account's second factor. */
export function totpSecret(master: string, user: string, nonce: string): Uint8Array {
  return derive(master, `totp ${user} ${nonce}`).subarray(0, SECRET_BYTES);
}

/** The secret as people type it (base32), and as an app reads it from a QR code. */
export function enrolment(secret: Uint8Array, email: string): { secret: string; otpauth: string } {
  const totp = totpOf(secret, email);
  return { secret: totp.secret.base32, otpauth: totp.toString() };
}

/**
 * The time step that a code is of, if it is good now. In constant time for what was typed.
 *
 * @param now Unix milliseconds
 */
export function stepOf(secret: Uint8Array, code: string, now: number): number | undefined {
  if (!isCode(code)) return undefined;
  const delta = totpOf(secret).validate({ token: code, timestamp: now, window: SKEW });
  return delta === null ? undefined : TOTP.counter({ period: PERIOD, timestamp: now }) + delta;
}

/** Whether a text has the form of such a code; anything else may be a recovery code. */
export function isCode(text: string): boolean {
  return /^\d{6}$/.test(text);
}

/** New recovery codes, as they are shown: `abcde-23456`. */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: RECOVERY_CODES }, () => {
    const text = randomCharacters(RECOVERY_LENGTH, LOWER_CASE);
    return `${text.slice(0, RECOVERY_LENGTH / 2)}-${text.slice(RECOVERY_LENGTH / 2)}`;
  });
}

/**
 * How a recovery code is stored: keyed, because 49 bits under a plain hash can be tried through by who has the table.
 * Looking it up by its hash takes no time that tells anything.
 *
 * @param code in whatever case, with or without the dash
 */
export function hashRecoveryCode(master: string, user: string, nonce: string, code: string): string {
  const bare = code.toLowerCase().replaceAll(/[\s-]/g, '');
  return derive(master, `recovery ${user} ${nonce} ${bare}`).toString('base64url');
}

/** The purpose is in the text, so that what is derived for one is worth nothing for another. */
function derive(master: string, text: string): Buffer {
  return createHmac('sha256', master).update(text).digest();
}

function totpOf(secret: Uint8Array, label = ''): TOTP {
  // A copy: the buffer behind a view may be longer.
  const { buffer } = Uint8Array.from(secret);
  return new TOTP({
    issuer: ISSUER,
    label,
    algorithm: 'SHA1',
    digits: 6,
    period: PERIOD,
    secret: new Secret({ buffer }),
  });
}
