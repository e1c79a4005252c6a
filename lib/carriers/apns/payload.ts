/** What is sent to APNs: an alert that says nothing, and the sealed message that the app's extension opens. */

import { hash } from 'node:crypto';
import type { Push, PushTarget } from '../carrier.ts';

export type ApnsTarget = Extract<PushTarget, { type: 'apns' }>;

/** Most bytes of the JSON payload (Apple, "Generating a remote notification"). */
export const MAX_PAYLOAD_BYTES = 4096;

/** Shown when the extension cannot open the message in the 30 s that iOS gives it. */
const ALERT = { title: 'Peal', body: 'New message' };

interface Presentation {
  sound?: string;
  'interruption-level': 'passive' | 'active' | 'time-sensitive';
}

/**
 * How a device presents a message of Pushover's priority −2 … 2: −2 without lighting the screen, −1 shown in silence,
 * 0 as usual, 1 and 2 through Focus. `critical` would sound through the mute switch, but needs an entitlement that
 * Apple grants app by app; a notification that claims it without is not delivered as one.
 */
function presentation(priority: number): Presentation {
  if (priority <= -2) return { 'interruption-level': 'passive' };
  if (priority === -1) return { 'interruption-level': 'active' };
  return { sound: 'default', 'interruption-level': priority === 0 ? 'active' : 'time-sensitive' };
}

/** The JSON of `aps` by priority: it is the same for every message. */
const APS = new Map(
  [-2, -1, 0, 1, 2].map((priority) => [
    priority,
    JSON.stringify({ alert: ALERT, 'mutable-content': 1, ...presentation(priority) }),
  ]),
);

/** What a payload is made of. */
type Source = Pick<Push, 'id' | 'priority' | 'target'>;

/** What may stand in a payload as the name of a sound: a file in the app's bundle, nothing that JSON would escape. */
export const SOUND = /^[A-Za-z0-9_.-]{1,64}$/;

/**
 * Joins JSON by hand, a tenth of the time of stringifying: ids are digits, and base64 has nothing to escape. The sound
 * is the one that the device's owner chose; a message's own is sealed, and is for the app's extension to set.
 */
function payload(push: Source, rest: string): string {
  const common = APS.get(Math.min(Math.max(push.priority, -2), 2))!;
  const chosen = push.target?.type === 'apns' ? push.target.sound : undefined;
  const aps =
    chosen !== undefined && SOUND.test(chosen)
      ? common.replace('"sound":"default"', `"sound":"${chosen}"`)
      : common;
  return `{"aps":${aps},"peal":{"v":1,"id":"${push.id}",${rest}}}`;
}

/** The payload without the message: the app's extension then syncs. */
export function stubPayload(push: Source): string {
  return payload(push, '"sync":1');
}

/** The payload with the sealed message, or undefined if there is none or it is too large for a push. */
export function sealedPayload(push: Source & Pick<Push, 'sealed'>): string | undefined {
  if (!push.sealed) return undefined;

  const { buffer, byteOffset, byteLength } = push.sealed;
  const text = payload(push, `"sealed":"${Buffer.from(buffer, byteOffset, byteLength).toString('base64')}"`);
  // ASCII alone: a character is a byte.
  return text.length <= MAX_PAYLOAD_BYTES ? text : undefined;
}

/**
 * The id of a notification at APNs: the same on every try of a message to a device, so that Apple's logs show one.
 * A UUID of version 8 from SHA-256 over device and message id (RFC 9562, section 5.8).
 */
export function notificationId(device: string, id: number): string {
  const digest = hash('sha256', `${device}:${id}`, 'hex');
  // The digit with the variant keeps its two lower bits.
  const variant = '89ab'[Number.parseInt(digest[16]!, 16) & 3];
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-${variant}${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
}

/** The request's headers (Apple, "Sending notification requests to APNs"). */
export function requestHeaders(
  push: Push,
  target: ApnsTarget,
  providerToken: string,
): Record<string, string> {
  return {
    authorization: `bearer ${providerToken}`,
    'apns-id': notificationId(push.device, push.id),
    'apns-topic': target.topic,
    'apns-push-type': 'alert',
    'apns-priority': push.priority < 0 ? '5' : '10',
    'apns-expiration': String(Math.floor(push.expiresAt)),
    'apns-collapse-id': String(push.id),
    'content-type': 'application/json',
  };
}
