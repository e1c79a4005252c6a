import * as v from 'valibot';
import { Refusal } from '../../refusal.ts';
import type { VapidKey } from './vapid.ts';

const key = (bytes: number) =>
  v.pipe(
    v.string(),
    v.regex(/^[A-Za-z0-9_-]+$/),
    v.check((text) => Buffer.from(text, 'base64url').length === bytes),
  );

const VAPID_KEY = v.object({
  subject: v.pipe(v.string(), v.regex(/^(mailto:[^\s@]+@[^\s@]+|https:\/\/\S+)$/)),
  publicKey: key(65),
  privateKey: key(32),
});

/** The VAPID key in a secret's text; undefined if the operator has not put one there. */
export function vapidKeyOf(secret: string): VapidKey | undefined {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), VAPID_KEY), secret);
  return parsed.success ? parsed.output : undefined;
}

/** What a browser is told of the VAPID key: its public half, base64url of the 65 bytes of a P-256 point. */
export const PUSH_KEY = v.object({ public_key: key(65) });

/**
 * The public half of the VAPID key in a secret's text.
 *
 * @throws Refusal, 404, if the operator has not put a key there: Web Push is off
 */
export function pushKeyOf(secret: string): v.InferOutput<typeof PUSH_KEY> {
  const vapid = vapidKeyOf(secret);
  if (vapid) return { public_key: vapid.publicKey };
  const sentence = 'web push is not set up on this server';
  throw new Refusal({ field: 'push_key', reason: 'not found', sentence }, 404);
}
