/** Logging in makes this browser a device; logging out, or being logged out, ends that. */
import { type DeviceInfo, enrol, NetworkError, PealError, type Session } from '../../../lib/device/index.ts';
import { hear, tell } from '../platform/bus.ts';
import { UnreadablePicture } from '../platform/icon.ts';
import { subscribe, unsubscribe } from '../platform/push.ts';
import { wipe } from '../store/database.ts';
import { text } from '../text.ts';
import { api, app, ended, identity } from './app.ts';

/** What somebody logs in or signs up with. */
export interface Credentials {
  email: string;
  password: string;
  invitation?: string | undefined;
  twofa?: string | undefined;
  /** What the session is called in the account's list of them. */
  name?: string | undefined;
}

/** How often a device's name that is taken gets another number. */
const NAME_TRIES = 20;

/** Starts or resumes a session with Peal; no device yet. */
export function openSession(kind: 'logIn' | 'signUp', credentials: Credentials): Promise<Session> {
  const { email, password, invitation, twofa, name } = credentials;
  return kind === 'signUp'
    ? app().api.signUp({ email, password, invitation, name })
    : app().api.login({ email, password, twofa, name });
}

/** Whether this browser keeps messages of another account than the session's. */
export async function isOthers(session: Session): Promise<boolean> {
  const former = await app().store.formerIdentity();
  return former !== undefined && former.user !== session.user;
}

/** Deletes everything that is kept here. */
export async function wipeAll(): Promise<void> {
  await wipe(app().db);
  ended.value = false;
  tell({ kind: 'identity' });
}

/**
 * Makes this browser a device of the session's account: the one that it was before, if Peal still knows it (its keys
 * open what came meanwhile), else a new one.
 *
 * A tab that dies after Peal has registered the device and before the browser has noted it leaves a device that nobody
 * is; the user sees it in the list of devices.
 */
export async function becomeDevice(session: Session, name: string): Promise<void> {
  const { store, db } = app();
  const loggedIn = app().api.withSecret(session.secret);
  const former = await store.formerIdentity();
  const devices = await loggedIn.listDevices();
  const known = former && devices.find(({ id }) => id === former.device);
  if (former && known) await store.setIdentity({ ...former, ...session });
  else await enrolAs(session, freeName(name, devices));
  await db.delete('meta', 'ended');
  identity.value = await store.identity();
  ended.value = false;
  // Asked for without a question to the user where the browser may decide; the data is then not evicted.
  void navigator.storage?.persist?.();
  tell({ kind: 'identity' });
}

/** Another tab of the account may take the name in the same moment: the next number is tried then. */
async function enrolAs(session: Session, name: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await enrol(app().api, app().store, session, { name: numbered(name, tries), platform: 'web' });
      return;
    } catch (error) {
      const taken = error instanceof PealError && /taken/.test(error.fields.name ?? '');
      if (!taken || tries >= NAME_TRIES) throw error;
    }
  }
}

function freeName(name: string, devices: readonly DeviceInfo[]): string {
  const taken = new Set(devices.map((device) => device.name.toLowerCase()));
  for (let n = 1; n < NAME_TRIES; n++) {
    if (!taken.has(numbered(name, n).toLowerCase())) return numbered(name, n);
  }
  return name;
}

function numbered(name: string, n: number): string {
  const end = n === 1 ? '' : `-${n}`;
  return name.slice(0, 25 - end.length) + end;
}

/** A name for this browser: `Chrome-Linux`. */
export function suggestName(agent = navigator.userAgent): string {
  const find = (names: readonly [RegExp, string][], otherwise: string) =>
    names.find(([pattern]) => pattern.test(agent))?.[1] ?? otherwise;
  const browser = find(
    [
      [/Edg\//, 'Edge'],
      [/OPR\//, 'Opera'],
      [/Firefox\//, 'Firefox'],
      [/Chrome\//, 'Chrome'],
      [/Safari\//, 'Safari'],
    ],
    'Browser',
  );
  const system = find(
    [
      [/Android/, 'Android'],
      [/iPhone|iPad/, 'iOS'],
      [/Windows/, 'Windows'],
      [/Mac OS X/, 'Mac'],
      [/CrOS/, 'ChromeOS'],
      [/Linux/, 'Linux'],
    ],
    'device',
  );
  return `${browser}-${system}`;
}

/** Sets up Web Push, if it is allowed and possible. @returns whether this browser is reached when Peal is closed */
export async function setUpPush(): Promise<boolean> {
  const registration = await app().worker;
  const me = identity.peek();
  if (!registration || !me || !('Notification' in window)) return false;
  return subscribe(app().db, registration, api.peek(), me.device);
}

/**
 * Ends the session by its user's wish. What cannot be told to Peal does not keep anybody logged in here.
 *
 * @param keep messages and keys stay, and the device stays one of the account; else both go
 */
export async function logOut(keep: boolean): Promise<void> {
  const { db, store } = app();
  const registration = await app().worker;
  const me = identity.peek();
  if (registration) await unsubscribe(db, registration).catch(() => undefined);
  try {
    if (me) {
      await (keep ? api.peek().updateDevice(me.device, { push: null }) : api.peek().deleteDevice(me.device));
    }
    await api.peek().logout();
  } catch (error) {
    const gone = error instanceof NetworkError || (error instanceof PealError && error.signedOut);
    if (!gone) throw error;
  } finally {
    await store.setIdentity(undefined);
    if (!keep) await wipe(db);
    identity.value = undefined;
    tell({ kind: 'identity' });
  }
}

/** Peal does not know the session or the device any more: back to the login. What is kept stays until the user says. */
export async function sessionEnded(): Promise<void> {
  const { db, store } = app();
  const registration = await app().worker;
  await store.setIdentity(undefined);
  await db.put('meta', true, 'ended');
  if (registration) await unsubscribe(db, registration).catch(() => undefined);
  identity.value = undefined;
  ended.value = true;
  tell({ kind: 'identity', ended: 'signed-out' });
}

/** Keeps up with what other tabs do to the session. */
export function followSession(): void {
  hear(async (note) => {
    if (note.kind !== 'identity') return;
    const { store, db } = app();
    const now = await store.identity();
    if (now?.secret !== identity.peek()?.secret || now?.device !== identity.peek()?.device)
      identity.value = now;
    ended.value = !now && (await db.get('meta', 'ended')) === true;
  });
}

/** What to tell the user of an error. */
export function sentence(error: unknown): string {
  if (error instanceof NetworkError) return text.login.offline;
  if (error instanceof UnreadablePicture) return text.apps.noPicture;
  if (error instanceof PealError && error.errors.length > 0) return error.errors.join('. ');
  return text.errors.unknown;
}
