import * as v from 'valibot';
import { SOUND } from '../carriers/apns/payload.ts';
import type { PushTarget } from '../carriers/carrier.ts';
import type { Params } from '../http/params.ts';
import { publicUrl } from '../net/public-address.ts';
import { type Fault, Refusal } from '../refusal.ts';
import { parsePublicKey } from '../sealing/public-key.ts';
import type { DeviceChange, NewDevice } from './device-registry.ts';
import { DEVICE_NAME, type Device, type Platform } from './devices.ts';

/** Pushover's code for an Open Client in `os`. */
const OPEN_CLIENT = 'O';
const PLATFORMS = ['android', 'ios', 'web', 'desktop'] as const;

const word = (most: number) => v.pipe(v.string(), v.regex(/^[\x21-\x7e]+$/), v.maxLength(most));

/** Push targets as devices send them. Extra members are dropped. */
const TARGET = v.variant('type', [
  v.object({ type: v.literal('fcm'), token: word(4096) }),
  v.object({ type: v.literal('fcm'), fid: word(256) }),
  v.object({
    type: v.literal('apns'),
    token: v.pipe(v.string(), v.regex(/^(?:[0-9a-fA-F]{2}){16,100}$/), v.toLowerCase()),
    topic: v.pipe(v.string(), v.regex(/^[A-Za-z0-9.-]{1,255}$/)),
    environment: v.picklist(['sandbox', 'production']),
    sound: v.exactOptional(v.pipe(v.string(), v.regex(SOUND))),
  }),
  v.object({
    type: v.literal('webpush'),
    endpoint: v.pipe(
      word(2048),
      v.check((text) => publicUrl(text) !== undefined),
    ),
    p256dh: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{86,88}={0,2}$/)),
    auth: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{22}={0,2}$/)),
  }),
]);

/** Which kinds of push target a platform may have. */
const TARGETS_OF: Record<Platform, readonly PushTarget['type'][]> = {
  open: [],
  android: ['fcm'],
  ios: ['apns', 'fcm'],
  web: ['webpush', 'fcm'],
  desktop: ['webpush', 'apns'],
};

/**
 * A new device, of the parameters of `POST /1/devices.json`: `os=O` is an Open Client, which has neither key nor push
 * target; `platform` is a device of ours, which must have a key.
 *
 * @throws Refusal naming every parameter that is wrong
 */
export function newDevice(params: Params): NewDevice {
  const faults: Fault[] = [];
  const name = deviceName(params.get('name'), faults) ?? '';
  const os = params.get('os');
  if (params.get('platform') === undefined && os !== undefined) {
    if (os !== OPEN_CLIENT) faults.push({ field: 'os', reason: 'is invalid, can only be O' });
    if (faults.length > 0) throw new Refusal(faults);
    return { name, platform: 'open' };
  }
  const platform = PLATFORMS.find((candidate) => candidate === params.get('platform'));
  if (!platform)
    faults.push({ field: 'platform', reason: `is invalid, can only be ${PLATFORMS.join(', ')}` });
  if (!params.has('public_key')) faults.push({ field: 'public_key', reason: 'cannot be blank' });
  const publicKey = params.has('public_key') ? publicKeyOf(params, faults) : undefined;
  const push = params.has('push') && platform ? pushTarget(params, platform, faults) : undefined;
  if (faults.length > 0 || !platform) throw new Refusal(faults);
  return { name, platform, ...(publicKey && { publicKey }), ...(push && { push }) };
}

/**
 * A change to a device, of the parameters of `POST /1/devices/{id}.json`. What is not given stays; an empty `push`
 * removes the push target.
 *
 * @throws Refusal naming every parameter that is wrong
 */
export function changedDevice(params: Params, device: Device): DeviceChange {
  const faults: Fault[] = [];
  const change: DeviceChange = {};
  if (params.has('name') || params.cleared('name')) {
    const name = deviceName(params.get('name'), faults);
    if (name !== undefined) change.name = name;
  }
  if (params.has('enabled')) {
    const enabled = params.get('enabled');
    if (enabled === '0' || enabled === '1') change.enabled = enabled === '1';
    else faults.push({ field: 'enabled', reason: 'is invalid, can only be 0 or 1' });
  }
  if (params.has('public_key')) {
    const publicKey = publicKeyOf(params, faults);
    if (device.platform === 'open')
      faults.push({ field: 'public_key', reason: 'cannot be set on an Open Client' });
    if (publicKey) change.publicKey = publicKey;
  }
  if (params.cleared('push')) change.push = null;
  else if (params.has('push')) {
    const push = pushTarget(params, device.platform, faults);
    if (push) change.push = push;
  }
  if (faults.length > 0) throw new Refusal(faults);
  return change;
}

function deviceName(name: string | undefined, faults: Fault[]): string | undefined {
  if (name === undefined) faults.push({ field: 'name', reason: 'cannot be blank' });
  else if (!DEVICE_NAME.test(name)) {
    faults.push({ field: 'name', reason: 'is invalid, must be 1 to 25 letters, digits, _ or -' });
  } else return name;
  return undefined;
}

function publicKeyOf(params: Params, faults: Fault[]): Uint8Array | undefined {
  const key = parsePublicKey(params.get('public_key') ?? '');
  if (!key) faults.push({ field: 'public_key', reason: 'is not the base64 of a usable X25519 public key' });
  return key;
}

function pushTarget(params: Params, platform: Platform, faults: Fault[]): PushTarget | undefined {
  const result = v.safeParse(TARGET, params.getJson('push'));
  if (!result.success) {
    const at = v.getDotPath(result.issues[0]);
    faults.push({ field: 'push', reason: `is not a push target${at ? ` (see ${at})` : ''}` });
    return undefined;
  }
  if (!TARGETS_OF[platform].includes(result.output.type)) {
    faults.push({ field: 'push', reason: `cannot be of type ${result.output.type} on this platform` });
    return undefined;
  }
  return result.output;
}
