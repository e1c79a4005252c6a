import * as v from 'valibot';
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
