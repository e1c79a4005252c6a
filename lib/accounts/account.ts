import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { kind, migrating, newest, unchanged } from '../storage/schema.ts';
import { isConditionFailure, type Table } from '../storage/table.ts';
import { enlist } from './account-index.ts';
import { accountKey } from './directory.ts';
import { canonicalEmail, type Email, NO_EMAIL } from './email.ts';
import { MAX_PASSWORD, verifyPassword } from './passwords.ts';

export const ACCOUNT = kind('account', unchanged);

/** An account as it is stored, under its e-mail address. */
export interface Account {
  email: Email;
  /** User key. */
  user: string;
  /** The password's hash. */
  password: string;
  /** Set while the account has a second factor: what its secret is derived with. */
  twofaNonce?: string;
  /** The same of a second factor that is being set up, and counts for nothing yet. */
  twofaPending?: string;
  /** The time step of the last code that was used. No code of it or before is good any more. */
  twofaStep?: number;
  /** Hashes of the recovery codes that are left. DynamoDB has no empty set: absent when all are used. */
  recovery?: Set<string>;
  /** Unix seconds. */
  createdAt: number;
  /** Its address is in the operator's list; not so of accounts from before there was one, until they log in. */
  listed?: true;
  /** Whose turn it is to end the account's other sessions: see {@link Turns}. */
  turn?: { id: string; until: number };
  /** When the operator began to delete it, Unix seconds. Nobody logs in any more. */
  deleting?: number;
}

/**
 * The account of an address, however that is written, unless it is being deleted. Strongly consistent.
 *
 * @throws NewerItem
 */
export async function findAccount(table: Table, email: string): Promise<Account | undefined> {
  const account = await readAccount(table, email);
  return account?.deleting === undefined ? account : undefined;
}

/** The same, for the operator, also if it is being deleted. @throws NewerItem */
export async function readAccount(table: Table, given: string): Promise<Account | undefined> {
  const email = canonicalEmail(given) ?? NO_EMAIL;
  const stored = await getStored(table, email);
  return stored && { ...(newest(ACCOUNT, stored) as unknown as Omit<Account, 'email'>), email };
}

/**
 * Puts an account from before there was a list into the list, and brings its item to its newest version: a read and
 * two writes, once. Repeatable.
 */
export async function listOnce(table: Table, { email, user, listed }: Account): Promise<void> {
  if (listed) return;
  const stored = await getStored(table, email);
  if (!stored) return;
  await enlist(table, email, user);
  const update = { UpdateExpression: 'SET listed = :yes', ExpressionAttributeValues: { ':yes': true } };
  try {
    await table.client.send(
      new UpdateCommand({
        TableName: table.name,
        Key: accountKey(email),
        ...migrating(ACCOUNT, stored, update),
        ConditionExpression: 'attribute_exists(pk)',
      }),
    );
  } catch (error) {
    // Deleted meanwhile: who lists finds no account of that address.
    if (!isConditionFailure(error)) throw error;
  }
}

async function getStored(table: Table, email: Email): Promise<Record<string, unknown> | undefined> {
  const Key = accountKey(email);
  const found = await table.client.send(new GetCommand({ TableName: table.name, Key, ConsistentRead: true }));
  return found.Item;
}

/**
 * Whether a password is an account's. Takes the same time whether there is an account or not, and whatever the
 * password is.
 */
export async function isPasswordOf(account: Account | undefined, password: string): Promise<boolean> {
  const tooLong = Buffer.byteLength(password) > MAX_PASSWORD;
  const correct = await verifyPassword(tooLong ? '' : password, account?.password);
  return correct && !tooLong;
}
