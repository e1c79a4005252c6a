import { authorize, type Sent } from '../accounts/app-token.ts';
import type { App } from '../accounts/apps.ts';
import { deviceList } from '../accounts/device-registry.ts';
import { type Device, type DeviceList, namedDevices } from '../accounts/devices.ts';
import { devicesKey, groupKey } from '../accounts/directory.ts';
import { GROUP_PREFIX, isKey } from '../accounts/keys.ts';
import { isDeleted } from '../groups/groups.ts';
import { type Person, personFor } from '../groups/hidden.ts';
import { MAX_MEMBERS, Members } from '../groups/members.ts';
import { Refusal } from '../refusal.ts';
import { batchGet } from '../storage/batches.ts';
import type { Table } from '../storage/table.ts';
import { MAX_USERS } from './fields.ts';

/** Who sends, and whom it is for. */
export interface Parties {
  app: App;
  /** What the app has sent of late; absent if that was never counted. */
  sent?: Sent;
  /** The monthly quota of its account, if that has one of its own. */
  quota?: number;
  accounts: DeviceList[];
  groups: AddressedGroup[];
}

/** A group that a message is for. */
export interface AddressedGroup {
  key: string;
  /** Whether the sending app's account owns it, and may know who is in it. */
  own: boolean;
}

/** A device of a person. */
export interface Recipient extends Person {
  device: Device;
}

/** A person, and the names of the devices that it is for; all, if there are none. */
export interface Addressee extends Person {
  names?: string[];
}

/** Whom a message reaches: devices, or, where they are too many for one invocation, users. */
export type Recipients = { devices: Recipient[] } | { users: Addressee[] };

/**
 * Devices up to which a message is sealed and stored before it is answered. Beyond, it is stored once and answered, and
 * workers do the rest: storing copies takes about a millisecond each, and a sender should not wait for a second.
 */
export const DIRECT_DEVICES = 200;

/** Accounts whose devices are read at once. */
const STEP = 200;

/** Most users of one request: twice what a group has, so that no race at a group's limit makes it unreachable. */
const MAX_RECIPIENTS = 2 * MAX_MEMBERS;

/**
 * Finds the sending app, the recipients' devices and the groups in one strongly consistent request: a device that was
 * registered a moment ago is not missed. A key's first letter says whether it is a group's, so that neither costs a
 * read of the other.
 *
 * @param token as given
 * @param user one key, or up to 50 joined by commas
 * @param unknown what is thrown for a key that is nobody's
 * @throws Refusal naming `token` or `user`, in Pushover's words
 */
export async function findParties(
  directory: Table,
  token: string | undefined,
  user: string | undefined,
  unknown = unknownRecipient,
): Promise<Parties> {
  const keys = [...new Set((user ?? '').split(',').map((key) => key.trim()))];
  const wellFormed = keys.length <= MAX_USERS && keys.every(isKey);
  const itemKey = (key: string) => (key.startsWith(GROUP_PREFIX) ? groupKey(key) : devicesKey(key));
  const { app, sent, quota, items } = await authorize(directory, token, wellFormed ? keys.map(itemKey) : []);
  if (keys.length > MAX_USERS) {
    throw new Refusal({ field: 'user', reason: `cannot have more than ${MAX_USERS} user keys` });
  }
  const accounts: DeviceList[] = [];
  const groups: AddressedGroup[] = [];
  for (const key of keys) {
    const { pk } = itemKey(key);
    const item = items.find((candidate) => candidate.pk === pk);
    if (!item || isDeleted(item)) throw unknown();
    if (key.startsWith(GROUP_PREFIX)) groups.push({ key, own: item.owner === app.owner });
    else accounts.push(deviceList(key, item));
  }
  return { app, ...(sent && { sent }), ...(quota !== undefined && { quota }), accounts, groups };
}

/**
 * Whom a message is for: the active devices of the users and of the groups' members, each once. Names choose among a
 * single user's devices and are ignored for several users and groups (Pushover's rules); a member's own devices apply.
 *
 * A group of 10,000 is read as two or three pages, and of its members' devices only as many as it takes to know that
 * they are too many for one invocation.
 *
 * @param most devices up to which they are named one by one
 * @throws Refusal naming `user` if nobody would get the message, or too many
 */
