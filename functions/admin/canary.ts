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
import { Refusal } from '../../lib/refusal.ts';
import type { Table } from '../../lib/storage/table.ts';
import { variable, variableIfSet } from '../environment.ts';

/** `off`: none is deployed. `no credentials`: one is, and does nothing until it has some. */
export type CanaryStatus = { state: 'no credentials' | 'off' } | { state: 'on'; everyMinutes: number };

/** The canary in the operator's hands. */
export class OperatorCanary {
  readonly #secrets: SecretsManagerClient;
  readonly #secret = variableIfSet('CANARY_SECRET');

  constructor(secrets: SecretsManagerClient) {
    this.#secrets = secrets;
  }

  async status(): Promise<CanaryStatus> {
    if (this.#secret === undefined) return { state: 'off' };
    const answer = await this.#secrets.send(new GetSecretValueCommand({ SecretId: this.#secret }));
    if (!canaryOf(answer.SecretString ?? '')) return { state: 'no credentials' };
    return { state: 'on', everyMinutes: Number(variable('CANARY_MINUTES')) };
  }

  /**
   * Makes its account, device and app, and puts its credentials into its secret.
   *
   * @returns its user key
   * @throws Refusal if none is deployed
   */
  setUp(directory: Table, accounts: Accounts, sessions: SessionRegistry): Promise<string> {
    const SecretId = this.#secret;
    if (SecretId === undefined) {
      const sentence = 'no canary is deployed: say in peal.config.ts every how many minutes it is to run';
      throw new Refusal({ field: 'command', reason: 'cannot be canary', sentence });
    }
    return setUpCanary({
      accounts,
      sessions,
      devices: new DeviceRegistry(directory, Date.now),
      apps: new Apps(directory, Date.now),
      keep: async (credentials) => {
        const SecretString = JSON.stringify(credentials);
        await this.#secrets.send(new PutSecretValueCommand({ SecretId, SecretString }));
      },
    });
  }
}
