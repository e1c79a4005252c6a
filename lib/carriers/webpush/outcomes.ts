/**
 * What push services' answers mean to us (RFC 8030, sections 5 and 7.3; RFC 8292, section 4.2; Apple, "Sending web push
 * notifications in web apps and browsers"; Mozilla, "autopush-rs: Error Codes").
 *
 * The body is encrypted for the browser, so a service cannot find fault with anything in it but its size: the sync stub
 * is only worth a try after 413.
 */

import type { Outcome } from '../carrier.ts';
import type { Answer } from '../http2/exchange.ts';
import { retryAfterSeconds } from '../retry-after.ts';

/** What to do with an answer: an outcome, or one more request of another kind. */
export type Verdict =
  | Outcome
  /** This payload was too large: send the sync stub instead, once. */
  | { kind: 'stub'; reason: string };

/** Shortest wait after too many requests, in seconds. */
export const QUOTA_WAIT_SECONDS = 60;

type Rule = 'fault' | 'later' | 'quota' | 'refuse' | 'retire' | 'stub';

const BY_HTTP: Record<number, Rule> = {
  /** A header is not what it should be, and stays so. */
  400: 'refuse',
  /**
   * 401 (Mozilla) and 403 (Apple, Google): the token is not accepted, or the subscription was made with another key.
   * Tokens always have an hour left, so that a fresh one cures nothing. Targets are kept: with a wrong key in the secret
   * every one of them would be taken for dead.
   */
  401: 'fault',
  403: 'fault',
  /** The subscription has expired (RFC 8030, section 7.3) or never existed. */
  404: 'retire',
  408: 'later',
  /** The browser has unsubscribed; Apple: Unregistered. */
  410: 'retire',
  413: 'stub',
  429: 'quota',
};

/** Apple's words for what is wrong with our key or subject; 403 by its documentation, 400 has been seen. */
const FAULTS = ['BadJwtToken', 'BadVapidPublicKey', 'ExpiredJwtToken', 'VapidPkHashMismatch'];

/**
 * Reads an answer.
 *
 * @param service host of the push service, for the reason
 * @param answer its answer, complete
 * @param sealed whether the request carried the sealed message, so that a stub could still be sent
 * @param now Unix milliseconds, for a Retry-After date
 */
export function verdict(service: string, answer: Answer, sealed: boolean, now: number): Verdict {
  if (answer.status >= 200 && answer.status < 300) return { kind: 'accepted' };

  const detail = detailOf(answer.body);
  const reason = `${service} ${answer.status} ${detail}`.trimEnd();
  const retryAfter = retryAfterSeconds(answer.headers['retry-after'], now);
  const rule = FAULTS.includes(detail)
    ? 'fault'
    : (BY_HTTP[answer.status] ?? (answer.status >= 500 ? 'later' : 'refuse'));

  switch (rule) {
    case 'fault':
      return { kind: 'fault', reason };
    case 'refuse':
      return { kind: 'refused', reason, retire: false };
    case 'retire':
      return { kind: 'refused', reason, retire: true };
    case 'stub':
      return sealed ? { kind: 'stub', reason } : { kind: 'refused', reason, retire: false };
    case 'quota':
      return { kind: 'failed', reason, retryAfter: Math.max(retryAfter ?? 0, QUOTA_WAIT_SECONDS) };
    case 'later':
      return retryAfter === undefined ? { kind: 'failed', reason } : { kind: 'failed', reason, retryAfter };
  }
}

/** Apple's `reason` or Mozilla's `errno`. Nothing else of an answer gets into our logs: anybody can run a service. */
function detailOf(body: string): string {
  try {
    const { reason, errno } = Object(JSON.parse(body)) as { reason?: unknown; errno?: unknown };
    if (typeof reason === 'string' && /^[A-Za-z]{1,40}$/.test(reason)) return reason;
    return Number.isInteger(errno) ? `errno ${errno}` : '';
  } catch {
    // Google answers in words; its HTTP status speaks alone.
    return '';
  }
}
