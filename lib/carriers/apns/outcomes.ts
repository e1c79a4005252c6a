/** What APNs' answers mean to us (Apple, "Handling notification responses from APNs"). */

import type { Outcome } from '../carrier.ts';
import type { Answer } from '../http2/exchange.ts';
import { retryAfterSeconds } from '../retry-after.ts';

/** What to do with an answer: an outcome, or one more request of another kind. */
export type Verdict =
  | Outcome
  /** The provider token was too old: repeat with the present one, if it is another. */
  | { kind: 'fresh-token'; reason: string }
  /** This payload was not accepted: send the sync stub instead, once. */
  | { kind: 'stub'; reason: string }
  /** The token is not known in this environment: ask the other before it is taken for dead. */
  | { kind: 'other-environment'; reason: string };

/** Shortest wait after too many requests to one device, in seconds. */
export const DEVICE_WAIT_SECONDS = 60;

/** Apple counts changes of the provider token over 20 minutes; nothing is accepted earlier. Seconds. */
export const TOKEN_UPDATES_WAIT_SECONDS = 20 * 60;

type Rule =
  /** This request is wrong in itself and stays so. */
  | 'refuse'
  | 'retire'
  | 'fault'
  | 'later'
  | 'device-quota'
  | 'token-quota'
  | 'stub'
  | 'fresh-token'
  | 'other-environment';

/** Every reason that Apple documents for a notification. */
const BY_REASON: Record<string, Rule> = {
  // 400: a header or the path is not what it should be.
  BadCollapseId: 'refuse',
  BadExpirationDate: 'refuse',
  BadMessageId: 'refuse',
  BadPriority: 'refuse',
  DuplicateHeaders: 'refuse',
  InvalidPushType: 'refuse',
  MissingDeviceToken: 'refuse',
  PayloadEmpty: 'refuse',
  // 400: the token is malformed, unknown, or belongs to the other environment.
  BadDeviceToken: 'other-environment',
  // 400: app and key do not belong together, or the target names the wrong app.
  BadTopic: 'fault',
  DeviceTokenNotForTopic: 'fault',
  MissingTopic: 'fault',
  TopicDisallowed: 'fault',
  // 400: the connection had been idle; the next one is another.
  IdleTimeout: 'later',
  // 403: our key, team or environment.
  BadCertificate: 'fault',
  BadCertificateEnvironment: 'fault',
  BadEnvironmentKeyIdInToken: 'fault',
  BadEnvironmentKeyInToken: 'fault',
  Forbidden: 'fault',
  InvalidProviderToken: 'fault',
  MissingProviderToken: 'fault',
  UnrelatedKeyIdInToken: 'fault',
  ExpiredProviderToken: 'fresh-token',
  // 404, 405
  BadPath: 'refuse',
  MethodNotAllowed: 'refuse',
  // 410: the app was removed or its token replaced, at the time that `timestamp` says.
  ExpiredToken: 'retire',
  Unregistered: 'retire',
  // 413
  PayloadTooLarge: 'stub',
  // 429
  TooManyRequests: 'device-quota',
  TooManyProviderTokenUpdates: 'token-quota',
  // 500, 503
  InternalServerError: 'later',
  ServiceUnavailable: 'later',
  Shutdown: 'later',
};

/** By HTTP status, when the reason is missing or not known to us. */
const BY_HTTP: Record<number, Rule> = {
  403: 'fault',
  410: 'retire',
  413: 'stub',
  429: 'device-quota',
};

/**
 * Reads an answer.
 *
 * @param answer APNs', complete
 * @param sealed whether the request carried the sealed message, so that a stub could still be sent
 * @param now Unix milliseconds, for a Retry-After date
 */
export function verdict(answer: Answer, sealed: boolean, now: number): Verdict {
  if (answer.status >= 200 && answer.status < 300) return { kind: 'accepted' };

  const body = bodyOf(answer.body);
  const known = typeof body.reason === 'string' ? body.reason : undefined;
  const reason = `APNs ${answer.status} ${known ?? ''}`.trimEnd();
  const retryAfter = retryAfterSeconds(answer.headers['retry-after'], now);
  const rule =
    (known === undefined ? undefined : BY_REASON[known]) ??
    BY_HTTP[answer.status] ??
    (answer.status >= 500 ? 'later' : 'refuse');

  switch (rule) {
    case 'refuse':
      return { kind: 'refused', reason, retire: false };
    case 'retire': {
      // Milliseconds; rounded down, so that a target registered within that second counts as newer and stays.
      const deadSince = typeof body.timestamp === 'number' ? Math.floor(body.timestamp / 1000) : undefined;
      return deadSince === undefined
        ? { kind: 'refused', reason, retire: true }
        : { kind: 'refused', reason, retire: true, deadSince };
    }
    case 'fault':
    case 'fresh-token':
    case 'other-environment':
      return { kind: rule, reason };
    case 'stub':
      return sealed ? { kind: 'stub', reason } : { kind: 'refused', reason, retire: false };
    case 'device-quota':
      return { kind: 'failed', reason, retryAfter: Math.max(retryAfter ?? 0, DEVICE_WAIT_SECONDS) };
    case 'token-quota':
      return { kind: 'failed', reason, retryAfter: Math.max(retryAfter ?? 0, TOKEN_UPDATES_WAIT_SECONDS) };
    case 'later':
      return retryAfter === undefined ? { kind: 'failed', reason } : { kind: 'failed', reason, retryAfter };
  }
}

function bodyOf(text: string): { reason?: unknown; timestamp?: unknown } {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    // An answer of something between us and APNs; its HTTP status speaks alone.
    return {};
  }
}
