import { devicesKey, groupKey, memberKey } from '../../lib/accounts/directory.ts';
import { randomDeviceId, randomKey } from '../../lib/accounts/keys.ts';
import { createKeyPair } from '../../lib/device/index.ts';
import type { Table } from '../../lib/storage/table.ts';
import { fill } from './directory.ts';

/** An account of which there are only its devices. */
export interface SeededAccount {
  user: string;
  /** Their ids. */
  devices: string[];
}

/** A member of a crowd, with the ids of two devices. */
export interface CrowdMember {
  user: string;
  phone: string;
  tablet: string;
}

/** What is stored of a device that no carrier reaches: messages only wait for it. */
function stored(name: string, publicKey: Uint8Array) {
  return { name, platform: 'android', enabled: true, createdAt: 0, publicKey };
}

/**
 * Puts accounts with many devices straight into the Directory: over the API it would take a second for each thirty
 * devices.
 *
 * @param publicKey of all of the devices
 */
export async function seedDeviceLists(
  directory: Table,
  size: { accounts: number; devices: number },
  publicKey: Uint8Array = createKeyPair().publicKey,
): Promise<SeededAccount[]> {
  const accounts = Array.from({ length: size.accounts }, () => ({
    user: randomKey('u'),
    devices: Array.from({ length: size.devices }, randomDeviceId),
  }));
  await fill(
    directory,
    accounts.map(({ user, devices }) => ({
      ...devicesKey(user),
      devices: Object.fromEntries(devices.map((id, n) => [id, stored(`d${n}`, publicKey)])),
      version: 1,
    })),
  );
  return accounts;
}

/**
 * Fills a group with new accounts, each with a phone and a tablet, straight into the Directory: over the API it would
 * take minutes.
 *
 * @param device which device of the n-th member is in the group; undefined: both
 */
export async function crowd(
  directory: Table,
  group: { key: string; owner: string },
  size: number,
  device: (n: number) => 'phone' | 'tablet' | undefined = () => undefined,
): Promise<CrowdMember[]> {
  const { publicKey } = createKeyPair();
  const people = Array.from({ length: size }, () => ({
    user: randomKey('u'),
    phone: randomDeviceId(),
    tablet: randomDeviceId(),
  }));
  await fill(
    directory,
    people.flatMap(({ user, phone, tablet }, n) => {
      const only = device(n);
      return [
        {
          ...devicesKey(user),
          devices: { [phone]: stored('phone', publicKey), [tablet]: stored('tablet', publicKey) },
          version: 1,
        },
        { ...memberKey(group.key, user, only), user, ...(only && { device: only }) },
      ];
    }),
  );
  await fill(directory, [{ ...groupKey(group.key), name: 'Crowd', owner: group.owner, members: size }]);
  return people;
}
