import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BatchWriteCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Table } from '../../lib/storage/table.ts';
import { ROOT } from '../../local/iam/iam.ts';
import type { Peal } from '../../local/peal.ts';

type Item = Record<string, unknown>;

/** A table of the local cloud, to prepare what would take too long over the API. */
export function tableOf({ cloud }: Peal, name: 'Directory' | 'Mailbox'): Table {
  const environment = cloud.engine.awsEnvironment();
  const credentials = {
    accessKeyId: environment.AWS_ACCESS_KEY_ID!,
    secretAccessKey: environment.AWS_SECRET_ACCESS_KEY!,
  };
  const endpoint = environment.AWS_ENDPOINT_URL_DYNAMODB!;
  const client = DynamoDBDocumentClient.from(
    new DynamoDBClient({ region: environment.AWS_REGION ?? 'us-east-1', endpoint, credentials }),
  );
  return { client, name: cloud.tableName(name) };
}

/**
 * Writes thousands of items whose values are all texts, 25 a request: past the SDK, which takes as long as all the rest.
 */
export async function fillWithTexts(
  { cloud }: Peal,
  name: 'Directory' | 'Mailbox',
  items: Record<string, string>[],
): Promise<void> {
  const table = cloud.tableName(name);
  for (let start = 0; start < items.length; start += 25) {
    const requests = items.slice(start, start + 25).map((item) => {
      const values = Object.entries(item).map(([key, S]) => [key, { S }] as const);
      return { PutRequest: { Item: Object.fromEntries(values) } };
    });
    await cloud.front.send(ROOT, 'dynamodb', 'BatchWriteItem', { RequestItems: { [table]: requests } });
  }
}

/** Writes items, 25 a request. */
export async function fill({ client, name }: Table, items: Item[]): Promise<void> {
  for (let start = 0; start < items.length; start += 25) {
    const requests = items.slice(start, start + 25).map((Item) => ({ PutRequest: { Item } }));
    await client.send(new BatchWriteCommand({ RequestItems: { [name]: requests } }));
  }
}
