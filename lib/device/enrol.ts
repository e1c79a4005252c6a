/** Makes this machine a device of an account. */
import type { DeviceRegistration, PealApi, PushTarget, Session } from './api.ts';
import { createKeyPair } from './keys.ts';
import type { DeviceStore, Identity } from './store.ts';

/** How the device presents itself. */
export interface Enrolment {
  /** 1–25 of `A-Z a-z 0-9 _ -`. */
  name: string;
  platform: DeviceRegistration['platform'];
  push?: PushTarget | undefined;
}

/**
 * Makes a key pair, registers the device, and keeps who it is in the store. The secret key never leaves the store.
 *
 * @param session from `signUp` or `login`
 * @throws what the API or the store throws
 * @example
 * await enrol(api, store, await api.login({ email, password }), { name: 'desk', platform: 'desktop' });
 */
export async function enrol(
  api: PealApi,
  store: DeviceStore,
  session: Session,
  { name, platform, push }: Enrolment,
): Promise<Identity> {
  const keys = platform === 'open' ? undefined : createKeyPair();
  const device: DeviceRegistration =
    platform === 'open' || !keys
      ? { name, platform: 'open' }
      : { name, platform, publicKey: keys.publicKey, push };
  const id = await api.withSecret(session.secret).registerDevice(device);
  const identity: Identity = { ...session, device: id, keys };
  await store.setIdentity(identity);
  return identity;
}
