import { noteSeen } from '../lib/accounts/device-use.ts';
import type { Device } from '../lib/accounts/devices.ts';
import type { Table } from '../lib/storage/table.ts';
import { log } from './log.ts';

/** Notes that a device of an account is here. A note that fails is not worth failing the request. */
export async function seen(directory: Table, user: string, device: Device): Promise<void> {
  try {
    await noteSeen(directory, user, device, Date.now);
  } catch (error) {
    log('warn', 'that a device was here could not be noted', { error: String(error) });
  }
}
