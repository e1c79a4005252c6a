import { devicesKey, groupKey, memberKey } from '../../lib/accounts/directory.ts';
import { randomDeviceId, randomKey } from '../../lib/accounts/keys.ts';
import { createKeyPair } from '../../lib/device/index.ts';
import type { Table } from '../../lib/storage/table.ts';
import { fill } from './directory.ts';

/** A member of a crowd, with the ids of two devices. */
export interface CrowdMember {
  user: string;
  phone: string;
  tablet: string;
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
  const stored = (name: string) => ({ name, platform: 'android', enabled: true, createdAt: 0, publicKey });
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
          devices: { [phone]: stored('phone'), [tablet]: stored('tablet') },
          version: 1,
        },
        { ...memberKey(group.key, user, only), user, ...(only && { device: only }) },
      ];
    }),
  );
  await fill(directory, [{ ...groupKey(group.key), name: 'Crowd', owner: group.owner, members: size }]);
  return people;
}
