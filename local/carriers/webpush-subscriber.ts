/** A browser's side of Web Push: a subscription, and opening what was sent to it. */

import { createDecipheriv, createECDH, type ECDH, hkdfSync, randomBytes } from 'node:crypto';
import type { Received } from './types.ts';
import type { Waiting } from './webpush-waiting.ts';

/** What a browser's `PushSubscription` says, and what the browser itself can do with it. */
export interface Subscriber {
  /** The push target to register. */
  target: { type: 'webpush'; endpoint: string; p256dh: string; auth: string };
  /** Decrypts what the push service took, and reads its JSON. */
  open(received: Received): Record<string, unknown>;
  /** What waited at the push service while the browser was away, opened. */
  wake(): Record<string, unknown>[];
}

/** Where a subscription lives: its path is a capability that nobody can guess. */
export function makeEndpoint(prefix: string): string {
  return `${prefix}${randomBytes(96).toString('base64url')}`;
}

/** Subscribes a browser that is away until it wakes. */
export function subscribe(endpoint: string, waiting: Waiting): Subscriber {
  const keys = createECDH('prime256v1');
  keys.generateKeys();
  const auth = randomBytes(16);
  const open = ({ payload }: Received) =>
    JSON.parse(decrypt(Buffer.from(String(payload.body), 'base64'), keys, auth).toString());
  return {
    target: {
      type: 'webpush',
      endpoint,
      p256dh: keys.getPublicKey('base64url'),
      auth: auth.toString('base64url'),
    },
    open,
    wake: () => waiting.take(endpoint).map(open),
  };
}

/** Salt, record size, and a key id of 65 bytes: the header of an encrypted body (RFC 8188, section 2.1). */
const HEADER_BYTES = 16 + 4 + 1 + 65;
const TAG_BYTES = 16;

/** Whether bytes could be the aes128gcm body of a push message: one record with a P-256 key in its header. */
export function looksEncrypted(body: Buffer): boolean {
  if (body.length < HEADER_BYTES + TAG_BYTES + 1) return false;
  return body.readUInt32BE(16) >= 18 && body[20] === 65 && body[21] === 4;
}

/**
 * Decrypts a push message's body (RFC 8291, section 3.4; RFC 8188, section 2): a single record.
 *
 * @throws Error if it was not encrypted for these keys
 */
export function decrypt(body: Buffer, keys: ECDH, auth: Uint8Array): Buffer {
  if (!looksEncrypted(body)) throw new Error('not an aes128gcm record of a push message');
  const salt = body.subarray(0, 16);
  const sender = body.subarray(21, HEADER_BYTES);
  const about = Buffer.concat([Buffer.from('WebPush: info\0'), keys.getPublicKey(), sender]);
  const secret = derive(auth, keys.computeSecret(sender), about, 32);
  const key = derive(salt, secret, Buffer.from('Content-Encoding: aes128gcm\0'), 16);
  const nonce = derive(salt, secret, Buffer.from('Content-Encoding: nonce\0'), 12);
  const cipher = createDecipheriv('aes-128-gcm', key, nonce);
  cipher.setAuthTag(body.subarray(-TAG_BYTES));
  const padded = Buffer.concat([cipher.update(body.subarray(HEADER_BYTES, -TAG_BYTES)), cipher.final()]);
  const end = padded.findLastIndex((byte) => byte !== 0);
  if (padded[end] !== 2) throw new Error('the last record does not say that it is the last');
  return padded.subarray(0, end);
}

function derive(salt: Uint8Array, secret: Uint8Array, info: Uint8Array, bytes: number): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, salt, info, bytes));
}
