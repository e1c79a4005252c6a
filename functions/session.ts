import { findSession, noteUse, type Session } from '../lib/accounts/sessions.ts';
import type { Params } from '../lib/http/params.ts';
import type { Table } from '../lib/storage/table.ts';
import { type HttpContext, secretOf } from './http.ts';
import { log } from './log.ts';

/**
 * The session that a request is made in; notes that it is in use. A note that fails is not worth failing the request.
 *
 * @throws Refusal naming `secret`
 */
export async function sessionOf(directory: Table, c: HttpContext, params: Params): Promise<Session> {
  const session = await findSession(directory, secretOf(c, params));
  try {
    await noteUse(directory, session, Date.now);
  } catch (error) {
    log('warn', 'the use of a session could not be noted', { error: String(error) });
  }
  return session;
}
