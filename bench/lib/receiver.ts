/** A started Peal to be measured, and devices that receive in it. */
import { randomBytes } from 'node:crypto';
import type { PealConfig } from '#config';
import {
  createInbox,
  createMemoryStore,
  type Enrolment,
  enrol,
  type InboxApi,
  type PealApi,
  PealSocket,
  type Session,
  type StoredMessage,
} from '../../lib/device/index.ts';
import { currentAssembly } from '../../local/assembly.ts';
import type { Received } from '../../local/carriers/index.ts';
import { patientApi } from '../../local/demo/patience.ts';
import { type Peal, startPeal } from '../../local/peal.ts';

/**
 * How a device is reached: over its socket (sealed or, Open Client, plain), by FCM, by APNs, or by Web Push (a browser
 * that is closed).
 */
export type Kind = 'apns' | 'desktop' | 'fcm' | 'open' | 'web';

/** A registered device. */
export interface ReceivingDevice {
  /**
   * When the next signal arrives (`!`, or a push at the carrier), on the clock of `performance.now()`. To be asked for
   * before the message is sent. Rejects when the server sends the device away, or after 10 seconds.
   */
  signal(): Promise<number>;
  /** Syncs and acknowledges through its API, or one that measures; answers what is new, with when it was opened. */
  sync(api?: InboxApi): Promise<{ text: string; openedAt: number }[]>;
  /** Of a device on the socket: drops the connection, and resolves when the next login is answered. */
  reconnect?(): Promise<void>;
  stop(): void;
}

/** An account with an app and devices. */
export interface Person {
  /** What a sender needs to reach it. */
  to: { token: string; user: string };
  /** Logged in. */
  api: PealApi;
  devices: ReceivingDevice[];
}

/** A registered device, the only one of an account of its own. */
export type Receiver = Omit<Person, 'devices'> & ReceivingDevice;

/** Starts Peal on free ports, deployed with a configuration. What goes wrong in it is printed and fails the process. */
export async function openPeal(config?: PealConfig): Promise<Peal> {
  const peal = await startPeal({
    assembly: await currentAssembly(config),
    sweepInterval: 0,
    log: (level, message, fields) => {
      if (level !== 'error') return;
      console.error(message, JSON.stringify(fields ?? {}));
      process.exitCode = 1;
    },
  });
  // A device that is pushed to listens until it is stopped, and there may be many.
  peal.carriers.journal.setMaxListeners(0);
  return peal;
}

/** Just below the ten idle minutes after which the managed WebSocket API closes a connection. */
const QUIET_MS = 9 * 60_000;

/** A message that was not signalled in this time counts as lost. */
const LOST_MS = 10_000;

let people = 0;
/** Of the largest ids of apps, below 2^31. */
const DIGITS = 10;

/** Signs up an account with an app and a device that is reachable when this resolves. */
export async function createReceiver(peal: Peal, kind: Kind): Promise<Receiver> {
  const { devices, ...person } = await createPerson(peal, [kind]);
  return { ...person, ...devices[0]! };
}

/**
 * Signs up an account with an app and devices that are reachable when this resolves.
 *
 * @param transport what its requests are made with, if not with the global `fetch`
 */
export async function createPerson(
  peal: Peal,
  kinds: readonly Kind[],
  transport?: typeof fetch,
): Promise<Person> {
  const open = patientApi(peal.api, transport);
  const session = await open.signUp({ email: `bench${++people}@example.org`, password: 'correct horse' });
  const api = open.withSecret(session.secret);
  const { token } = await appOf(api);
  const devices: ReceivingDevice[] = [];
  for (const [n, kind] of kinds.entries()) devices.push(await createDevice(peal, kind, n, open, session));
  return { to: { token, user: session.user }, api, devices };
}

/** An app whose id has ten digits, as most have: it is in every message, and they are to be as long in every run. */
async function appOf(api: PealApi): Promise<{ token: string }> {
  for (;;) {
    const app = await api.createApp('Bench');
    if (app.id.length === DIGITS) return app;
  }
}

async function createDevice(
  peal: Peal,
  kind: Kind,
  n: number,
  open: PealApi,
  session: Session,
): Promise<ReceivingDevice> {
  const api = open.withSecret(session.secret);
  const store = createMemoryStore();
  const enrolment = enrolmentOf(peal, kind, `${kind}-${n}`);
  const { device } = await enrol(open, store, session, enrolment);

  const opened: { text: string; openedAt: number }[] = [];
  const inbox = createInbox({
    store,
    onMessage: (stored) => void opened.push({ text: textOf(stored), openedAt: performance.now() }),
  });
  let next = Promise.withResolvers<number>();
  const wake = () => next.resolve(performance.now());
  const reached = enrolment.push
    ? { stop: onPush(peal, enrolment.push, wake) }
    : await onSocket(peal, device, session.secret, wake, (reason) => next.reject(new Error(reason)));
  return {
    signal() {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      const timer = setTimeout(() => reject(new Error(`no signal within ${LOST_MS} ms`)), LOST_MS);
      next = { promise, resolve, reject };
      const signalled = promise.finally(() => clearTimeout(timer));
      // Who fails before it waits for this has told what is wrong.
      signalled.catch(() => undefined);
      return signalled;
    },
    async sync(through = api) {
      await inbox.syncOnce(through);
      return opened.splice(0);
    },
    ...reached,
  };
}

function enrolmentOf({ carriers }: Peal, kind: Kind, name: string): Enrolment {
  if (kind === 'desktop' || kind === 'open') return { name, platform: kind };
  if (kind === 'web') return { name, platform: 'web', push: carriers.subscribe().target };
  if (kind === 'fcm') {
    return {
      name,
      platform: 'android',
      push: { type: 'fcm', token: randomBytes(90).toString('base64url') },
    };
  }
  const token = randomBytes(32).toString('hex');
  return {
    name,
    platform: 'ios',
    push: { type: 'apns', token, topic: 'org.example.app', environment: 'production' },
  };
}

function textOf(stored: StoredMessage): string {
  return stored.kind === 'message' ? stored.message.message : `unreadable: ${stored.reason}`;
}

function onPush({ carriers }: Peal, push: NonNullable<Enrolment['push']>, wake: () => void): () => void {
  const target = 'token' in push ? push.token : 'endpoint' in push ? push.endpoint : undefined;
  const received = (one: Received) => {
    if (one.target === target) wake();
  };
  carriers.journal.on('received', received);
  return () => carriers.journal.off('received', received);
}

/** Logs in over the socket; resolves with how to leave, and come again, when the login is answered. */
async function onSocket(
  peal: Peal,
  device: string,
  secret: string,
  wake: () => void,
  onEnd: (reason: string) => void,
): Promise<Required<Pick<ReceivingDevice, 'reconnect' | 'stop'>>> {
  let login: PromiseWithResolvers<void> | undefined;
  const socket = new PealSocket({
    url: peal.socket,
    device,
    secret,
    // No heartbeat in the middle of a measurement, unless that takes very long.
    limits: { heartbeat: QUIET_MS },
    // The first request to sync is the login's own.
    onSync: () => {
      if (!login) return wake();
      login.resolve();
      login = undefined;
    },
    onEnd: (end) => {
      login?.reject(new Error(`the device was sent away: ${end}`));
      onEnd(`the device was sent away: ${end}`);
    },
  });
  const connect = async () => {
    login = Promise.withResolvers<void>();
    const { promise } = login;
    socket.stop();
    socket.start();
    await promise;
  };
  await connect();
  return { reconnect: connect, stop: () => socket.stop() };
}
