/** Web Push: how this browser is reached when Peal is closed. */
import type { PealApi, PushTarget } from '../../../lib/device/index.ts';
import type { Database } from '../store/database.ts';

type Api = Pick<PealApi, 'pushKey' | 'updateDevice'>;

/**
 * Subscribes, if that is allowed and possible, and tells Peal where; to be called at every start, since browsers
 * change subscriptions as they like. What was told last is remembered, so that nothing is told twice.
 *
 * @returns whether this browser is reached when it is closed
 */
export async function subscribe(
  db: Database,
  registration: ServiceWorkerRegistration,
  api: Api,
  device: string,
): Promise<boolean> {
  if (Notification.permission !== 'granted' || !('pushManager' in registration)) return false;
  const key = await api.pushKey();
  if (key === undefined) return false;
  const subscription = await currentSubscription(registration, key);
  if (!subscription) return false;
  const target = targetOf(subscription);
  const told = JSON.stringify([device, target]);
  if ((await db.get('meta', 'push')) !== told) {
    await api.updateDevice(device, { push: target });
    await db.put('meta', told, 'push');
  }
  return true;
}

/** Ends the subscription: pushes that are under way are not shown any more. */
export async function unsubscribe(db: Database, registration: ServiceWorkerRegistration): Promise<void> {
  await db.delete('meta', 'push');
  await (await registration.pushManager?.getSubscription())?.unsubscribe();
}

/** The subscription with this key; one with another key, from before a rotation, is given up. */
async function currentSubscription(
  registration: ServiceWorkerRegistration,
  key: string,
): Promise<PushSubscription | undefined> {
  const present = await registration.pushManager.getSubscription();
  if (present) {
    const bytes = new Uint8Array(present.options.applicationServerKey ?? new ArrayBuffer());
    if (base64Url(bytes) === key) return present;
    await present.unsubscribe();
  }
  try {
    return await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  } catch {
    // No push service (a browser without one, or it cannot be reached), or the permission was taken back: messages
    // wait for the next start, at which this is tried again.
    return undefined;
  }
}

function targetOf(subscription: PushSubscription): PushTarget {
  const { endpoint, keys = {} } = subscription.toJSON();
  return { type: 'webpush', endpoint: endpoint ?? '', p256dh: keys.p256dh ?? '', auth: keys.auth ?? '' };
}

function base64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
}
