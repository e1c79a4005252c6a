import { Refusal } from '../refusal.ts';
import { batchGet } from '../storage/batches.ts';
import type { Table } from '../storage/table.ts';
import { deviceList } from './device-registry.ts';
import type { Device, DeviceList } from './devices.ts';
import { devicesKey, sessionKey } from './directory.ts';
import { hashSecret, userOfSecret } from './keys.ts';

/** A session, and the devices of its account. */
export interface Session {
  user: string;
  email: string;
  secret: string;
  list: DeviceList;
}

/**
 * Finds the session of a secret and the account's devices, in one strongly consistent request. The secret names its
 * account and is looked up by its hash, so there is nothing to compare and no time that tells anything.
 *
 * @throws Refusal naming `secret`
 */
export async function findSession(directory: Table, secret: string | undefined): Promise<Session> {
  const user = secret === undefined ? undefined : userOfSecret(secret);
  if (secret === undefined || user === undefined) throw badSecret();
  const key = sessionKey(user, hashSecret(secret));
  const [items] = await batchGet([{ table: directory, keys: [key, devicesKey(user)], consistent: true }]);
  const session = items!.find((item) => item.sk === key.sk);
  if (!session) throw badSecret();
  const list = deviceList(
    user,
    items!.find((item) => item.sk !== key.sk),
  );
  return { user, email: session.email as string, secret, list };
}

/**
 * The device of a session's account with this id; disabled ones too.
 *
 * @throws Refusal naming `device_id`, the same whether it does not exist or is another account's
 */
export function sessionDevice(session: Session, id: string | undefined): Device {
  const device = session.list.devices.find((candidate) => candidate.id === id);
  if (!device) throw new Refusal({ field: 'device_id', reason: 'is invalid' });
  return device;
}

function badSecret(): Refusal {
  return new Refusal({ field: 'secret', reason: 'invalid', sentence: 'secret is invalid' });
}
