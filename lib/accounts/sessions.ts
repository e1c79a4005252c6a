import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { Refusal } from '../refusal.ts';
import { batchGet } from '../storage/batches.ts';
import { kind, migrating, newest, type Step } from '../storage/schema.ts';
import { type Clock, isConditionFailure, seconds, type Table } from '../storage/table.ts';
import { deviceList } from './device-registry.ts';
import type { Device, DeviceList } from './devices.ts';
import { devicesKey, sessionKey } from './directory.ts';
import type { Email } from './email.ts';
import { hashSecret, userOfSecret } from './keys.ts';
import { badSecret } from './refusals.ts';

/** Version 0 did not say when it was used until it was a day old. */
const withSeen: Step = (item) => ({ seenAt: item.createdAt, ...item });
export const SESSION = kind('session', withSeen);

/** A session, and the devices of its account. */
export interface Session {
  user: string;
  email: Email;
  secret: string;
  /** Of the secret: what the session is stored and found under. */
  hash: string;
  /** Unix seconds; to the day. */
  seenAt: number;
  /** Its item, as it was read. */
  stored: Record<string, unknown>;
  list: DeviceList;
}

/** How old the note of a session's last use may get before it is written anew. Seconds. */
const SEEN_EVERY = 24 * 3600;

/**
 * Finds the session of a secret and the account's devices, in one strongly consistent request. The secret names its
 * account and is looked up by its hash, so there is nothing to compare and no time that tells anything. A session counts
 * as long as its account has a list of devices, which is made before the account and deleted with it.
 *
 * @throws Refusal naming `secret`
 * @throws NewerItem, so that a device is told to try again, and not that it is logged out
 */
export async function findSession(directory: Table, secret: string | undefined): Promise<Session> {
  return (await findSessionWith(directory, secret, [])).session;
}

/** A session, and what was read together with it. */
export interface SessionWith {
  session: Session;
  /** The other items that were found, in no order. */
  items: Record<string, unknown>[];
}

/**
 * Finds the session of a secret, and other items of the Directory, in one strongly consistent request.
 *
 * @param keys what else to read; nothing is read for a secret that has not the form of one
 * @throws Refusal naming `secret`
 * @throws NewerItem, as {@link findSession}
 */
export async function findSessionWith(
  directory: Table,
  secret: string | undefined,
  keys: Record<string, unknown>[],
): Promise<SessionWith> {
  const user = secret === undefined ? undefined : userOfSecret(secret);
  if (secret === undefined || user === undefined) throw badSecret();
  const hash = hashSecret(secret);
  const key = sessionKey(user, hash);
  const devices = devicesKey(user);
  const [items] = await batchGet([{ table: directory, keys: [key, devices, ...keys], consistent: true }]);
  const stored = items!.find((item) => item.sk === key.sk);
  if (!stored) throw badSecret();
  const found = items!.find(({ pk, sk }) => pk === devices.pk && sk === devices.sk);
  // The list of devices goes with its account: a session that was stored in that very moment is none.
  if (!found) throw badSecret();
  const list = deviceList(user, found);
  const { email, seenAt } = newest(SESSION, stored) as { email: Email; seenAt: number };
  return {
    session: { user, email, secret, hash, seenAt, stored, list },
    items: items!.filter((item) => item !== stored && item !== found),
  };
}

/** Whether a session is still there. Strongly consistent. */
export async function isOpen(
  directory: Table,
  { user, hash }: Pick<Session, 'hash' | 'user'>,
): Promise<boolean> {
  const [items] = await batchGet([{ table: directory, keys: [sessionKey(user, hash)], consistent: true }]);
  return items!.length > 0;
}

/**
 * Notes that a session is in use: one write a day at most. Only a session that is still there is written to, or one
 * that was ended a moment ago would come to life again.
 */
export async function noteUse(
  directory: Table,
  { user, hash, seenAt, stored }: Session,
  clock: Clock,
): Promise<void> {
  const now = seconds(clock);
  if (now - seenAt < SEEN_EVERY) return;
  const update = { UpdateExpression: 'SET seenAt = :now', ExpressionAttributeValues: { ':now': now } };
  try {
    await directory.client.send(
      new UpdateCommand({
        TableName: directory.name,
        Key: sessionKey(user, hash),
        ...migrating(SESSION, stored, update, ['seenAt']),
        ConditionExpression: 'attribute_exists(pk)',
      }),
    );
  } catch (error) {
    if (!isConditionFailure(error)) throw error;
  }
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
