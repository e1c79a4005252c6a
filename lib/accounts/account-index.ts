import { createHash } from 'node:crypto';
import { DeleteCommand, GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { batchGet } from '../storage/batches.ts';
import { isConditionFailure, type Table } from '../storage/table.ts';
import { accountKey, devicesKey, listedKey } from './directory.ts';
import type { Email } from './email.ts';

/** Partitions that addresses are spread over: each takes a thousand sign-ups a second. */
const SHARDS = 8;

/** Accounts in one page, unless another number is asked for, and the most that may be. */
const PAGE = 100;
const MAX_PAGE = 1_000;

/** An account, as the operator's list has it. */
export interface ListedAccount {
  email: string;
  /** User key. */
  user: string;
  /** Unix seconds. */
  createdAt: number;
  /** Whether it has a second factor. */
  twofa: boolean;
  /** Its deletion has begun, and not ended. */
  deleting?: true;
}

/** Accounts in the order of their addresses. */
export interface AccountPage {
  accounts: ListedAccount[];
  /** Where the next page begins; absent on the last. */
  next?: string;
}

/**
 * Notes that an address may have an account, so that the operator can list it. It says nothing that could become wrong:
 * it is written before the account is and deleted after it, and who lists looks for the account itself. Repeatable.
 *
 * @param user whose account that is or will be, and whose lists have been begun
 */
export async function enlist(table: Table, email: Email, user: string): Promise<void> {
  await table.client.send(new PutCommand({ TableName: table.name, Item: { ...keyOf(email), user } }));
}

/**
 * Forgets an address whose account has been deleted, unless somebody else is signing up with it in that moment: then it
 * names a user who has a list of devices. Repeatable.
 */
export async function delist(table: Table, email: Email): Promise<void> {
  const user = (await getItem(table, keyOf(email)))?.user as string | undefined;
  if (user === undefined || (await getItem(table, devicesKey(user)))) return;
  try {
    await table.client.send(
      new DeleteCommand({
        TableName: table.name,
        Key: keyOf(email),
        ConditionExpression: '#user = :user',
        ExpressionAttributeNames: { '#user': 'user' },
        ExpressionAttributeValues: { ':user': user },
      }),
    );
  } catch (error) {
    if (!isConditionFailure(error)) throw error;
  }
}

/**
 * A page of the accounts, by address.
 *
 * Each shard is asked for a few; what is merged of them is complete up to the first address at which a shard that has
 * more was cut. So a page reads about twice what it shows, and is the shorter, the less evenly the next addresses are
 * spread.
 *
 * @param after the address that the page before ended with
 */
export async function listAccounts(
  table: Table,
  after: string | undefined,
  wanted = PAGE,
): Promise<AccountPage> {
  const size = Math.min(wanted, MAX_PAGE);
  const limit = Math.ceil((2 * size) / SHARDS);
  const shards = await Promise.all(
    Array.from({ length: SHARDS }, (_, shard) => queryShard(table, shard, after, limit)),
  );
  const cuts = shards.flatMap(({ emails, more }) => (more ? [emails.at(-1)!] : []));
  const border = cuts.sort(compare)[0];
  const known = shards.flatMap(({ emails }) => emails).sort(compare);
  const complete = border === undefined ? known : known.filter((email) => compare(email, border) <= 0);
  const page = complete.slice(0, size);
  const more = border !== undefined || page.length < complete.length;
  return { accounts: await readAccounts(table, page), ...(more && { next: page.at(-1)! }) };
}

async function queryShard(
  table: Table,
  shard: number,
  after: string | undefined,
  limit: number,
): Promise<{ emails: Email[]; more: boolean }> {
  const { Items = [], LastEvaluatedKey } = await table.client.send(
    new QueryCommand({
      TableName: table.name,
      KeyConditionExpression: after === undefined ? 'pk = :pk' : 'pk = :pk AND sk > :after',
      ExpressionAttributeValues: {
        ':pk': listedKey(shard, '').pk,
        ...(after !== undefined && { ':after': after }),
      },
      Limit: limit,
      // An account that was made a moment ago is there.
      ConsistentRead: true,
    }),
  );
  const emails = Items.map(({ sk }) => sk as Email);
  return { emails, more: LastEvaluatedKey !== undefined && emails.length > 0 };
}

/** The accounts of addresses that have one, in the same order. */
async function readAccounts(table: Table, emails: Email[]): Promise<ListedAccount[]> {
  const [items] = await batchGet([
    {
      table,
      keys: emails.map(accountKey),
      consistent: true,
      attributes: ['pk', 'user', 'createdAt', 'twofaNonce', 'deleting'],
    },
  ]);
  const found = new Map(items!.map((item) => [item.pk, item]));
  return emails.flatMap((email) => {
    const item = found.get(accountKey(email).pk);
    if (!item) return [];
    const { user, createdAt, twofaNonce, deleting } = item;
    return [
      {
        email,
        user: user as string,
        createdAt: createdAt as number,
        twofa: twofaNonce !== undefined,
        ...(deleting !== undefined && { deleting: true as const }),
      },
    ];
  });
}

async function getItem(table: Table, Key: { pk: string; sk: string }) {
  const found = await table.client.send(new GetCommand({ TableName: table.name, Key, ConsistentRead: true }));
  return found.Item;
}

/** By a hash, so that addresses of one kind do not all meet in one partition. */
function keyOf(email: Email): { pk: string; sk: string } {
  const shard = createHash('sha256').update(email).digest()[0]! % SHARDS;
  return listedKey(shard, email);
}

/** DynamoDB orders texts by their bytes, JavaScript by its own units. */
function compare(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
