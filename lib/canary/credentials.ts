import * as v from 'valibot';
import { DEVICE_ID, KEY } from '../accounts/keys.ts';
import { fromBase64, type Identity, keyPairFrom } from '../device/index.ts';

const CREDENTIALS = v.object({
  token: v.pipe(v.string(), v.regex(KEY)),
  user: v.pipe(v.string(), v.regex(KEY)),
  device: v.pipe(v.string(), v.regex(DEVICE_ID)),
  secret: v.string(),
  secretKey: v.string(),
});

/** What is in the canary's secret: an app's token, and a device of the same account. */
export type CanaryCredentials = v.InferOutput<typeof CREDENTIALS>;

/** The canary as a sender and as a device. */
export interface Canary {
  token: string;
  identity: Identity;
}

/** The canary in a secret's text; undefined if the operator has not made one. */
export function canaryOf(secret: string): Canary | undefined {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), CREDENTIALS), secret);
  if (!parsed.success) return undefined;
  const { token, user, device, secret: session, secretKey } = parsed.output;
  const key = fromBase64(secretKey);
  if (key?.length !== 32) return undefined;
  return { token, identity: { user, device, secret: session, keys: keyPairFrom(key) } };
}
