import type { Device } from '../../accounts/devices.ts';
import { findSession, isOpen, type Session, sessionDevice } from '../../accounts/sessions.ts';
import type { Mailbox } from '../../mailbox/mailbox.ts';
import type { Count } from '../../metrics.ts';
import { Refusal } from '../../refusal.ts';
import type { Table } from '../../storage/table.ts';
import type { Connections } from './connections.ts';
import { type Posted, SIGNAL, type Signal } from './signal.ts';

/** What a login needs. */
export interface LoginContext {
  directory: Table;
  connections: Connections;
  mailbox: Mailbox;
  /** Notes that a device of an account is here. Never throws. */
  seen(user: string, device: Device): Promise<void>;
  post(connection: string, signal: Signal): Promise<Posted>;
  count: Count;
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
 * was stored: whichever is first, a message that arrives during a login is either found or signalled. In the same way
 * the session is looked at again after the connection was stored: who ends a session deletes it and looks for its
 * connections then, so one of both sees the other.
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
  const login = await loginOf(frame, context.directory);
  if (login === undefined) return SIGNAL.error;
  const { device, session } = login;
  const elsewhere = await context.connections.open(device.id, connection, session.hash);
  if (!(await isOpen(context.directory, session))) {
    await context.connections.forget(device.id, connection);
    // Whoever was there before has lost its place to nobody: it has to log in again to get signals.
    if (elsewhere !== undefined) await context.post(elsewhere, SIGNAL.reconnect);
    return SIGNAL.error;
  }
  context.count('SocketLogins', 1);
  const [pending] = await Promise.all([
    context.mailbox.hasPending(device.id),
    context.seen(session.user, device),
  ]);
  // A lost `A` would leave the other client waiting for signals that go here, so it gets a second try.
  if (elsewhere !== undefined && (await context.post(elsewhere, SIGNAL.elsewhere)).kind === 'failed') {
    await context.post(elsewhere, SIGNAL.elsewhere);
  }
  return pending ? SIGNAL.sync : SIGNAL.alive;
}

/** The device of a good login to an enabled device, and the session. */
async function loginOf(
  frame: string,
  directory: Table,
): Promise<{ device: Device; session: Session } | undefined> {
  const [, id, secret] = LOGIN.exec(frame) ?? [];
  try {
    const session = await findSession(directory, secret);
    const device = sessionDevice(session, id);
    return device.enabled ? { device, session } : undefined;
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}
