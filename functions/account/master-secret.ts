import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { awsClient } from '../../lib/net/aws-client.ts';
import { variable } from '../environment.ts';

/** Shorter than what CloudFormation generated means that somebody has put something else there. */
const LEAST = 32;

/**
 * What accounts' second factors, and the hashes of those who log in, are derived from. Read when it is first needed, and
 * once: it never changes, since with another one no second factor would work any more. A read that fails is tried again with the next request.
 */
export function masterSecret(): () => Promise<string> {
  const client = awsClient('secretsmanager', SecretsManagerClient);
  let reading: Promise<string> | undefined;
  const read = async (): Promise<string> => {
    const answer = await client.send(new GetSecretValueCommand({ SecretId: variable('MASTER_SECRET') }));
    const secret = answer.SecretString ?? '';
    if (secret.length < LEAST) throw new Error('the master secret of accounts is not what was generated');
    return secret;
  };
  return () => {
    reading ??= read().catch((error) => {
      reading = undefined;
      throw error;
    });
    return reading;
  };
}
