/** What the operator's function does for the canary. */
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { Accounts } from '../../lib/accounts/accounts.ts';
import { Apps } from '../../lib/accounts/apps.ts';
import { DeviceRegistry } from '../../lib/accounts/device-registry.ts';
import type { SessionRegistry } from '../../lib/accounts/session-registry.ts';
import { canaryOf } from '../../lib/canary/credentials.ts';
import { setUpCanary } from '../../lib/canary/set-up.ts';
import type { Table } from '../../lib/storage/table.ts';
import { variable } from '../environment.ts';

/** `scheduled`: every how many minutes it runs; 0: it is not deployed. */
export interface CanaryStatus {
  credentials: 'off' | 'on';
  everyMinutes: number;
}

/** The canary in the operator's hands. */
export class OperatorCanary {
  readonly #secrets: SecretsManagerClient;

  constructor(secrets: SecretsManagerClient) {
    this.#secrets = secrets;
  }

  /** Whether it has credentials, and how often it runs. */
  async status(): Promise<CanaryStatus> {
    const answer = await this.#secrets.send(new GetSecretValueCommand({ SecretId: secret() }));
    return {
      credentials: canaryOf(answer.SecretString ?? '') ? 'on' : 'off',
      everyMinutes: Number(variable('CANARY_MINUTES')),
    };
  }

  /** Makes its account, device and app, and puts its credentials into its secret. @returns its user key */
  setUp(directory: Table, accounts: Accounts, sessions: SessionRegistry): Promise<string> {
    return setUpCanary({
      accounts,
      sessions,
      devices: new DeviceRegistry(directory, Date.now),
      apps: new Apps(directory, Date.now),
      keep: async (credentials) => {
        const SecretString = JSON.stringify(credentials);
        await this.#secrets.send(new PutSecretValueCommand({ SecretId: secret(), SecretString }));
      },
    });
  }
}

const secret = () => variable('CANARY_SECRET');
