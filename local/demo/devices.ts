/**
 * Simulated devices, one of each kind. They are devices in earnest: a key pair of their own, a database of their own,
 * and the library that real ones use to open, store, sync and acknowledge. Only the carrier's last hop is simulated:
 * what the stand-in accepted for a device's token is handed to it.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { openFileStore } from '../../lib/device/file-store.ts';
import {
  createInbox,
  createListener,
  createMemoryStore,
  type DeviceStore,
  type Enrolment,
  enrol,
  type PealApi,
  type PushTarget,
  type Session,
  type StoredMessage,
} from '../../lib/device/index.ts';
import type { Carriers, Received, Subscriber } from '../carriers/index.ts';

/** A running simulated device. */
export interface DemoDevice {
  name: string;
  platform: Enrolment['platform'];
  /** How it is reached, in words. */
  reached: string;
  id: string;
  stop(): Promise<void>;
}

/** Where the devices live. */
export interface DemoSurroundings {
  api: PealApi;
  socket: string;
  carriers: Carriers;
  session: Session;
  /** Keeps the devices' databases; absent: in memory. */
  folder: string | undefined;
  onMessage(device: DemoDevice, message: StoredMessage): void;
  onError(device: DemoDevice, error: unknown): void;
}

interface Kind {
  name: string;
  reached: string;
  enrolment(carriers: Carriers): Enrolment & { subscriber?: Subscriber };
}

/** The bundle id that the simulated iPhone app has. */
const TOPIC = 'example.peal.demo';

const KINDS: readonly Kind[] = [
  {
    name: 'android-phone',
    reached: 'FCM, sealed',
    enrolment: () => ({
      name: 'android-phone',
      platform: 'android',
      push: { type: 'fcm', token: randomBytes(114).toString('base64url') },
    }),
  },
  {
    name: 'iphone',
    reached: 'APNs, sealed',
    enrolment: () => ({
      name: 'iphone',
      platform: 'ios',
      push: { type: 'apns', token: randomBytes(32).toString('hex'), topic: TOPIC, environment: 'production' },
    }),
  },
  {
    name: 'browser',
    reached: 'Web Push, sealed',
    enrolment: (carriers) => {
      const subscriber = carriers.subscribe();
      return { name: 'browser', platform: 'web', push: subscriber.target, subscriber };
    },
  },
  {
    name: 'desktop',
    reached: 'socket, sealed',
    enrolment: () => ({ name: 'desktop', platform: 'desktop' }),
  },
  {
    name: 'open-client',
    reached: 'socket, plain',
    enrolment: () => ({ name: 'open-client', platform: 'open' }),
  },
];

/** Registers (once, if their databases are kept) and starts a device of each kind. Each is reachable when this resolves. */
export function startDemoDevices(surroundings: DemoSurroundings): Promise<DemoDevice[]> {
  return Promise.all(KINDS.map((kind) => startDevice(kind, surroundings)));
}

async function startDevice(kind: Kind, surroundings: DemoSurroundings): Promise<DemoDevice> {
  const { api, session, folder } = surroundings;
  const kept = folder === undefined ? undefined : await openFileStore(join(folder, kind.name));
  const store: DeviceStore = kept ?? createMemoryStore();
  const { subscriber, ...enrolment } = kind.enrolment(surroundings.carriers);
  const known = await store.identity();
  // A phone gets a new token from its carrier now and then; after a restart the simulated ones always do.
  if (known && enrolment.push)
    await api.withSecret(session.secret).updateDevice(known.device, { push: enrolment.push });
  const identity = known ? { ...known, secret: session.secret } : await enrol(api, store, session, enrolment);
  if (known) await store.setIdentity(identity);
  const device: DemoDevice = {
    name: kind.name,
    platform: enrolment.platform,
    reached: kind.reached,
    id: identity.device,
    stop: async () => {
      await stop();
      await kept?.close();
    },
  };
  const stop = enrolment.push
    ? await startPushed(device, store, { push: enrolment.push, subscriber }, surroundings)
    : await startDesktop(device, store, surroundings);
  return device;
}

/** A phone or a closed browser: woken by a push, it takes what the push carries, then syncs and acknowledges. */
async function startPushed(
  device: DemoDevice,
  store: DeviceStore,
  { push, subscriber }: { push: PushTarget; subscriber: Subscriber | undefined },
  { api, session, carriers, onMessage, onError }: DemoSurroundings,
): Promise<() => Promise<void>> {
  const inbox = createInbox({ store, onMessage: (message) => onMessage(device, message) });
  const loggedIn = api.withSecret(session.secret);
  const target = 'token' in push ? push.token : 'endpoint' in push ? push.endpoint : push.fid;
  const payloadOf = (received: Received) =>
    subscriber?.open(received) ?? (received.carrier === 'fcm' ? received.payload.data : received.payload);
  let work: Promise<unknown> = inbox.syncOnce(loggedIn).catch((error) => onError(device, error));
  const wake = (received: Received) => {
    if (received.target !== target) return;
    work = work
      .then(() => inbox.receivePush(payloadOf(received)))
      .then(() => inbox.syncOnce(loggedIn))
      .catch((error) => onError(device, error));
  };
  carriers.journal.on('received', wake);
  await work;
  return async () => {
    carriers.journal.off('received', wake);
    await work;
  };
}

/** A desktop or an Open Client: logged in over the socket. */
async function startDesktop(
  device: DemoDevice,
  store: DeviceStore,
  { api, socket, onMessage, onError }: DemoSurroundings,
): Promise<() => Promise<void>> {
  const online = Promise.withResolvers<void>();
  const listener = createListener({
    api,
    socket,
    store,
    onMessage: (message) => onMessage(device, message),
    onError: (error) => onError(device, error),
    onEnd: (end) => online.reject(new Error(`${device.name} was sent away: ${end}`)),
    onState: ({ state }) => {
      if (state === 'connected') online.resolve();
    },
  });
  await listener.start();
  await online.promise;
  return () => listener.stop();
}
