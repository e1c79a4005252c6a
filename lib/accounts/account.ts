import { GetCommand } from '@aws-sdk/lib-dynamodb';
import type { Table } from '../storage/table.ts';
import { MAX_EMAIL } from './credentials.ts';
import { accountKey } from './directory.ts';
import { MAX_PASSWORD, verifyPassword } from './passwords.ts';

/** An account as it is stored, under its e-mail address. */
export interface Account {
  email: string;
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
}

/** The account of an address. Strongly consistent. */
export async function findAccount(table: Table, email: string): Promise<Account | undefined> {
  // No account has the address `-`: what cannot be an address is looked up all the same, which takes the same time.
  const Key = accountKey(email === '' || email.length > MAX_EMAIL ? '-' : email);
  const found = await table.client.send(new GetCommand({ TableName: table.name, Key, ConsistentRead: true }));
  return found.Item && { ...(found.Item as Omit<Account, 'email'>), email };
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
