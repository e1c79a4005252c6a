import { findOwner, type Owner } from '../lib/accounts/owner.ts';
import { findSessionWith, noteUse, type Session, type SessionWith } from '../lib/accounts/sessions.ts';
import type { HttpRequest } from '../lib/http/message.ts';
import type { Params } from '../lib/http/params.ts';
import type { Table } from '../lib/storage/table.ts';
import { secretOf } from './http.ts';
import { log } from './log.ts';

/** Items of the Directory by their keys. */
type Item = Record<string, unknown>;

/**
 * The session that a request is made in; notes that it is in use.
 *
 * @throws Refusal naming `secret`
 */
export async function sessionOf(directory: Table, http: HttpRequest, params: Params): Promise<Session> {
  return (await sessionWith(directory, http, params, [])).session;
}

/**
 * The session that a request is made in, and other items of the Directory; notes that the session is in use.
 *
 * @throws Refusal naming `secret`
 */
export async function sessionWith(
  directory: Table,
  http: HttpRequest,
  params: Params,
  keys: Item[],
): Promise<SessionWith> {
  const found = await findSessionWith(directory, secretOf(http, params), keys);
  await note(directory, found.session);
  return found;
}

/**
 * The account that a request is made for, by an app's token or in a session, and other items of the Directory; notes
 * that the session is in use.
 *
 * @throws Refusal naming `token` or `secret`
 */
export async function ownerOf(
  directory: Table,
  http: HttpRequest,
  params: Params,
  keys: Item[] = [],
): Promise<Owner> {
  const found = await findOwner(
    directory,
    { token: params.get('token'), secret: secretOf(http, params) },
    keys,
  );
  if (found.session) await note(directory, found.session);
  return found;
}

/** A note that fails is not worth failing the request. */
async function note(directory: Table, session: Session): Promise<void> {
  try {
    await noteUse(directory, session, Date.now);
  } catch (error) {
    log('warn', 'the use of a session could not be noted', { error: String(error) });
  }
}
