import * as v from 'valibot';
import { SOUND } from '../carriers/apns/payload.ts';
import type { PushTarget } from '../carriers/carrier.ts';
import { structure } from '../http/fields.ts';
import { publicUrl } from '../net/public-address.ts';
import { type Fault, Refusal } from '../refusal.ts';
import { parsePublicKey } from '../sealing/public-key.ts';
import type { DeviceChange, NewDevice } from './device-registry.ts';
import { DEVICE_NAME, type Device, type Platform } from './devices.ts';

/** Pushover's code for an Open Client in `os`. */
const OPEN_CLIENT = 'O';
const PLATFORMS = ['android', 'ios', 'web', 'desktop'] as const;
const BAD_PLATFORM = `is invalid, can only be ${PLATFORMS.join(', ')}`;
const BLANK = 'cannot be blank';

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

const NAME = v.pipe(v.string(), v.regex(DEVICE_NAME, 'is invalid, must be 1 to 25 letters, digits, _ or -'));

const PUBLIC_KEY = v.pipe(
  v.string(),
  v.transform(parsePublicKey),
  v.instance(Uint8Array, 'is not the base64 of a usable X25519 public key'),
);

const PUSH = v.pipe(
  structure(TARGET, 'is not a push target'),
  v.description('Where a carrier finds the device: a JSON object, or its text'),
);

/** Parameters of a new device: `os=O`, or `platform` and `public_key`. */
export const NEW_DEVICE = v.object({
  name: v.pipe(
    v.optional(v.string(), ''),
    v.check((text) => text !== '', BLANK),
    NAME,
  ),
  os: v.optional(v.string()),
  platform: v.optional(v.picklist(PLATFORMS, BAD_PLATFORM)),
  public_key: v.optional(PUBLIC_KEY),
  push: PUSH,
});

/** What may be changed of a device. An empty `push` removes the push target. */
export const CHANGED_DEVICE = v.object({
  name: v.optional(NAME),
  enabled: v.optional(v.picklist(['0', '1'], 'is invalid, can only be 0 or 1')),
  public_key: v.optional(PUBLIC_KEY),
  push: PUSH,
});

/**
 * A new device, of the parameters of `POST /1/devices.json`: `os=O` is an Open Client, which has neither key nor push
 * target; `platform` is a device of ours, which must have a key.
 *
 * @throws Refusal naming every parameter that is wrong
 */
export function newDevice(fields: v.InferOutput<typeof NEW_DEVICE>): NewDevice {
  const { name, os, platform, public_key: publicKey, push } = fields;
  if (platform === undefined && os !== undefined) {
    if (os !== OPEN_CLIENT) throw new Refusal({ field: 'os', reason: 'is invalid, can only be O' });
    return { name, platform: 'open' };
  }
  const faults: Fault[] = [];
  if (!platform) faults.push({ field: 'platform', reason: BAD_PLATFORM });
  if (!publicKey) faults.push({ field: 'public_key', reason: BLANK });
  if (platform && push) faults.push(...faultsOfTarget(push, platform));
  if (faults.length > 0 || !platform || !publicKey) throw new Refusal(faults);
  return { name, platform, publicKey, ...(push && { push }) };
}

/**
 * A change to a device, of the parameters of `POST /1/devices/{id}.json`. What is not given stays; an empty `push`
 * removes the push target.
 *
 * @param isCleared whether a parameter was named, but with an empty value
 * @throws Refusal naming every parameter that is wrong
 */
export function changedDevice(
  fields: v.InferOutput<typeof CHANGED_DEVICE>,
  isCleared: (name: string) => boolean,
  device: Device,
): DeviceChange {
  const { name, enabled, public_key: publicKey, push } = fields;
  const faults: Fault[] = [];
  if (isCleared('name')) faults.push({ field: 'name', reason: BLANK });
  if (publicKey && device.platform === 'open')
    faults.push({ field: 'public_key', reason: 'cannot be set on an Open Client' });
  if (push) faults.push(...faultsOfTarget(push, device.platform));
  if (faults.length > 0) throw new Refusal(faults);
  return {
    ...(name !== undefined && { name }),
    ...(enabled !== undefined && { enabled: enabled === '1' }),
    ...(publicKey && { publicKey }),
    ...(push && { push }),
    ...(isCleared('push') && { push: null }),
  };
}

function faultsOfTarget({ type }: PushTarget, platform: Platform): Fault[] {
  if (TARGETS_OF[platform].includes(type)) return [];
  return [{ field: 'push', reason: `cannot be of type ${type} on this platform` }];
}
