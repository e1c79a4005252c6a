import * as v from 'valibot';
import { type Device, seenAtOf } from './devices.ts';

/** A device as its account sees it over the API. Push targets are named by type only: their tokens are credentials. */
export const DEVICE_VIEW = v.object({
  id: v.string(),
  name: v.string(),
  platform: v.picklist(['open', 'android', 'ios', 'web', 'desktop']),
  enabled: v.boolean(),
  /** base64; null if it gets plain messages. */
  public_key: v.nullable(v.string()),
  push: v.nullable(v.object({ type: v.picklist(['fcm', 'apns', 'webpush']) })),
  /** Unix seconds. */
  created_at: v.pipe(v.number(), v.integer()),
  seen_at: v.pipe(
    v.number(),
    v.integer(),
    v.description('When it last synced or connected, Unix seconds; to the day'),
  ),
  push_retired_at: v.pipe(
    v.nullable(v.pipe(v.number(), v.integer())),
    v.description('When its carrier said that the push target was dead, Unix seconds; null: it did not'),
  ),
});

/** Shows a device. */
export function deviceView(device: Device): v.InferOutput<typeof DEVICE_VIEW> {
  return {
    id: device.id,
    name: device.name,
    platform: device.platform,
    enabled: device.enabled,
    public_key: device.publicKey ? Buffer.from(device.publicKey).toString('base64') : null,
    push: device.push ? { type: device.push.type } : null,
    created_at: device.createdAt,
    seen_at: seenAtOf(device),
    push_retired_at: device.retiredAt ?? null,
  };
}
