import { type App, appOf } from '../accounts/apps.ts';
import { deviceList } from '../accounts/device-registry.ts';
import type { Device, DeviceList } from '../accounts/devices.ts';
import { devicesKey, tokenKey } from '../accounts/directory.ts';
import { hashSecret, isKey } from '../accounts/keys.ts';
import { Refusal } from '../refusal.ts';
import { batchGet } from '../storage/batches.ts';
import type { Table } from '../storage/table.ts';
import { MAX_USERS } from './fields.ts';

/** Who sends, and the accounts it is for. */
export interface Parties {
  app: App;
  accounts: DeviceList[];
}

/** A device of an account. */
export interface Recipient {
  user: string;
  device: Device;
}

/**
 * Finds the sending app and the recipients' devices in one strongly consistent request: a device that was registered
 * a moment ago is not missed.
 *
 * @param token as given
 * @param user one user key, or up to 50 joined by commas
 * @throws Refusal naming `token` or `user`, in Pushover's words
 */
export async function findParties(
  directory: Table,
  token: string | undefined,
  user: string | undefined,
): Promise<Parties> {
  if (token === undefined || !isKey(token)) throw badToken();
  const users = [...new Set((user ?? '').split(',').map((key) => key.trim()))];
  const wellFormed = users.length <= MAX_USERS && users.every(isKey);
  const byToken = tokenKey(hashSecret(token));
  const keys = [byToken, ...(wellFormed ? users.map(devicesKey) : [])];
  const [items] = await batchGet([{ table: directory, keys, consistent: true }]);
  const app = items!.find((item) => item.pk === byToken.pk);
  if (!app) throw badToken();
  if (users.length > MAX_USERS) {
    throw new Refusal({ field: 'user', reason: `cannot have more than ${MAX_USERS} user keys` });
  }
  const accounts = users.map((key) => {
    const item = items!.find(({ pk }) => pk === devicesKey(key).pk);
    if (!item) throw badUser();
    return deviceList(key, item);
  });
  return { app: appOf(app), accounts };
}

/**
 * The devices that a message is for: the enabled ones, of a single account only those named. Names that no active
 * device has fall back to all active devices, and several users ignore names (both Pushover's rules).
 *
 * @throws Refusal naming `user` if nobody would get the message
 */
export function chooseDevices(accounts: DeviceList[], names: string[] | undefined): Recipient[] {
  const active = accounts.flatMap(({ user, devices }) =>
    devices.filter(({ enabled }) => enabled).map((device) => ({ user, device })),
  );
  if (active.length === 0) throw new Refusal({ field: 'user', reason: 'has no active devices' });
  if (accounts.length > 1 || !names) return active;
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  const named = active.filter(({ device }) => wanted.has(device.name.toLowerCase()));
  return named.length > 0 ? named : active;
}

function badToken(): Refusal {
  const sentence = 'application token is invalid, see https://pushover.net/api';
  return new Refusal({ field: 'token', reason: 'invalid', sentence });
}

function badUser(): Refusal {
  const sentence =
    'user identifier is not a valid user, group, or subscribed user key, see https://pushover.net/api#identifiers';
  return new Refusal({ field: 'user', reason: 'invalid', sentence });
}
