/** The secrets that the operator's function reads and writes: the carriers', and the canary's. */
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { apnsKeyOf } from '../../lib/carriers/apns/credentials.ts';
import { serviceAccountOf } from '../../lib/carriers/fcm/credentials.ts';
import { vapidKeyOf } from '../../lib/carriers/webpush/credentials.ts';
import { awsClient } from '../../lib/net/aws-client.ts';
import { variable } from '../environment.ts';

/** How a carrier's secret is read, for those that need one. Undefined: the carrier is off. */
export const CREDENTIALS = { fcm: serviceAccountOf, apns: apnsKeyOf, webpush: vapidKeyOf };

/** A carrier that needs a secret. */
export type SecretName = keyof typeof CREDENTIALS;

const client = awsClient('secretsmanager', SecretsManagerClient);

/** The text of a carrier's secret. */
export const readSecret = (name: SecretName): Promise<string> => readSecretOf(idOf(name));

/** Replaces the text of a carrier's secret; Secrets Manager keeps the one before as `AWSPREVIOUS`. */
export const writeSecret = (name: SecretName, text: string): Promise<void> => writeSecretOf(idOf(name), text);

/** The text of a secret. */
export async function readSecretOf(id: string): Promise<string> {
  const answer = await client.send(new GetSecretValueCommand({ SecretId: id }));
  return answer.SecretString ?? '';
}

/** Replaces the text of a secret. */
export async function writeSecretOf(id: string, text: string): Promise<void> {
  await client.send(new PutSecretValueCommand({ SecretId: id, SecretString: text }));
}

const idOf = (name: SecretName) => variable(`${name.toUpperCase()}_SECRET`);
