/**
 * The client for Web Push (RFC 8030) to browsers' push services: messages are encrypted for the browser (RFC 8291), and
 * we say who we are (RFC 8292).
 *
 * web-push gives the cryptography. Its transport is not used: HTTP/1.1 on a new connection a message, to any address,
 * without a limit on the answer.
 */

import { createECDH } from 'node:crypto';
import type { LookupFunction } from 'node:net';
import webpush from 'web-push';
import { hostAddress, NotPublicError, publicLookup, publicUrl } from '../../net/public-address.ts';
import type { Carrier, Outcome, Push } from '../carrier.ts';
import { failure } from '../failure.ts';
import { RequestError } from '../http2/errors.ts';
import { verdict } from './outcomes.ts';
import { sealedText, stubText, timeToLive, topic, urgency, type WebPushTarget } from './payload.ts';
import { createTransport, isWellKnown } from './transport.ts';
import { type VapidKey, VapidTokens } from './vapid.ts';

export type { VapidKey } from './vapid.ts';

export interface WebPushOptions {
  vapid: VapidKey;
  /** Time limit of one hand-off to a browser maker's service, everything included. Default 10,000 ms. */
  timeout?: number;
  /** The same, to any other host: users name these, so anybody can name one that never answers. Default: `timeout`. */
  strangerTimeout?: number;
  /** Resolves the names of push services. Default: to public addresses only. */
  lookup?: LookupFunction;
  /** Wall clock in milliseconds. */
  now?: () => number;
}

/** What is POSTed. */
interface Encrypted {
  headers: Record<string, string>;
  body: Uint8Array;
}

/**
 * Creates the carrier. Never throws: a key that cannot be used makes every hand-off a `fault`.
 *
 * @example
 * const webPush = createWebPush({ vapid: JSON.parse(secret) });
 * const outcome = await webPush.send(push);
 */
export function createWebPush(options: WebPushOptions): Carrier {
  const now = options.now ?? Date.now;
  const timeout = options.timeout ?? 10_000;
  const strangerTimeout = options.strangerTimeout ?? timeout;
  const tokens = new VapidTokens(options.vapid, now);
  const transport = createTransport({
    timeout,
    strangerTimeout,
    now,
    lookup: options.lookup ?? publicLookup,
  });

  async function send(push: Push): Promise<Outcome> {
    const { target } = push;
    if (target?.type !== 'webpush') return { kind: 'refused', reason: 'no Web Push target', retire: false };
    const endpoint = publicUrl(target.endpoint);
    // No push service is addressed by number.
    if (!endpoint || hostAddress(endpoint) !== undefined) {
      return { kind: 'refused', reason: 'malformed Web Push endpoint', retire: true };
    }

    try {
      const limit = isWellKnown(endpoint) ? timeout : strangerTimeout;
      return await handOff(push, target, endpoint, performance.now() + limit);
    } catch (error) {
      if (error instanceof RequestError && error.cause instanceof NotPublicError) {
        return { kind: 'refused', reason: error.cause.message, retire: true };
      }
      return failure(error, endpoint.host, endpoint.host);
    }
  }

  async function handOff(
    push: Push,
    target: WebPushTarget,
    endpoint: URL,
    deadline: number,
  ): Promise<Outcome> {
    const authorization = tokens.header(endpoint.origin);
    let sealed = sealedText(push);
    // At most two requests: the second is the stub.
    for (;;) {
      const encrypted = encrypt(push, target, sealed ?? stubText(push.id));
      if (!encrypted) return { kind: 'refused', reason: 'unusable keys of a Web Push target', retire: true };
      const answer = await transport.post(
        endpoint,
        { ...encrypted.headers, authorization },
        encrypted.body,
        Math.max(1, deadline - performance.now()),
      );
      const read = verdict(endpoint.host, answer, sealed !== undefined, now());
      if (read.kind !== 'stub') return read;
      sealed = undefined;
    }
  }

  /** Encrypts for the browser; undefined if its keys are not such that anybody could. */
  function encrypt(push: Push, target: WebPushTarget, text: string): Encrypted | undefined {
    const { endpoint, p256dh, auth } = target;
    try {
      const details = webpush.generateRequestDetails({ endpoint, keys: { p256dh, auth } }, text, {
        TTL: timeToLive(push.expiresAt, now()),
        urgency: urgency(push.priority),
        topic: topic(push.id),
        contentEncoding: 'aes128gcm',
      });
      const fields = Object.entries(details.headers).map(([name, value]) => [name.toLowerCase(), `${value}`]);
      return { headers: Object.fromEntries(fields), body: details.body };
    } catch (error) {
      // A target is given up for its own keys alone: for a mistake of ours it would be lost.
      if (areUsableKeys(p256dh, auth)) throw error;
      return undefined;
    }
  }

  return { send, close: () => transport.close() };
}

/** Bytes of a subscription's secret (RFC 8291, section 3.2). */
const AUTH_BYTES = 16;

/** Whether one can encrypt for these keys: a secret that is long enough, and a point on the curve. */
function areUsableKeys(p256dh: string, auth: string): boolean {
  if (Buffer.from(auth, 'base64url').length < AUTH_BYTES) return false;
  const own = createECDH('prime256v1');
  own.generateKeys();
  try {
    own.computeSecret(Buffer.from(p256dh, 'base64url'));
    return true;
  } catch {
    // It is no point on the curve: that is the question.
    return false;
  }
}
