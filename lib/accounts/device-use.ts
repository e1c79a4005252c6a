import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { type Clock, isConditionFailure, seconds, type Table } from '../storage/table.ts';
import { type Device, seenAtOf } from './devices.ts';
import { devicesKey } from './directory.ts';

/** How old the note of when a device was here may get before it is written anew. Seconds. */
const SEEN_EVERY = 24 * 3600;

/**
 * Notes that a device is here: one write a day at most. What it notes is in the item of all the account's devices, which
 * was read for the session anyway, so knowing that nothing is to be written costs nothing.
 *
 * It touches one path alone and leaves the version as it is, so it undoes no change that is made at the same time, and
 * makes none of them begin again. Only a device that is still there is written to, or one that was removed a moment ago
 * would come back as a stump. Of two notes at once either is right.
 */
export async function noteSeen(directory: Table, user: string, device: Device, clock: Clock): Promise<void> {
  const now = seconds(clock);
  if (now - seenAtOf(device) < SEEN_EVERY) return;
  try {
    await directory.client.send(
      new UpdateCommand({
        TableName: directory.name,
        Key: devicesKey(user),
        UpdateExpression: 'SET devices.#id.seenAt = :now',
        ConditionExpression: 'attribute_exists(devices.#id)',
        ExpressionAttributeNames: { '#id': device.id },
        ExpressionAttributeValues: { ':now': now },
      }),
    );
  } catch (error) {
    if (!isConditionFailure(error)) throw error;
  }
}
