import { GetCommand } from '@aws-sdk/lib-dynamodb';
import * as v from 'valibot';
import { optionalText } from '../http/fields.ts';
import { Refusal } from '../refusal.ts';
import type { Table } from '../storage/table.ts';
import { accountKey } from './directory.ts';
import { MAX_PASSWORD, MIN_PASSWORD, verifyPassword } from './passwords.ts';

/** An account as it is stored, under its e-mail address. */
export interface Account {
  email: string;
  /** User key. */
  user: string;
  /** The password's hash. */
  password: string;
  /** Set while the account has a second factor: what its secret is derived with. */
  twofaNonce?: string;
  /** The same of a second factor that is being set up, and counts for nothing yet. */
  twofaPending?: string;
  /** The time step of the last code that was used. No code of it or before is good any more. */
  twofaStep?: number;
  /** Hashes of the recovery codes that are left. DynamoDB has no empty set: absent when all are used. */
  recovery?: Set<string>;
}

/** Longest e-mail address (RFC 5321, 4.5.3.1.3, without the angle brackets). */
const MAX_EMAIL = 254;
/** Longest name of a session, in characters. */
export const MAX_SESSION_NAME = 100;

const given = v.pipe(
  v.optional(v.string(), ''),
  v.check((text) => text !== '', 'cannot be blank'),
);

const NEW_EMAIL = v.pipe(
  given,
  v.regex(/^[^\s@]+@[^\s@]+$/, 'is not a valid e-mail address'),
  v.maxLength(MAX_EMAIL, 'is not a valid e-mail address'),
);

const NEW_PASSWORD = v.pipe(
  given,
  v.check((text) => [...text].length >= MIN_PASSWORD, `is too short (minimum is ${MIN_PASSWORD} characters)`),
  v.check(
    (text) => Buffer.byteLength(text) <= MAX_PASSWORD,
    `is too long (maximum is ${MAX_PASSWORD} bytes)`,
  ),
);

const NEW_CREDENTIALS = v.object({ email: NEW_EMAIL, password: NEW_PASSWORD });

/** Parameters of a sign-up. `name` is the session's. */
export const SIGN_UP = v.object({
  ...NEW_CREDENTIALS.entries,
  invitation: v.optional(v.string()),
  name: optionalText(MAX_SESSION_NAME),
});

/** Parameters of a login. `name` is the session's. */
export const LOGIN = v.object({
  email: given,
  password: given,
  twofa: v.optional(v.string()),
  name: optionalText(MAX_SESSION_NAME),
});

/** What sign-up and login give: the user key, and the secret of a session of its own. */
export const LOGGED_IN = v.object({ id: v.string(), secret: v.string() });

/** Parameters of a change of the password. */
export const PASSWORD_CHANGE = v.object({
  password: given,
  new_password: NEW_PASSWORD,
  twofa: v.optional(v.string()),
});

/** Parameters that begin to set a second factor up. */
export const TWOFA_BEGIN = v.object({ password: given });
/** Parameters that set it up. */
export const TWOFA_CONFIRM = v.object({ twofa: given });
/** Parameters that take it away. */
export const TWOFA_DISABLE = v.object({ password: given, twofa: v.optional(v.string()) });

/** A second factor that is being set up: its secret in base32, and the same as an address for a QR code. */
export const TWOFA_BEGUN = v.object({ secret: v.string(), otpauth: v.string() });
/** Recovery codes, shown this once. */
export const TWOFA_CONFIRMED = v.object({ recovery_codes: v.array(v.string()) });
/** Whether there is a second factor, and how many recovery codes are left. */
export const TWOFA_STATE = v.object({
  enabled: v.boolean(),
  recovery_codes: v.pipe(v.number(), v.integer()),
});

/** @throws Refusal naming `email` or `password` */
export function checkNewCredentials(email: string, password: string): void {
  const { issues } = v.safeParse(NEW_CREDENTIALS, { email, password }, { abortPipeEarly: true });
  if (issues)
    throw new Refusal(issues.map(({ path, message }) => ({ field: String(path?.[0].key), reason: message })));
}

/** @throws Refusal naming `password` */
export function checkNewPassword(password: string): void {
  const { issues } = v.safeParse(NEW_PASSWORD, password, { abortPipeEarly: true });
  if (issues) throw new Refusal({ field: 'password', reason: issues[0].message });
}

/** The account of an address. Strongly consistent. */
export async function findAccount(table: Table, email: string): Promise<Account | undefined> {
  // No account has the address `-`: what cannot be an address is looked up all the same, which takes the same time.
  const Key = accountKey(email === '' || email.length > MAX_EMAIL ? '-' : email);
  const found = await table.client.send(new GetCommand({ TableName: table.name, Key, ConsistentRead: true }));
  return found.Item && { ...(found.Item as Omit<Account, 'email'>), email };
}

/**
 * Whether a password is an account's. Takes the same time whether there is an account or not, and whatever the
 * password is.
 */
export async function isPasswordOf(account: Account | undefined, password: string): Promise<boolean> {
  const tooLong = Buffer.byteLength(password) > MAX_PASSWORD;
  const correct = await verifyPassword(tooLong ? '' : password, account?.password);
  return correct && !tooLong;
}
