import { Refusal } from '../refusal.ts';
import type { Table } from '../storage/table.ts';
import { authorize } from './app-token.ts';
import { deviceList } from './device-registry.ts';
import type { Device, Platform } from './devices.ts';
import { devicesKey } from './directory.ts';
import { isKey } from './keys.ts';

/** What a sender learns of a user key that it checks. */
export interface Validated {
  /** Names of the active devices. */
  devices: string[];
  /** Pushover's names of the platforms that the devices are on. */
  licenses: string[];
  /** 1 for a group's key. */
  group: 0 | 1;
}

/**
 * Pushover sells licences by platform, and clients show which ones a user has. Peal sells none: a user has those of
 * the devices.
 */
const LICENSES: Record<Platform, string> = {
  android: 'Android',
  ios: 'iOS',
  desktop: 'Desktop',
  open: 'Desktop',
  web: 'Desktop',
};
const LICENSE_ORDER = ['Android', 'iOS', 'Desktop'];

/**
 * Checks a user key for a sender (`POST /1/users/validate.json`): it must have an active device, and, where names of
 * devices are given, each must be the name of one.
 *
 * @param names of devices, joined by commas
 * @throws Refusal naming `token`, `user` or `device`, in Pushover's words
 */
export async function validateUser(
  directory: Table,
  token: string | undefined,
  user: string | undefined,
  names: string | undefined,
): Promise<Validated> {
  const key = user !== undefined && isKey(user) ? user : undefined;
  const { items } = await authorize(directory, token, key === undefined ? [] : [devicesKey(key)]);
  const [item] = items;
  if (key === undefined || !item) throw badUser();
  const active = deviceList(key, item).devices.filter(({ enabled }) => enabled);
  if (active.length === 0) throw new Refusal({ field: 'user', reason: 'has no active devices' });
  if (names !== undefined) checkNames(active, names);
  const licenses = new Set(active.map(({ platform }) => LICENSES[platform]));
  return {
    devices: active.map(({ name }) => name),
    licenses: LICENSE_ORDER.filter((license) => licenses.has(license)),
    group: 0,
  };
}

function checkNames(active: Device[], names: string): void {
  const known = new Set(active.map(({ name }) => name.toLowerCase()));
  if (names.split(',').every((name) => known.has(name.trim().toLowerCase()))) return;
  throw badDevice();
}

/** The refusal of a user key that is not one, on every endpoint but sending. */
export function badUser(): Refusal {
  return new Refusal({ field: 'user', reason: 'invalid', sentence: 'user key is invalid' });
}

/** The refusal of a device's name that the user has no device of. */
export function badDevice(): Refusal {
  const sentence = 'device name is not valid for this user';
  return new Refusal({ field: 'device', reason: 'invalid for this user', sentence });
}
