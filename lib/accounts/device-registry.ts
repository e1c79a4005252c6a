import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { NativeAttributeValue } from '@aws-sdk/util-dynamodb';
import type { PushTarget } from '../carriers/carrier.ts';
import { Refusal } from '../refusal.ts';
import { batchGet } from '../storage/batches.ts';
import { kind, migrating, newest, unchanged, versioned } from '../storage/schema.ts';
import { type Clock, isConditionFailure, seconds, type Table } from '../storage/table.ts';
import { type Device, type DeviceList, MAX_DEVICES, type Platform } from './devices.ts';
import { devicesKey } from './directory.ts';
import { randomDeviceId } from './keys.ts';
import { noAccount } from './refusals.ts';

/** What a new device says of itself. */
export interface NewDevice {
  name: string;
  platform: Platform;
  publicKey?: Uint8Array;
  push?: PushTarget;
}

/** What may be changed later. `null` removes. */
export interface DeviceChange {
  name?: string;
  enabled?: boolean;
  publicKey?: Uint8Array;
  push?: PushTarget | null;
}

/** All devices of an account, whose own `version` counts changes and is nothing of the schema's. */
const DEVICES = kind('devices', unchanged);

/** Attempts at a change that concurrent changes keep overtaking. */
const ATTEMPTS = 8;

/**
 * Devices of accounts, in the Directory.
 *
 * Changes that must see all devices of the account (a name is unique, their number is bounded) read the list and
 * write under the condition that its `version` is still the same; whoever is overtaken reads again. Changes of one
 * device touch only that device's attributes, so they never undo each other.
 */
export class DeviceRegistry {
  readonly #table: Table;
  readonly #clock: Clock;

