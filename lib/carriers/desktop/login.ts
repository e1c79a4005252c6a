import { findSession, sessionDevice } from '../../accounts/sessions.ts';
import type { Mailbox } from '../../mailbox/mailbox.ts';
import { Refusal } from '../../refusal.ts';
import type { Table } from '../../storage/table.ts';
import type { Connections } from './connections.ts';
import { type Posted, SIGNAL, type Signal } from './signal.ts';

/** What a login needs. */
export interface LoginContext {
  directory: Table;
  connections: Connections;
  mailbox: Mailbox;
  post(connection: string, signal: Signal): Promise<Posted>;
}

/** `login:<device id>:<secret>`, with a line end or, as one client sends it, without. */
const LOGIN = /^login:([^:\s]*):([^:\s]*)\s*$/;

/**
 * Answers a frame that a client sent over its socket.
 *
 * - `login:…` → `!` with a backlog, `#` without, `E` if it is wrong for good;
 * - `#` → `#`, which is how a client notices a dead connection, and keeps the idle one (10 minutes) alive;
 * - anything else → nothing.
 *
 * The connection is stored before the backlog is looked at, and dispatch looks for the connection after the message
 * was stored: whichever is first, a message that arrives during a login is either found or signalled.
 *
 * @returns the character to answer, or undefined for silence
 */
export async function socketFrame(
  frame: string,
  connection: string,
  context: LoginContext,
): Promise<Signal | undefined> {
  if (frame.trim() === SIGNAL.alive) return SIGNAL.alive;
  if (!frame.startsWith('login:')) return undefined;
  const device = await login(frame, context.directory);
  if (device === undefined) return SIGNAL.error;
  const elsewhere = await context.connections.open(device, connection);
  const pending = await context.mailbox.hasPending(device);
  // A lost `A` would leave the other client waiting for signals that go here, so it gets a second try.
  if (elsewhere !== undefined && (await context.post(elsewhere, SIGNAL.elsewhere)).kind === 'failed') {
    await context.post(elsewhere, SIGNAL.elsewhere);
  }
  return pending ? SIGNAL.sync : SIGNAL.alive;
}

/** The device id of a good login to an enabled device. */
async function login(frame: string, directory: Table): Promise<string | undefined> {
  const [, id, secret] = LOGIN.exec(frame) ?? [];
  try {
    const device = sessionDevice(await findSession(directory, secret), id);
    return device.enabled ? device.id : undefined;
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}
