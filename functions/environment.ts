import { ApiGatewayManagementApiClient } from '@aws-sdk/client-apigatewaymanagementapi';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Bucket, OpenBucket } from '../lib/attachments/bucket.ts';
import { CARRIERS } from '../lib/carriers/carrier.ts';
import type { CarrierQueues } from '../lib/dispatch/router.ts';
import { awsClient } from '../lib/net/aws-client.ts';
import { Queue } from '../lib/storage/queue.ts';
import type { Table } from '../lib/storage/table.ts';
import { choice, variable } from './variables.ts';

export { choice, variable };

/** One that is only set where what it names is deployed. */
export function variableIfSet(name: 'CANARY_SECRET'): string | undefined {
  return process.env[name] || undefined;
}

/** A limit that an environment variable holds: a whole number, 0 for none. */
export function limit(name: 'BURST' | 'QUOTA'): number {
  const number = Number(variable(name));
  if (!Number.isSafeInteger(number) || number < 0)
    throw new Error(`environment variable ${name} is no limit`);
  return number;
}

/** A time that an environment variable holds in whole days, as seconds. */
export function days(name: 'ATTACHMENT_DAYS' | 'MESSAGE_DAYS'): number {
  const number = Number(variable(name));
  if (!Number.isSafeInteger(number) || number < 1)
    throw new Error(`environment variable ${name} is no number of days`);
  return number * 24 * 3600;
}

/** One client for both tables: connections are kept between invocations. */
let document: DynamoDBDocumentClient | undefined;

/** The table that an environment variable names. */
export function table(name: 'DIRECTORY_TABLE' | 'MAILBOX_TABLE'): Table {
  document ??= DynamoDBDocumentClient.from(awsClient('dynamodb', DynamoDBClient));
  return { client: document, name: variable(name) };
}

/** A table for writes that must not be repeated unless the caller says so: one try each. */
export function tableWithoutRetries(name: 'DIRECTORY_TABLE'): Table {
  const client = awsClient('dynamodb-once', DynamoDBClient);
  return { client: DynamoDBDocumentClient.from(client), name: variable(name) };
}

/**
 * The bucket of attachments, for functions that mostly do without. Its client is loaded with the first attachment: an
 * `import` at the top would slow every cold start.
 */
export function attachmentsBucket(): OpenBucket {
  const name = variable('ATTACHMENTS_BUCKET');
  let bucket: Promise<Bucket> | undefined;
  return () => {
    bucket ??= import('../lib/attachments/s3.ts').then(
      ({ S3Bucket, s3Client }) => new S3Bucket(s3Client(), name),
    );
    return bucket;
  };
}

/** The client that posts to sockets. One try: what fails is dispatch's to repeat. */
export function socketClient(): ApiGatewayManagementApiClient {
  return awsClient('sockets', ApiGatewayManagementApiClient, { endpoint: variable('SOCKET_ENDPOINT') });
}

/** The queues of all carriers, by the variables that name them. */
export function carrierQueues(client: SQSClient): CarrierQueues {
  const queues = CARRIERS.map((name) => [
    name,
    new Queue(client, variable(`${name.toUpperCase()}_QUEUE_URL`)),
  ]);
  return Object.fromEntries(queues) as CarrierQueues;
}
