import type { Table } from '../storage/table.ts';
import { authorize } from './app-token.ts';
import { findSessionWith, type Session } from './sessions.ts';

/** What somebody gives to change what an account owns, as given: the token of one of its apps, or a session's secret. */
export interface OwnerCredential {
  token: string | undefined;
  secret: string | undefined;
}

/** An account that may change what it owns, and what was read together with that. */
export interface Owner {
  /** User key. */
  user: string;
  /** There if it was a session's secret. */
  session?: Session;
  /** The other items that were found, in no order. */
  items: Record<string, unknown>[];
}

/**
 * Finds the account behind a credential, and other items of the Directory, in one strongly consistent request. A token
 * counts before a secret, so that Pushover's clients get what they know; who gives neither is told so of the token, in
 * Pushover's words.
 *
 * @param keys what else to read
 * @throws Refusal naming `token` or `secret`
 */
export async function findOwner(
  directory: Table,
  { token, secret }: OwnerCredential,
  keys: Record<string, unknown>[] = [],
): Promise<Owner> {
  if (token === undefined && secret !== undefined) {
    const { session, items } = await findSessionWith(directory, secret, keys);
    return { user: session.user, session, items };
  }
  const { app, items } = await authorize(directory, token, keys);
  return { user: app.owner, items };
}
