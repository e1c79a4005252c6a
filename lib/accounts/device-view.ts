import type { Device } from './devices.ts';

/** A device as its account sees it over the API. Push targets are named by type only: their tokens are credentials. */
export function deviceView(device: Device): object {
  return {
    id: device.id,
    name: device.name,
    platform: device.platform,
    enabled: device.enabled,
    public_key: device.publicKey ? Buffer.from(device.publicKey).toString('base64') : null,
    push: device.push ? { type: device.push.type } : null,
    created_at: device.createdAt,
  };
}
