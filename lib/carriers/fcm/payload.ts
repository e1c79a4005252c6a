/** What is sent to FCM: a data message that the app opens itself, so that Google sees sealed bytes and nothing else. */

import type { FidMessage, TokenMessage } from 'firebase-admin/messaging';
import type { Push, PushTarget } from '../carrier.ts';

/** Where FCM delivers to: a registration token, or the installation id that is to replace it. */
export type FcmTarget = Extract<PushTarget, { type: 'fcm' }>;

/**
 * Most bytes of a message's payload. FCM counts keys and values of `data`, as UTF-8, and nothing of the JSON around
 * them (Firebase, "FCM error codes", INVALID_ARGUMENT: "Message too big").
 */
export const MAX_PAYLOAD_BYTES = 4096;

/** FCM keeps a message for a device that is away no longer than this: 28 days, in seconds. */
export const MAX_TTL_SECONDS = 28 * 24 * 3600;

/** A message of the HTTP v1 API: firebase-admin's message types, with `android` as it is on the wire. */
export type WireMessage = (Pick<TokenMessage, 'token'> | Pick<FidMessage, 'fid'>) & {
  data: Record<string, string>;
  android: {
    /**
     * Only stubs have one: each says the same, so the latest stands for all. For a device that is away FCM keeps four
     * different keys and drops the rest without a word. Of messages without a key it keeps 100; beyond that it drops
     * all of them, and tells the app by `onDeletedMessages` to sync (Firebase, "Non-collapsible and collapsible
     * messages"). So a sealed message has none, and its repeat comes twice: the device knows it by its id. Nor has the
     * stub of a repetition, which says more than "sync": which emergency rings.
     */
    collapse_key?: 'sync' | 'sync-quiet';
    /** HIGH wakes a dozing device. */
    priority: 'HIGH' | 'NORMAL';
    /** Duration in seconds with the suffix `s`. */
    ttl: string;
  };
};

/** Bytes that FCM counts of a data message. */
export function payloadBytes(data: Record<string, string>): number {
  let bytes = 0;
  for (const [key, value] of Object.entries(data)) bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  return bytes;
}

/** The data without the message: the app then syncs. */
export function stubData(id: number): Record<string, string> {
  return { peal: '1', id: String(id), sync: '1' };
}

/** The data with the sealed message, or undefined if there is none or it is too large for a push. */
export function sealedData(push: Pick<Push, 'id' | 'sealed'>): Record<string, string> | undefined {
  if (!push.sealed) return undefined;

  const data = { peal: '1', id: String(push.id), sealed: Buffer.from(push.sealed).toString('base64') };
  return payloadBytes(data) <= MAX_PAYLOAD_BYTES ? data : undefined;
}

/**
 * The message for one device.
 *
 * @param data what the app gets: {@link sealedData} or {@link stubData}
 * @param now Unix milliseconds
 */
export function wireMessage(
  push: Pick<Push, 'expiresAt' | 'id' | 'priority' | 'until'>,
  target: FcmTarget,
  data: Record<string, string>,
  now: number,
): WireMessage {
  const loud = push.priority >= 0;
  const end = Math.min(push.expiresAt, push.until ?? Number.POSITIVE_INFINITY);
  const seconds = Math.min(Math.max(Math.floor(end - now / 1000), 0), MAX_TTL_SECONDS);
  // A stub may stand for others that live longer, and must not take one that wakes for one that does not. That of a
  // repetition stands for nothing but its ring, and must not ring when the next one does, or when nothing asks any more.
  const standsForAll = data.sync === '1' && push.until === undefined;
  const life = standsForAll ? MAX_TTL_SECONDS : seconds;
  return {
    ...('fid' in target ? { fid: target.fid } : { token: target.token }),
    data,
    android: {
      ...(standsForAll && { collapse_key: loud ? 'sync' : 'sync-quiet' }),
      priority: loud ? 'HIGH' : 'NORMAL',
      ttl: `${life}s`,
    },
  };
}
