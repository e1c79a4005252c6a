/** A started Peal to be measured, and devices that receive in it. */
import { randomBytes } from 'node:crypto';
import type { PealConfig } from '#config';
import {
  createApi,
  createInbox,
  createMemoryStore,
  type Enrolment,
  enrol,
  type InboxApi,
  type PealApi,
  PealSocket,
  type StoredMessage,
} from '../../lib/device/index.ts';

import { currentAssembly } from '../../local/assembly.ts';
import type { Received } from '../../local/carriers/index.ts';
import { type Peal, startPeal } from '../../local/peal.ts';

/** How a device is reached: over its socket (sealed or, Open Client, plain), by FCM or by APNs. */
export type Kind = 'apns' | 'desktop' | 'fcm' | 'open';

export const KINDS: readonly Kind[] = ['desktop', 'fcm', 'apns', 'open'];

/** A registered device, the only one of an account of its own. */
export interface Receiver {
  /** What a sender needs to reach it. */
  to: { token: string; user: string };
  /**
   * When the next signal arrives (`!`, or a push at the carrier), on the clock of `performance.now()`. To be asked for
   * before the message is sent. Rejects when the server sends the device away, or after 10 seconds.
   */
  signal(): Promise<number>;
  /** Syncs and acknowledges through its API, or one that measures; answers what is new, with when it was opened. */
  sync(api?: InboxApi): Promise<{ text: string; openedAt: number }[]>;
  /** Logged in. */
  api: PealApi;
  stop(): void;
}

/** Starts Peal on free ports, deployed with a configuration. What goes wrong in it is printed and fails the process. */
export async function openPeal(config?: PealConfig): Promise<Peal> {
  return startPeal({
    assembly: await currentAssembly(config),
    sweepInterval: 0,
    log: (level, message, fields) => {
      if (level !== 'error') return;
      console.error(message, JSON.stringify(fields ?? {}));
      process.exitCode = 1;
    },
  });
}

/** A message that was not signalled in this time counts as lost. */
const LOST_MS = 10_000;

let receivers = 0;

/** Signs up an account with an app and a device that is reachable when this resolves. */
export async function createReceiver(peal: Peal, kind: Kind): Promise<Receiver> {
  const open = createApi({ url: peal.api });
  const email = `bench${++receivers}@example.org`;
  const session = await open.signUp({ email, password: 'correct horse' });
  const api = open.withSecret(session.secret);
  const { token } = await api.createApp('Bench');
  const store = createMemoryStore();
  const enrolment = enrolmentOf(kind);
  const { device } = await enrol(open, store, session, enrolment);

  const opened: { text: string; openedAt: number }[] = [];
  const inbox = createInbox({
    store,
    onMessage: (stored) => void opened.push({ text: textOf(stored), openedAt: performance.now() }),
  });
  let next = Promise.withResolvers<number>();
  const wake = () => next.resolve(performance.now());
  const stop = enrolment.push
    ? onPush(peal, enrolment.push, wake)
    : await onSocket(peal, device, session.secret, wake, (reason) => next.reject(new Error(reason)));
  return {
    to: { token, user: session.user },
    api,
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
    stop,
  };
}

function enrolmentOf(kind: Kind): Enrolment {
  if (kind === 'desktop' || kind === 'open') return { name: kind, platform: kind };
  if (kind === 'fcm') {
    return {
      name: kind,
      platform: 'android',
      push: { type: 'fcm', token: randomBytes(90).toString('base64url') },
    };
  }
  const token = randomBytes(32).toString('hex');
  return {
    name: kind,
    platform: 'ios',
    push: { type: 'apns', token, topic: 'org.example.app', environment: 'production' },
  };
}

function textOf(stored: StoredMessage): string {
  return stored.kind === 'message' ? stored.message.message : `unreadable: ${stored.reason}`;
}

function onPush({ carriers }: Peal, push: NonNullable<Enrolment['push']>, wake: () => void): () => void {
  const target = 'token' in push ? push.token : undefined;
  const received = (one: Received) => {
    if (one.target === target) wake();
  };
  carriers.journal.on('received', received);
  return () => carriers.journal.off('received', received);
}

/** Logs in over the socket; resolves with how to leave when the login is answered. */
async function onSocket(
  peal: Peal,
  device: string,
  secret: string,
  wake: () => void,
  onEnd: (reason: string) => void,
): Promise<() => void> {
  const loggedIn = Promise.withResolvers<void>();
  let online = false;
  const socket = new PealSocket({
    url: peal.socket,
    device,
    secret,
    // The first request to sync is the login's own.
    onSync: () => {
      if (online) wake();
      online = true;
      loggedIn.resolve();
    },
    onEnd: (end) => {
      loggedIn.reject(new Error(`the device was sent away: ${end}`));
      onEnd(`the device was sent away: ${end}`);
    },
  });
  socket.start();
  await loggedIn.promise;
  return () => socket.stop();
}
