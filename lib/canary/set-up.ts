import type { Accounts } from '../accounts/accounts.ts';
import type { Apps } from '../accounts/apps.ts';
import type { DeviceRegistry } from '../accounts/device-registry.ts';
import { canonicalEmail } from '../accounts/email.ts';
import type { SessionRegistry } from '../accounts/session-registry.ts';
import { createKeyPair, toBase64 } from '../device/index.ts';
import { randomCharacters } from '../protocol/characters.ts';
import { Refusal } from '../refusal.ts';
import type { CanaryCredentials } from './credentials.ts';

/** What making the canary needs. */
export interface SetUpContext {
  accounts: Accounts;
  sessions: SessionRegistry;
  devices: DeviceRegistry;
  apps: Apps;
  /** Puts the credentials where the canary reads them. */
  keep(credentials: CanaryCredentials): Promise<void>;
}

/** No mail ever goes there (RFC 2606, 2). */
export const CANARY_EMAIL = canonicalEmail('canary@peal.invalid')!;
const NAME = 'canary';

/**
 * Makes the canary's account with a device and an app, or makes them anew: nobody knows its password, so whoever repeats
 * this gives it another, which ends its session. What dies in the middle leaves a canary that fails until it is
 * repeated.
 *
 * @returns its user key
 */
export async function setUpCanary(context: SetUpContext): Promise<string> {
  const { accounts, sessions, devices, apps } = context;
  const user = await accountOf(accounts);
  const secret = await sessions.open(user, CANARY_EMAIL, NAME);
  const known = (await devices.list(user)).devices;
  for (const { id } of known) await devices.remove(user, id);
  const { publicKey, secretKey } = createKeyPair();
  const device = await devices.register(user, { name: NAME, platform: 'desktop', publicKey });
  for (const { id } of await apps.list(user)) await apps.remove(user, id);
  const { token } = await apps.create(user, NAME);
  await context.keep({ token, user, device, secret, secretKey: toBase64(secretKey) });
  return user;
}

/** The canary's account, without any session that was opened before. */
async function accountOf(accounts: Accounts): Promise<string> {
  const password = randomCharacters(40);
  try {
    const { id } = await accounts.create(CANARY_EMAIL, password, NAME);
    return id;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return accounts.resetPassword(CANARY_EMAIL, password, 'off');
  }
}