export async function chooseRecipients(
  directory: Table,
  { app, accounts, groups }: Parties,
  names: string[] | undefined,
  most = DIRECT_DEVICES,
): Promise<Recipients> {
  const single = accounts.length === 1 && groups.length === 0;
  const users = await addressees(directory, { app, accounts, groups }, single ? names : undefined);
  const known = new Map(accounts.map((list) => [list.user, list]));
  const devices: Recipient[] = [];
  for (let start = 0; start < users.length; start += STEP) {
    const step = users.slice(start, start + STEP);
    const unread = step.filter(({ user }) => !known.has(user)).map(({ user }) => user);
    const read = unread.length > 0 ? await deviceLists(directory, unread) : undefined;
    for (const { user, ...how } of step) {
      const list = known.get(user) ?? read?.get(user);
      if (list) devices.push(...activeDevices(list, how));
    }
    if (devices.length > most) return { users };
  }
  if (devices.length === 0) throw noActiveDevices();
  return { devices };
}

/** Who is reached by a message, each once. */
export function peopleOf(recipients: Recipients): Person[] {
  const addressed: Person[] = 'users' in recipients ? recipients.users : recipients.devices;
  return [...new Map(addressed.map((person) => [person.user, person])).values()];
}

/**
 * An account's active devices; those with the given names, if there are any, else all (Pushover's rule: a device that
 * was renamed or turned off must not make a message go nowhere).
 */
export function activeDevices(
  { user, devices }: DeviceList,
  { names, hidden }: Pick<Addressee, 'hidden' | 'names'>,
): Recipient[] {
  const active = devices.filter(({ enabled }) => enabled);
  const named = names ? namedDevices(active, names) : [];
  return (named.length > 0 ? named : active).map((device) => ({
    user,
    device,
    ...(hidden && { hidden }),
  }));
}

/** The refusal of a message that nobody would get. */
export function noActiveDevices(): Refusal {
  return new Refusal({ field: 'user', reason: 'has no active devices' });
}

/** Each user once, with all devices that any of the entries names; an entry without a device names all. */
async function addressees(
  directory: Table,
  { app, accounts, groups }: Pick<Parties, 'accounts' | 'app' | 'groups'>,
  names: string[] | undefined,
): Promise<Addressee[]> {
  const found = new Map<string, Set<string> | undefined>();
  const known = new Set([app.owner]);
  for (const { user } of accounts) {
    found.set(user, names && new Set(names));
    known.add(user);
  }
  const members = new Members(directory);
  for (const { key, own } of groups) {
    for await (const page of members.all(key)) {
      for (const { user, device, disabled } of page) {
        if (disabled) continue;
        if (own) known.add(user);
        if (device === undefined) found.set(user, undefined);
        else if (!found.has(user)) found.set(user, new Set([device]));
        else found.get(user)?.add(device);
      }
      if (found.size > MAX_RECIPIENTS) {
        throw new Refusal({
          field: 'user',
          reason: `cannot reach more than ${MAX_RECIPIENTS} users at once`,
        });
      }
    }
  }
  return [...found].map(([user, wanted]) => ({
    ...personFor(known, user),
    ...(wanted && { names: [...wanted] }),
  }));
}

async function deviceLists(directory: Table, users: string[]): Promise<Map<string, DeviceList>> {
  const keys = users.map(devicesKey);
  const [items] = await batchGet([{ table: directory, keys, consistent: true }]);
  return new Map(
    items!.map((item) => {
      const user = (item.pk as string).slice(devicesKey('').pk.length);
      return [user, deviceList(user, item)];
    }),
  );
}

function unknownRecipient(): Refusal {
  const sentence =
    'user identifier is not a valid user, group, or subscribed user key, see https://pushover.net/api#identifiers';
  return new Refusal({ field: 'user', reason: 'invalid', sentence });
}
