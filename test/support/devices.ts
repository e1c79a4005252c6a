import { randomBytes } from 'node:crypto';
import {
  createInbox,
  createMemoryStore,
  type DeviceStore,
  enrol,
  type Inbox,
  type PealApi,
  type PushTarget,
  type StoredMessage,
} from '../../lib/device/index.ts';

/** A device under test: its database, its inbox, and every message that it showed, in order. */
export interface TestDevice {
  id: string;
  secret: string;
  store: DeviceStore;
  inbox: Inbox;
  shown: StoredMessage[];
  /** The text of what it showed. */
  texts(): string[];
  /** Syncs and acknowledges once. */
  sync(): Promise<void>;
}

/** What kind of device. */
export interface DeviceKind {
  name?: string;
  platform?: 'android' | 'desktop' | 'ios' | 'open' | 'web';
  push?: PushTarget;
}

let devices = 0;

/** Registers a device of an account; by default a sealed desktop. */
export async function newDevice(
  account: { api: PealApi; secret: string; user: string },
  { name, platform = 'desktop', push }: DeviceKind = {},
): Promise<TestDevice> {
  devices++;
  const store = createMemoryStore();
  const { user, secret, api } = account;
  const enrolment = { name: name ?? `device-${devices}`, platform, ...(push && { push }) };
  const { device: id } = await enrol(api, store, { user, secret }, enrolment);
  const shown: StoredMessage[] = [];
  const inbox = createInbox({ store, onMessage: (message) => void shown.push(message) });
  return {
    id,
    secret,
    store,
    inbox,
    shown,
    texts: () =>
      shown.map((message) => (message.kind === 'message' ? message.message.message : message.reason)),
    sync: () => inbox.syncOnce(api),
  };
}

/** A fresh FCM registration token. */
export function fcmTarget(): PushTarget & { type: 'fcm'; token: string } {
  return { type: 'fcm', token: randomBytes(90).toString('base64url') };
}

/** A fresh APNs device token. */
export function apnsTarget(): PushTarget & { type: 'apns' } {
  return {
    type: 'apns',
    token: randomBytes(32).toString('hex'),
    topic: 'org.example.app',
    environment: 'production',
  };
}