  constructor(table: Table, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  /** All devices of an account; none for an unknown one. Strongly consistent. */
  async list(user: string): Promise<DeviceList> {
    return deviceList(user, await this.#get(user));
  }

  /** Devices of several accounts in one request, by user key. For dispatch: what a target is now, not what it was. */
  async listMany(users: string[]): Promise<Map<string, DeviceList>> {
    const keys = [...new Set(users)].map(devicesKey);
    const [items] = await batchGet([{ table: this.#table, keys, consistent: true }]);
    return new Map(
      items!.map((item) => {
        const user = (item.pk as string).slice('user#'.length);
        return [user, deviceList(user, item)];
      }),
    );
  }

  /**
   * Registers a device.
   *
   * Repeating a registration whose answer was lost answers that the name is taken; the caller lists its devices.
   *
   * @returns the new device's id
   * @throws Refusal naming `name`; or `secret`, if the account is gone
   */
  async register(user: string, device: NewDevice): Promise<string> {
    const id = randomDeviceId();
    await this.#changeList(user, ({ devices }) => {
      refuseTaken(devices, device.name);
      if (devices.length >= MAX_DEVICES) {
        throw new Refusal({
          field: 'name',
          reason: `cannot be added: an account has at most ${MAX_DEVICES} devices`,
        });
      }
      const stored = {
        name: device.name,
        platform: device.platform,
        enabled: true,
        createdAt: seconds(this.#clock),
        ...(device.publicKey && { publicKey: device.publicKey }),
        ...(device.push && { push: device.push, pushSince: this.#clock() }),
      };
      return { expression: 'SET devices.#id = :device', names: { '#id': id }, values: { ':device': stored } };
    });
    return id;
  }

  /**
   * Changes a device.
   *
   * @throws Refusal naming `device_id` if there is no such device, or `name` if another has it
   */
  async change(user: string, id: string, change: DeviceChange): Promise<void> {
    const sets: string[] = [];
    const removes: string[] = [];
    const values: Record<string, NativeAttributeValue> = {};
    const set = (attribute: string, value: NativeAttributeValue) => {
      sets.push(`devices.#id.${attribute} = :${attribute}`);
      values[`:${attribute}`] = value;
    };
    const names: Record<string, string> = { '#id': id };
    if (change.name !== undefined) {
      sets.push('devices.#id.#name = :name');
      names['#name'] = 'name';
      values[':name'] = change.name;
    }
    if (change.enabled !== undefined) set('enabled', change.enabled);
    if (change.publicKey !== undefined) set('publicKey', change.publicKey);
    if (change.push !== undefined) removes.push('devices.#id.retiredAt');
    if (change.push === null) removes.push('devices.#id.push', 'devices.#id.pushSince');
    else if (change.push !== undefined) {
      set('push', change.push);
      set('pushSince', this.#clock());
    }
    const clauses = [
      sets.length > 0 && `SET ${sets.join(', ')}`,
      removes.length > 0 && `REMOVE ${removes.join(', ')}`,
    ];
    const expression = clauses.filter(Boolean).join(' ');
    await this.#changeList(user, ({ devices }) => {
      if (!devices.some((device) => device.id === id)) throw unknownDevice();
      if (change.name !== undefined) {
        refuseTaken(
          devices.filter((device) => device.id !== id),
          change.name,
        );
      }
      return expression === '' ? undefined : { expression, names, values };
    });
  }

  /** Deletes a device. Its mailbox is left to expire: nobody can read it any more. */
  async remove(user: string, id: string): Promise<void> {
    await this.#changeList(user, ({ devices }) => {
      if (!devices.some((device) => device.id === id)) throw unknownDevice();
      return { expression: 'REMOVE devices.#id', names: { '#id': id }, values: {} };
    });
  }

  /**
   * Takes a dead push target away from a device, if it is still the registration that was used: a device that
   * registered anew in the meantime keeps what it registered. That it was is noted, for the account's owner to see.
   *
   * @param pushSince of the target that was used
   * @returns whether it was taken away
   */
  async retire(user: string, id: string, pushSince: number): Promise<boolean> {
    try {
      await this.#table.client.send(
        new UpdateCommand({
          TableName: this.#table.name,
          Key: devicesKey(user),
          UpdateExpression: 'SET devices.#id.retiredAt = :now REMOVE devices.#id.push, devices.#id.pushSince',
          ConditionExpression: 'devices.#id.pushSince = :since',
          ExpressionAttributeNames: { '#id': id },
          ExpressionAttributeValues: { ':since': pushSince, ':now': seconds(this.#clock) },
        }),
      );
      return true;
    } catch (error) {
      if (isConditionFailure(error)) return false;
      throw error;
    }
  }

  async #changeList(user: string, plan: (list: DeviceList) => ListChange | undefined): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const stored = await this.#get(user);
      if (!stored) throw noAccount();
      const list = deviceList(user, stored);
      const change = plan(list);
      if (!change) return;
      const { version } = list;
      const update = {
        UpdateExpression: withVersion(change.expression),
        ExpressionAttributeNames: change.names,
        ExpressionAttributeValues: { ...change.values, ':version': version, ':next': version + 1 },
      };
      try {
        await this.#table.client.send(
          new UpdateCommand({
            TableName: this.#table.name,
            Key: devicesKey(user),
            ...migrating(DEVICES, stored, update),
            ConditionExpression: 'version = :version',
          }),
        );
        return;
      } catch (error) {
        if (!isConditionFailure(error)) throw error;
      }
    }
    throw new Error('the devices of an account changed too often at once');
  }

  async #get(user: string): Promise<Record<string, unknown> | undefined> {
    const Key = devicesKey(user);
    const found = await this.#table.client.send(
      new GetCommand({ TableName: this.#table.name, Key, ConsistentRead: true }),
    );
    return found.Item;
  }
}

/**
 * Begins the list of a new account's devices: empty, at version 1, so that changes have a map to change. Nothing else
 * begins one: an account without it is gone, and so are its sessions (see `findSession`). Repeatable until something is
 * in it.
 */
export async function beginDevices(table: Table, user: string): Promise<void> {
  const Item = versioned(DEVICES, { ...devicesKey(user), devices: {}, version: 1 });
  const ConditionExpression = 'attribute_not_exists(pk)';
  try {
    await table.client.send(new PutCommand({ TableName: table.name, Item, ConditionExpression }));
  } catch (error) {
    // The answer to our own write was lost, and the SDK has repeated it: user keys are never given twice.
    if (!isConditionFailure(error)) throw error;
  }
}

interface ListChange {
  expression: string;
  names: Record<string, string>;
  values: Record<string, NativeAttributeValue>;
}

/** Reads the stored item of an account's devices. @throws NewerItem */
export function deviceList(user: string, item: Record<string, unknown> | undefined): DeviceList {
  const { devices = {}, version = 0 } = item ? newest(DEVICES, item) : {};
  return {
    user,
    devices: Object.entries(devices as Record<string, Omit<Device, 'id'>>).map(([id, device]) => ({
      ...device,
      id,
    })),
    version: version as number,
  };
}

function withVersion(expression: string): string {
  const [first, ...rest] = expression.split(' ');
  return first === 'SET' ? `SET version = :next, ${rest.join(' ')}` : `SET version = :next ${expression}`;
}

function refuseTaken(devices: Device[], name: string): void {
  const taken = devices.some((device) => device.name.toLowerCase() === name.toLowerCase());
  if (taken) throw new Refusal({ field: 'name', reason: 'has already been taken' });
}

function unknownDevice(): Refusal {
  return new Refusal({ field: 'device_id', reason: 'is invalid' });
}
