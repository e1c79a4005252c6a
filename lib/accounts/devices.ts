import type { PushTarget } from '../carriers/carrier.ts';

/** What a device runs on. `open` is Pushover's Open Client: no key, plain messages, reached over the socket. */
export type Platform = 'open' | 'android' | 'ios' | 'web' | 'desktop';

/** A device of an account, as it is stored. */
export interface Device {
  id: string;
  /** 1–25 of `[A-Za-z0-9_-]`, unique within the account. */
  name: string;
  platform: Platform;
  enabled: boolean;
  /** X25519 public key, 32 bytes, to which its messages are sealed. Absent: it gets them plain. */
  publicKey?: Uint8Array;
  /** Where its carrier finds it. Absent: only the socket, and sync. */
  push?: PushTarget;
  /** When the push target was set, Unix milliseconds. Tells one registration of a target from the next. */
  pushSince?: number;
  /** When its carrier said that the push target was dead, Unix seconds; until it registers another. */
  retiredAt?: number;
  /** Unix seconds. */
  createdAt: number;
  /** When it was last here, Unix seconds; to the day. Absent: on the day when it was registered. */
  seenAt?: number;
}

/** When a device was last here. Unix seconds; to the day. */
export const seenAtOf = ({ seenAt, createdAt }: Device): number => seenAt ?? createdAt;

/** All devices of an account, in one item: one read finds every recipient, one condition guards every name. */
export interface DeviceList {
  user: string;
  devices: Device[];
  /** Grows with every change that needs to see all devices (names, number of them). 0: there is no such account. */
  version: number;
}

/** Most devices of one account. Bounds what one message to one user can cost. */
export const MAX_DEVICES = 50;

/** Pushover's rule for device names. */
export const DEVICE_NAME = /^[A-Za-z0-9_-]{1,25}$/;

/** Devices with one of these names, whatever their letters' case: within an account, a name is unique that way. */
export function namedDevices(devices: Device[], names: Iterable<string>): Device[] {
  const wanted = new Set([...names].map((name) => name.trim().toLowerCase()));
  return devices.filter(({ name }) => wanted.has(name.toLowerCase()));
}
