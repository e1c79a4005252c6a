/** Carriers' credentials: what is set, checking them with the carrier, setting them. */
import type { Checked } from '../../lib/carriers/check.ts';
import type { GivenApnsKey } from '../../lib/carriers/new-credentials.ts';
import { Refusal } from '../../lib/refusal.ts';
import { CREDENTIALS, readSecret, type SecretName, writeSecret } from './secrets.ts';

/** What the operator brings for a carrier. */
export type GivenCredentials =
  | { carrier: 'fcm'; serviceAccount: string }
  | ({ carrier: 'apns' } & GivenApnsKey)
  | { carrier: 'webpush'; subject: string };

/** How a carrier's credentials are. Nothing of it is secret. */
export interface CarrierState {
  carrier: SecretName;
  /** Whether there are credentials. */
  set: boolean;
  /** What they are: a project, a key's id, a public key. */
  about?: string;
}

/** What came of setting credentials. */
export interface CarrierSet extends CarrierState {
  /** `kept`: there were some, and they stay. `refused`: the carrier does not take the new ones. */
  result: 'kept' | 'refused' | 'stored' | 'unchecked';
  checked: Checked;
}

export const CARRIER_COMMANDS = {
  'show-carriers': async () => ({ carriers: await Promise.all(names().map(stateOf)) }),

  'check-carrier': async ({ carrier }: { carrier: string }): Promise<CarrierState & { checked: Checked }> => {
    const name = nameOf(carrier);
    const secret = await readSecret(name);
    return { ...describe(name, secret), checked: await checkStored(name, secret) };
  },

  /**
   * Sets a carrier's credentials, once the carrier takes them: wrong ones never get into the place of right ones.
   * Repeatable. The push function reads them within five minutes.
   */
  'set-carrier': async ({
    given,
    replace,
    unchecked,
  }: {
    given: GivenCredentials;
    /** Whether what is there is replaced. */
    replace?: boolean | undefined;
    /** Whether they are stored although the carrier could not be asked. */
    unchecked?: boolean | undefined;
  }): Promise<CarrierSet> => {
    const name = nameOf(given?.carrier);
    const before = await readSecret(name);
    if (CREDENTIALS[name](before) && !replace) {
      return { ...describe(name, before), result: 'kept', checked: await checkStored(name, before) };
    }
    const { secret, checked } = await checkNew(given);
    if (checked.kind === 'wrong') return { ...describe(name, before), result: 'refused', checked };
    if (checked.kind === 'unknown' && !unchecked)
      return { ...describe(name, before), result: 'unchecked', checked };
    await writeSecret(name, secret);
    return { ...describe(name, secret), result: 'stored', checked };
  },
};

/** Carriers' clients are loaded for who sets them up alone: they are larger than all the rest of this function. */
async function checkNew(given: GivenCredentials): Promise<{ secret: string; checked: Checked }> {
  const looks = await import('../../lib/carriers/new-credentials.ts');
  switch (given.carrier) {
    case 'fcm': {
      const { secret, credentials } = looks.newServiceAccount(String(given.serviceAccount));
      const { checkFcm } = await import('../../lib/carriers/fcm/check.ts');
      return { secret, checked: await checkFcm(credentials) };
    }
    case 'apns': {
      const { secret, credentials } = looks.newApnsKey(texts(given));
      const { checkApns } = await import('../../lib/carriers/apns/check.ts');
      return { secret, checked: await checkApns(credentials, credentials) };
    }
    case 'webpush': {
      const { secret, credentials } = looks.newVapidKey(String(given.subject));
      const { checkVapid } = await import('../../lib/carriers/webpush/check.ts');
      return { secret, checked: checkVapid(credentials) };
    }
  }
}

async function checkStored(name: SecretName, secret: string): Promise<Checked> {
  const none: Checked = { kind: 'wrong', said: 'there are no credentials' };
  switch (name) {
    case 'fcm': {
      const account = CREDENTIALS.fcm(secret);
      if (!account) return none;
      const { checkFcm } = await import('../../lib/carriers/fcm/check.ts');
      return checkFcm(account);
    }
    case 'apns': {
      if (!CREDENTIALS.apns(secret)) return none;
      const { apnsScopeOf } = await import('../../lib/carriers/new-credentials.ts');
      const key = apnsScopeOf(secret);
      if (!key) return { kind: 'unknown', said: 'the secret has no topic and environment to check it with' };
      const { checkApns } = await import('../../lib/carriers/apns/check.ts');
      return checkApns(key, key);
    }
    case 'webpush': {
      const key = CREDENTIALS.webpush(secret);
      if (!key) return none;
      const { checkVapid } = await import('../../lib/carriers/webpush/check.ts');
      return checkVapid(key);
    }
  }
}

async function stateOf(carrier: SecretName): Promise<CarrierState> {
  return describe(carrier, await readSecret(carrier));
}

function describe(carrier: SecretName, secret: string): CarrierState {
  const about = aboutOf(carrier, secret);
  return { carrier, set: about !== undefined, ...(about !== undefined && { about }) };
}

function aboutOf(carrier: SecretName, secret: string): string | undefined {
  switch (carrier) {
    case 'fcm': {
      const account = CREDENTIALS.fcm(secret);
      return account && `project ${account.project_id}, ${account.client_email}`;
    }
    case 'apns': {
      const key = CREDENTIALS.apns(secret);
      return key && `key ${key.keyId} of team ${key.teamId}`;
    }
    case 'webpush': {
      const key = CREDENTIALS.webpush(secret);
      return key && `public key ${key.publicKey}, ${key.subject}`;
    }
  }
}

function nameOf(carrier: unknown): SecretName {
  const found = names().find((name) => name === carrier);
  if (found) return found;
  const sentence = `unknown carrier, can only be ${names().join(', ')}`;
  throw new Refusal({ field: 'carrier', reason: 'is unknown', sentence });
}

const names = () => Object.keys(CREDENTIALS) as SecretName[];

function texts({ privateKey, keyId, teamId, topic, environment }: GivenApnsKey): GivenApnsKey {
  return {
    privateKey: String(privateKey),
    keyId: String(keyId),
    teamId: String(teamId),
    topic: String(topic),
    environment: String(environment),
  };
}
