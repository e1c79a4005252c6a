/**
 * The client for Firebase Cloud Messaging's HTTP v1 API.
 *
 * firebase-admin gives the credential and the types. Its transport is not used: it opens a session a call, repeats
 * inside the call (silence: five times, and five deliveries) and never settles when the peer goes away.
 */

import type { Carrier, Outcome, Push } from '../carrier.ts';
import { failure } from '../failure.ts';
import { createHttp2Client, type Http2Client } from '../http2/client.ts';
import type { Answer } from '../http2/exchange.ts';
import { type AccessToken, AccessTokens, type ServiceAccount } from './access-token.ts';
import { verdict } from './outcomes.ts';
import { type FcmTarget, sealedData, stubData, wireMessage } from './payload.ts';

export type { ServiceAccount } from './access-token.ts';

/** Everybody's. */
export const HOST = 'fcm.googleapis.com';
export const ORIGIN = `https://${HOST}`;

/** Where a project's messages are sent to. */
export const sendPath = ({ project_id }: ServiceAccount): string =>
  `/v1/projects/${encodeURIComponent(project_id)}/messages:send`;

export interface FcmOptions {
  serviceAccount: ServiceAccount;
  /** Time limit of one hand-off, everything included. Default 10,000 ms. */
  timeout?: number;
  /** Wall clock in milliseconds. */
  now?: () => number;
}

/**
 * Creates the carrier. Never throws: a service account that cannot be used makes every hand-off a `fault`.
 *
 * @example
 * const fcm = createFcm({ serviceAccount: JSON.parse(secret) });
 * const outcome = await fcm.send(push);
 */
export function createFcm(options: FcmOptions): Carrier {
  const now = options.now ?? Date.now;
  const timeout = options.timeout ?? 10_000;
  const tokens = new AccessTokens(options.serviceAccount, now);
  const http: Http2Client = createHttp2Client({ timeout, now });
  const path = sendPath(options.serviceAccount);

  async function send(push: Push): Promise<Outcome> {
    const { target } = push;
    if (target?.type !== 'fcm') return { kind: 'refused', reason: 'no FCM target', retire: false };

    try {
      return await handOff(push, target, performance.now() + timeout);
    } catch (error) {
      return failure(error, 'FCM', HOST);
    }
  }

  async function handOff(push: Push, target: FcmTarget, deadline: number): Promise<Outcome> {
    const ready = tokens.ready();
    const access: AccessToken =
      ready === undefined ? await tokens.get(remaining(deadline)) : { kind: 'token', token: ready };
    if (access.kind !== 'token') return withoutToken(access);

    let { token } = access;
    let refreshed = false;
    let data = sealedData(push);
    // At most three requests: each of the two repeats is granted once.
    for (;;) {
      const message = wireMessage(push, target, data ?? stubData(push.id), now());
      const answer = await post(token, { message }, remaining(deadline));
      const read = verdict(answer, data !== undefined, now());

      if (read.kind === 'stub') {
        data = undefined;
      } else if (read.kind === 'fresh-token') {
        const fresh = refreshed ? undefined : await tokens.replace(token, remaining(deadline));
        if (!fresh) return { kind: 'fault', reason: read.reason };
        if (fresh.kind !== 'token') return withoutToken(fresh);
        refreshed = true;
        token = fresh.token;
      } else {
        return read;
      }
    }
  }

  function post(token: string, body: object, limit: number): Promise<Answer> {
    return http.request({
      origin: ORIGIN,
      path,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      timeout: limit,
    });
  }

  return { send, close: () => http.close() };
}

/** Without a token nothing is handed over, so silence at this point is FCM's. */
function withoutToken({ kind, reason }: Exclude<AccessToken, { kind: 'token' }>): Outcome {
  return kind === 'late' ? { kind: 'failed', reason, silent: HOST } : { kind, reason };
}

/** Milliseconds until a deadline, at least one, so that what has no time left fails as a time-out. */
function remaining(deadline: number): number {
  return Math.max(1, deadline - performance.now());
}
