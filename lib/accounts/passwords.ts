import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';

/** OWASP's recommendation for argon2id: 19 MiB, 2 passes, 1 lane. About 50 ms on one core. */
const MEMORY = 19_456;
const PASSES = 2;
const TAG = 32;

/** Shortest password that sign-up accepts, in characters. */
export const MIN_PASSWORD = 8;
/** Longest, in bytes of UTF-8: hashing must not be a way to keep a server busy. */
export const MAX_PASSWORD = 256;

/** Hashes a password with argon2id (RFC 9106) and a new salt. The text holds all parameters (PHC string format). */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const tag = await derive(password, salt, MEMORY, PASSES);
  return `$argon2id$v=19$m=${MEMORY},t=${PASSES},p=1$${unpadded(salt)}$${unpadded(tag)}`;
}

/**
 * Checks a password against a stored hash, in constant time. Without a hash (no such account) it does the same work
 * and says no, so that the time of the answer does not tell whether an address has an account.
 */
export async function verifyPassword(password: string, stored: string | undefined): Promise<boolean> {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=1\$([^$]+)\$([^$]+)$/.exec(stored ?? NOBODY);
  if (!match) throw new Error('a stored password hash is not argon2id in PHC format');
  const [, memory, passes, salt, tag] = match;
  const expected = Buffer.from(tag!, 'base64');
  const actual = await derive(password, Buffer.from(salt!, 'base64'), Number(memory), Number(passes));
  return timingSafeEqual(expected, actual) && stored !== undefined;
}

/** A hash of the current cost that no account has. */
const NOBODY = `$argon2id$v=19$m=${MEMORY},t=${PASSES},p=1$${unpadded(Buffer.alloc(16))}$${unpadded(Buffer.alloc(TAG))}`;

function derive(password: string, nonce: Buffer, memory: number, passes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parameters = { message: password, nonce, parallelism: 1, tagLength: TAG, memory, passes };
    argon2('argon2id', parameters, (error, tag) => (error ? reject(error) : resolve(tag)));
  });
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
