import * as v from 'valibot';
import type { ApnsKey } from './provider-token.ts';

const APNS_KEY = v.object({
  keyId: v.pipe(v.string(), v.regex(/^[A-Z0-9]{10}$/)),
  teamId: v.pipe(v.string(), v.regex(/^[A-Z0-9]{10}$/)),
  privateKey: v.pipe(v.string(), v.includes('PRIVATE KEY')),
});

/** The APNs key in a secret's text; undefined if the operator has not put one there. */
export function apnsKeyOf(secret: string): ApnsKey | undefined {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), APNS_KEY), secret);
  return parsed.success ? parsed.output : undefined;
}
