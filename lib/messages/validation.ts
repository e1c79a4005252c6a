import type * as v from 'valibot';
import { type Device, namedDevices } from '../accounts/devices.ts';
import { badDevice, badUser } from '../accounts/refusals.ts';
import type { Table } from '../storage/table.ts';
import { chooseRecipients, findParties, noActiveDevices } from './recipients.ts';
import type { VALIDATED, VALIDATION } from './validated.ts';

/** Pushover sells licences by platform. Nobody buys one here: every user has them all, as in the answer to a sync. */
const LICENSES = ['Android', 'iOS', 'Desktop'];

/**
 * Checks a user's or group's key for a sender (`POST /1/users/validate.json`): somebody must get a message that is
 * sent to it, and, where names of devices are given, the user must have active devices of all those names.
 *
 * @throws Refusal naming `token`, `user` or `device`, in Pushover's words
 */
export async function validateUser(
  directory: Table,
  token: string | undefined,
  { user, device: names }: v.InferOutput<typeof VALIDATION>,
): Promise<v.InferOutput<typeof VALIDATED>> {
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
  return { devices: active.map(({ name }) => name), licenses: LICENSES, group: 0 };
}

function checkNames(active: Device[], names: string[]): void {
  if (names.some((name) => namedDevices(active, [name]).length === 0)) throw badDevice();
}
