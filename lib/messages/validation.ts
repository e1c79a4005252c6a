import { type Device, namedDevices, type Platform } from '../accounts/devices.ts';
import { badDevice, badUser } from '../accounts/refusals.ts';
import type { Table } from '../storage/table.ts';
import { chooseRecipients, findParties, noActiveDevices } from './recipients.ts';

/** What a sender learns of a key that it checks. */
export interface Validated {
  /** Names of the active devices; none for a group. */
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
 * Checks a user's or group's key for a sender (`POST /1/users/validate.json`): somebody must get a message that is
 * sent to it, and, where names of devices are given, the user must have active devices of all those names.
 *
 * @param names of devices, joined by commas; ignored for a group
 * @throws Refusal naming `token`, `user` or `device`, in Pushover's words
 */
export async function validateUser(
  directory: Table,
  token: string | undefined,
  user: string | undefined,
  names: string | undefined,
): Promise<Validated> {
  const parties = await findParties(directory, token, user, badUser);
  const { accounts, groups } = parties;
  if (accounts.length + groups.length > 1) throw badUser();
  if (groups.length > 0) {
    // As soon as it is known that anybody gets it, nothing more is read.
    await chooseRecipients(directory, parties, undefined, 0);
    return { devices: [], licenses: [], group: 1 };
  }
  const active = accounts[0]!.devices.filter(({ enabled }) => enabled);
  if (active.length === 0) throw noActiveDevices();
  if (names !== undefined) checkNames(active, names.split(','));
  const licenses = new Set(active.map(({ platform }) => LICENSES[platform]));
  return {
    devices: active.map(({ name }) => name),
    licenses: LICENSE_ORDER.filter((license) => licenses.has(license)),
    group: 0,
  };
}

function checkNames(active: Device[], names: string[]): void {
  if (names.some((name) => namedDevices(active, [name]).length === 0)) throw badDevice();
}
