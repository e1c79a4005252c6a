/** What signing up, logging in and protecting an account take and answer. */
import * as v from 'valibot';
import { optionalText } from '../http/fields.ts';
import { Refusal } from '../refusal.ts';
import { canonicalEmail } from './email.ts';
import { MAX_PASSWORD, MIN_PASSWORD } from './passwords.ts';

/** Longest name of a session, in characters. */
export const MAX_SESSION_NAME = 100;

/** A text that must be there. */
const given = v.pipe(v.optional(v.string(), ''), v.nonEmpty('cannot be blank'));

/** A code of the second factor. */
const CODE = v.exactOptional(
  v.pipe(
    v.string(),
    v.description('A code of the second factor, or a recovery code: needed if the account has one'),
  ),
);

const SESSION_NAME = optionalText(MAX_SESSION_NAME, 'What the session is called; else the User-Agent');

const NEW_EMAIL = v.pipe(
  given,
  v.check((text) => canonicalEmail(text) !== undefined, 'is not a valid e-mail address'),
  v.description('An address of e-mail, in whatever case'),
);

const NEW_PASSWORD = v.pipe(
  given,
  v.minCodePoints(MIN_PASSWORD, `is too short (minimum is ${MIN_PASSWORD} characters)`),
  v.maxBytes(MAX_PASSWORD, `is too long (maximum is ${MAX_PASSWORD} bytes)`),
);

const NEW_CREDENTIALS = v.object({ email: NEW_EMAIL, password: NEW_PASSWORD });

/** Parameters of a sign-up. */
export const SIGN_UP = v.object({
  ...NEW_CREDENTIALS.entries,
  invitation: v.exactOptional(v.pipe(v.string(), v.description('Where signing up takes one'))),
  name: SESSION_NAME,
});

/** Parameters of a login. */
export const LOGIN = v.object({
  email: given,
  password: given,
  twofa: CODE,
  name: SESSION_NAME,
});

/** What sign-up and login give: the user key, and the secret of a session of its own. */
export const LOGGED_IN = v.object({
  id: v.pipe(v.string(), v.description('User key')),
  secret: v.pipe(v.string(), v.description('Secret of the session')),
});

/** Parameters of a change of the password. */
export const PASSWORD_CHANGE = v.object({
  password: given,
  new_password: NEW_PASSWORD,
  twofa: CODE,
});

/** Parameters that begin to set a second factor up. */
export const TWOFA_BEGIN = v.object({ password: given });
/** Parameters that set it up. */
export const TWOFA_CONFIRM = v.object({ twofa: given });
/** Parameters that take it away. */
export const TWOFA_DISABLE = v.object({ password: given, twofa: CODE });

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
