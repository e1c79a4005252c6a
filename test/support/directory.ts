import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BatchWriteCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { ACCOUNT } from '../../lib/accounts/account.ts';
import { enlist } from '../../lib/accounts/account-index.ts';
import { beginLists } from '../../lib/accounts/accounts.ts';
import { Apps } from '../../lib/accounts/apps.ts';
import { accountKey } from '../../lib/accounts/directory.ts';
import { canonicalEmail } from '../../lib/accounts/email.ts';
import { randomKey } from '../../lib/accounts/keys.ts';
import { SessionRegistry } from '../../lib/accounts/session-registry.ts';
import { versioned } from '../../lib/storage/schema.ts';
import { seconds, type Table } from '../../lib/storage/table.ts';
import { ROOT } from '../../local/iam/iam.ts';
import type { Peal } from '../../local/peal.ts';

type Item = Record<string, unknown>;

const clients = new WeakMap<Peal['cloud'], DynamoDBDocumentClient>();

/** A table of the local cloud, to prepare what would take too long over the API. */
export function tableOf({ cloud }: Pick<Peal, 'cloud'>, name: 'Directory' | 'Mailbox'): Table {
  const client = clients.get(cloud) ?? clientOf(cloud);
  clients.set(cloud, client);
  return { client, name: cloud.tableName(name) };
}

function clientOf(cloud: Peal['cloud']): DynamoDBDocumentClient {
  const environment = cloud.engine.awsEnvironment();
  const credentials = {
    accessKeyId: environment.AWS_ACCESS_KEY_ID!,
    secretAccessKey: environment.AWS_SECRET_ACCESS_KEY!,
  };
  const endpoint = environment.AWS_ENDPOINT_URL_DYNAMODB!;
  return DynamoDBDocumentClient.from(
    new DynamoDBClient({ region: environment.AWS_REGION ?? 'us-east-1', endpoint, credentials }),
  );
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

/** The password of the accounts that are written into the Directory. */
export const PASSWORD = 'correct horse';
/** Its hash, with the least memory and passes that argon2id takes: what protects real accounts costs 50 ms each time. */
const HASH = '$argon2id$v=19$m=8,t=1,p=1$cGVhbCB0ZXN0cyBzYWx0Lg$9/AePMdhljS997BrwDIziTSpfzR36X5HsCsMEopbWgc';

/** Writes what signing up, logging in and making an app write, by the same code but without a request. */
export async function seedAccount(
  table: Table,
  address: string,
): Promise<{ user: string; secret: string; token: string }> {
  const email = canonicalEmail(address)!;
  const user = randomKey('u');
  const account = { ...accountKey(email), user, password: HASH, createdAt: seconds(Date.now), listed: true };
  await beginLists(table, user);
  await enlist(table, email, user);
  await fill(table, [versioned(ACCOUNT, account)]);
  const sessions = new SessionRegistry(table, Date.now, async () => {});
  const secret = await sessions.open(user, email, 'Tests');
  const { token } = await new Apps(table, Date.now).create(user, 'Tests');
  return { user, secret, token };
}
