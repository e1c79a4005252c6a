import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { awsClient } from '../lib/net/aws-client.ts';
import { variable } from './environment.ts';
import { log } from './log.ts';

/** For how long credentials are used before they are read again, so that a rotation reaches warm Lambdas. */
const CREDENTIALS_MS = 5 * 60_000;

/** When they are read again that could not be. */
const AGAIN_MS = 30_000;

/** @returns what gives the text of the carrier's secret, read again every five minutes */
export function carrierSecret(): () => Promise<string> {
  return secretText('CARRIER_SECRET');
}

/**
 * @returns what gives the text of the secret that a variable names, read again every five minutes. While it cannot be
 * read, the last that was read goes on: an outage of Secrets Manager stops no function that is warm.
 */
export function secretText(name: 'CANARY_SECRET' | 'CARRIER_SECRET'): () => Promise<string> {
  const client = awsClient('secretsmanager', SecretsManagerClient);
  let current: { text: string; readAt: number } | undefined;
  return async () => {
    if (current && Date.now() - current.readAt < CREDENTIALS_MS) return current.text;
    try {
      const answer = await client.send(new GetSecretValueCommand({ SecretId: variable(name) }));
      current = { text: answer.SecretString ?? '', readAt: Date.now() };
    } catch (error) {
      if (!current) throw error;
      log('warn', 'a secret cannot be read, the last that was read goes on', { error: String(error) });
      current.readAt = Date.now() - CREDENTIALS_MS + AGAIN_MS;
    }
    return current.text;
  };
}
