/** The canary: making it, and how it is. */
import { Apps } from '../../lib/accounts/apps.ts';
import { DeviceRegistry } from '../../lib/accounts/device-registry.ts';
import { canaryOf } from '../../lib/canary/credentials.ts';
import { setUpCanary } from '../../lib/canary/set-up.ts';
import { Refusal } from '../../lib/refusal.ts';
import { variable, variableIfSet } from '../environment.ts';
import { accounts, clock, directory, sessions } from './context.ts';
import { readSecretOf, writeSecretOf } from './secrets.ts';

/** `off`: none is deployed. `no credentials`: one is, and does nothing until it has some. */
export type CanaryStatus = { state: 'no credentials' | 'off' } | { state: 'on'; everyMinutes: number };

const secret = variableIfSet('CANARY_SECRET');

export const CANARY_COMMANDS = {
  /** Makes its account, device and app, and puts their credentials into its secret. Answers its user key. */
  canary: async () => {
    if (secret === undefined) {
      const sentence = 'no canary is deployed: say in peal.config.ts every how many minutes it is to run';
      throw new Refusal({ field: 'command', reason: 'cannot be canary', sentence });
    }
    const canary = await setUpCanary({
      accounts,
      sessions,
      devices: new DeviceRegistry(directory, clock),
      apps: new Apps(directory, clock),
      keep: (credentials) => writeSecretOf(secret, JSON.stringify(credentials)),
    });
    return { canary };
  },
};

export async function canaryStatus(): Promise<CanaryStatus> {
  if (secret === undefined) return { state: 'off' };
  if (!canaryOf(await readSecretOf(secret))) return { state: 'no credentials' };
  return { state: 'on', everyMinutes: Number(variable('CANARY_MINUTES')) };
}
