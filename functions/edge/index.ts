/**
 * The API's authorizer where a firewall stands before it: lets in what CloudFront sends, which has the edge's key in a
 * header. API Gateway remembers an answer by that header, so it is asked about once in five minutes.
 */
import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { APIGatewayRequestAuthorizerEventV2, APIGatewaySimpleAuthorizerResult } from 'aws-lambda';
import { awsClient } from '../../lib/net/aws-client.ts';
import { isEdgeKey } from '../../lib/net/edge.ts';
import { variable } from '../environment.ts';

/** For how long the keys are used before they are read again. */
const KEYS_MS = 5 * 60_000;

const client = awsClient('secretsmanager', SecretsManagerClient);
let known: { keys: string[]; readAt: number } | undefined;

export const handler = async ({
  identitySource,
}: Pick<
  APIGatewayRequestAuthorizerEventV2,
  'identitySource'
>): Promise<APIGatewaySimpleAuthorizerResult> => ({
  isAuthorized: isEdgeKey(identitySource?.[0], await readKeys()),
});

/** The key and the one before it, so that requests come through while CloudFront is given another. */
async function readKeys(): Promise<string[]> {
  if (known && Date.now() - known.readAt < KEYS_MS) return known.keys;
  const keys = await Promise.all([readKey('AWSCURRENT'), readKey('AWSPREVIOUS')]);
  known = { keys: keys.filter((key) => key !== undefined), readAt: Date.now() };
  return known.keys;
}

async function readKey(VersionStage: 'AWSCURRENT' | 'AWSPREVIOUS'): Promise<string | undefined> {
  try {
    const SecretId = variable('EDGE_SECRET');
    return (await client.send(new GetSecretValueCommand({ SecretId, VersionStage }))).SecretString;
  } catch (error) {
    // A key that was never replaced has none before it.
    if (VersionStage === 'AWSPREVIOUS' && error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}
