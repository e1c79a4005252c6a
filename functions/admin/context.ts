import { readAccount } from '../../lib/accounts/account.ts';
import { Accounts } from '../../lib/accounts/accounts.ts';
import { Refusal } from '../../lib/refusal.ts';
import { table } from '../environment.ts';
import { sessionRegistry } from '../sessions.ts';

/** What the commands share. */
export const clock = Date.now;
export const directory = table('DIRECTORY_TABLE');
export const sessions = sessionRegistry(directory);
export const accounts = new Accounts(directory, clock, sessions);

/** The user key of an account. @throws Refusal naming `email` */
export async function userOf(email: string): Promise<string> {
  const account = await readAccount(directory, String(email));
  if (!account) throw new Refusal({ field: 'email', reason: 'has no account' });
  return account.user;
}
