import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { awsClient } from '../lib/net/aws-client.ts';
import { variable } from './environment.ts';

/** For how long credentials are used before they are read again, so that a rotation reaches warm Lambdas. */
const CREDENTIALS_MS = 5 * 60_000;

/** @returns what gives the text of the carrier's secret, read again every five minutes */
export function carrierSecret(): () => Promise<string> {
  return secretText('CARRIER_SECRET');
}

/** @returns what gives the text of the secret that a variable names, read again every five minutes */
export function secretText(name: 'CANARY_SECRET' | 'CARRIER_SECRET'): () => Promise<string> {
  const client = awsClient('secretsmanager', SecretsManagerClient);
  let current: { text: string; readAt: number } | undefined;
  return async () => {
    if (current && Date.now() - current.readAt < CREDENTIALS_MS) return current.text;
    const answer = await client.send(new GetSecretValueCommand({ SecretId: variable(name) }));
    current = { text: answer.SecretString ?? '', readAt: Date.now() };
    return current.text;
  };
}
