import type { Checked } from '../check.ts';
import { CredentialsError } from '../credentials-error.ts';
import { createHttp2Client } from '../http2/client.ts';
import { RequestError } from '../http2/errors.ts';
import { ORIGINS } from './apns.ts';
import { requestHeaders, stubPayload } from './payload.ts';
import { type ApnsKey, ProviderTokens } from './provider-token.ts';

/** Milliseconds. */
const TIMEOUT = 10_000;

/** A device token that no device has. */
const NOBODY = '00'.repeat(32);

/** Where a key is to be good. */
export interface ApnsScope {
  /** The app's bundle id, which APNs calls a topic. */
  topic: string;
  environment: 'production' | 'sandbox';
}

/** What APNs says only after it has taken key, team and topic: that the device is nobody's. */
const GOOD = ['BadDeviceToken', 'DeviceTokenNotForTopic', 'Unregistered', 'ExpiredToken'];

/** What the reasons mean that an operator can do something about. */
const MEANINGS: Record<string, string> = {
  InvalidProviderToken: 'key, key id and team id do not belong together, or the key was revoked',
  ExpiredProviderToken: 'the clock here is wrong',
  TopicDisallowed: 'the key is not for this bundle id',
  BadTopic: 'this is not a bundle id of the team',
  BadEnvironmentKeyInToken: 'the key is for the other environment',
  BadEnvironmentKeyIdInToken: 'the key is for the other environment',
};

/**
 * Asks APNs whether a key is good. There is no dry run, so it is a push to a device token that no device has: APNs looks
 * at the key first, and only with a good one does it find fault with the device.
 *
 * It signs with the very token that the push function would have by now, since Apple counts different ones.
 */
export async function checkApns(key: ApnsKey, { topic, environment }: ApnsScope): Promise<Checked> {
  const http = createHttp2Client({ timeout: TIMEOUT, now: Date.now });
  const push = { user: '', device: '', id: 1, priority: -1, expiresAt: Math.ceil(Date.now() / 1000) + 60 };
  const target = { type: 'apns', token: NOBODY, topic, environment } as const;
  try {
    const answer = await http.request({
      origin: ORIGINS[environment],
      path: `/3/device/${NOBODY}`,
      headers: requestHeaders(push, target, new ProviderTokens(key, Date.now).current()),
      body: stubPayload(push),
      timeout: TIMEOUT,
    });
    const reason = reasonOf(answer.body);
    if (GOOD.includes(reason))
      return { kind: 'good', said: `APNs (${environment}) takes the key for ${topic}` };
    const said =
      `APNs ${answer.status} ${reason}${reason in MEANINGS ? `: ${MEANINGS[reason]}` : ''}`.trimEnd();
    return { kind: answer.status >= 500 || answer.status === 429 ? 'unknown' : 'wrong', said };
  } catch (error) {
    if (error instanceof RequestError)
      return { kind: 'unknown', said: `APNs ${error.code}: ${error.message}` };
    if (error instanceof CredentialsError) return { kind: 'wrong', said: error.message };
    throw error;
  } finally {
    await http.close();
  }
}

function reasonOf(body: string): string {
  try {
    const { reason } = Object(JSON.parse(body));
    return typeof reason === 'string' ? reason : '';
  } catch {
    // An answer of something between us and APNs; its status speaks alone.
    return '';
  }
}
