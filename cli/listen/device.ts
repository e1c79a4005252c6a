/** This machine as a device: its name, its folder, its registration. */
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Session } from '../../lib/device/api.ts';
import { enrol } from '../../lib/device/enrol.ts';
import { type FileStore, openFileStore } from '../../lib/device/file-store.ts';
import type { DeviceStore, Identity } from '../../lib/device/store.ts';
import type { Context } from '../context.ts';
import { TroubleError, UsageError } from '../errors.ts';
import { explain } from '../failures.ts';
import { note } from '../output.ts';
import { callLoggedIn, currentSession, login } from '../session.ts';

const MAX_NAME = 25;

/** The database of this machine's device, apart for each server and account. Throws CliError if it is in use. */
export async function openDevice(
  context: Pick<Context, 'dataFolder' | 'server'>,
  session: Session,
): Promise<FileStore> {
  const account = createHash('sha256').update(`${context.server()}\n${session.user}`).digest('hex');
  try {
    return await openFileStore(join(context.dataFolder, 'devices', account.slice(0, 16)));
  } catch (error) {
    throw explain(error, context.server());
  }
}

/**
 * The session to listen with; logs in if there is none. The local cloud may have started anew since, with another
 * demo account: ask it, so that messages go to the folder of the account that is there now.
 */
export async function requireSession(context: Context): Promise<Session> {
  if (context.local) await callLoggedIn(context, (api) => api.listDevices());
  return currentSession(context) ?? (await login(context, {}));
}

/**
 * Makes sure that this machine is a device that the server knows: registers it the first time, and again when it
 * was deleted at the server. A server that cannot be reached is no reason not to start, once it is registered.
 */
export async function ensureRegistered(context: Context, store: DeviceStore, name?: string): Promise<void> {
  const known = await store.identity();
  try {
    const devices = await callLoggedIn(context, (api) => api.listDevices());
    const registered = devices.find(({ id }) => id === known?.device);
    const session = currentSession(context);
    if (!session) throw new UsageError(`not logged in at ${context.server()}`, 'Run: peal account login');
    if (known && registered) await adopt(store, known, session);
    else
      await register(context, store, session, freeName(name, new Set(devices.map((device) => device.name))));
  } catch (error) {
    if (!known || !(error instanceof TroubleError)) throw error;
    note(`peal: ${error.message}; listening as soon as it can be reached`);
  }
}

/** After a new login the device goes on with the new session's secret. */
async function adopt(store: DeviceStore, known: Identity, session: Session): Promise<void> {
  if (known.secret !== session.secret) await store.setIdentity({ ...known, secret: session.secret });
}

async function register(context: Context, store: DeviceStore, session: Session, name: string): Promise<void> {
  await context.call((api) => enrol(api, store, session, { name, platform: 'desktop' }));
  note(`peal: this machine is registered as the device ${name}`);
}

/** A name of the user's own is used as it is, or refused by the server; the machine's gets a number if it is taken. */
function freeName(name: string | undefined, taken: ReadonlySet<string>): string {
  if (name !== undefined) return name;
  const base = deviceName(hostname());
  let candidate = base;
  for (let number = 2; taken.has(candidate); number += 1) {
    const suffix = `-${number}`;
    candidate = base.slice(0, MAX_NAME - suffix.length) + suffix;
  }
  return candidate;
}

/**
 * A host's name as a device's: 1–25 of `A-Z a-z 0-9 _ -`, without the domain. It begins with no dash, or no command
 * could take it for an argument.
 */
export function deviceName(host: string): string {
  const plain = (host.split('.', 1)[0] ?? '').replace(/[^A-Za-z0-9_-]+/g, '-');
  const name = plain.replace(/^-+/, '').slice(0, MAX_NAME);
  return /[A-Za-z0-9]/.test(name) ? name : 'computer';
}
