/** What is sent to a push service: one encrypted record with the sealed message, or with the word to sync. */

import type { Push, PushTarget } from '../carrier.ts';

export type WebPushTarget = Extract<PushTarget, { type: 'webpush' }>;

/** Most bytes of the encrypted body that every push service must take (RFC 8030, section 7.2). */
export const MAX_BODY_BYTES = 4096;

/**
 * What encryption adds: salt (16), record size (4), length of the key (1) and the key (65), a delimiter (1) and the
 * tag (16) (RFC 8188, section 2.1; RFC 8291, section 4).
 */
export const ENCRYPTION_BYTES = 103;

/** Most bytes of plain text. */
export const MAX_PLAIN_BYTES = MAX_BODY_BYTES - ENCRYPTION_BYTES;

/** Push services keep a message no longer than about this: 28 days, in seconds. */
export const MAX_TTL_SECONDS = 28 * 24 * 3600;

type Urgency = 'high' | 'low' | 'normal' | 'very-low';

/** RFC 8030, section 5.3, by Pushover's priority −2 … 2. A phone that saves its battery is woken for `high` only. */
export function urgency(priority: number): Urgency {
  if (priority <= -2) return 'very-low';
  if (priority === -1) return 'low';
  return priority === 0 ? 'normal' : 'high';
}

/**
 * The name under which a repeat replaces what still waits at the push service (RFC 8030, section 5.4: at most 32
 * characters of the base64url alphabet). Apple decodes it and refuses what is not a whole number of bytes (400
 * BadWebPushTopic), so the id always has 16 digits: 12 bytes.
 */
export function topic(id: number): string {
  return String(id).padStart(16, '0');
}

/** For how long the push service keeps the message. Seconds, 0 for "now or never". */
export function timeToLive(expiresAt: number, now: number): number {
  return Math.min(Math.max(Math.floor(expiresAt - now / 1000), 0), MAX_TTL_SECONDS);
}

/** The text without the message: the browser then syncs. */
export function stubText(id: number): string {
  return JSON.stringify({ peal: 1, id: String(id), sync: 1 });
}

/** The text with the sealed message, or undefined if there is none or it is too large for a push. */
export function sealedText({ id, sealed }: Pick<Push, 'id' | 'sealed'>): string | undefined {
  if (!sealed) return undefined;

  const text = JSON.stringify({
    peal: 1,
    id: String(id),
    sealed: Buffer.from(sealed).toString('base64'),
  });
  return Buffer.byteLength(text) <= MAX_PLAIN_BYTES ? text : undefined;
}
