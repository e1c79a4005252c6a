import type { Checked } from '../check.ts';
import { createHttp2Client } from '../http2/client.ts';
import { RequestError } from '../http2/errors.ts';
import { AccessTokens, type ServiceAccount } from './access-token.ts';
import { ORIGIN, sendPath } from './fcm.ts';
import { verdict } from './outcomes.ts';

/** Limit of each of the two calls. Milliseconds. */
const TIMEOUT = 10_000;

/**
 * Asks FCM whether a service account may send: fetches an access token, and has a message validated that is not sent
 * (`validate_only`). It is to a topic that nobody subscribes to, so that the answer is about us and not about a target.
 */
export async function checkFcm(serviceAccount: ServiceAccount): Promise<Checked> {
  const access = await new AccessTokens(serviceAccount, Date.now).get(TIMEOUT);
  if (access.kind !== 'token')
    return { kind: access.kind === 'fault' ? 'wrong' : 'unknown', said: access.reason };
  const http = createHttp2Client({ timeout: TIMEOUT, now: Date.now });
  try {
    const answer = await http.request({
      origin: ORIGIN,
      path: sendPath(serviceAccount),
      headers: { authorization: `Bearer ${access.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ validate_only: true, message: { topic: 'peal-check', data: { peal: '1' } } }),
      timeout: TIMEOUT,
    });
    const read = verdict(answer, false, Date.now());
    if (read.kind === 'accepted') {
      return { kind: 'good', said: `FCM takes messages for the project ${serviceAccount.project_id}` };
    }
    return { kind: read.kind === 'failed' ? 'unknown' : 'wrong', said: read.reason };
  } catch (error) {
    if (error instanceof RequestError)
      return { kind: 'unknown', said: `FCM ${error.code}: ${error.message}` };
    throw error;
  } finally {
    await http.close();
  }
}
