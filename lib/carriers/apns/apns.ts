/** The client for Apple Push Notification service: its HTTP/2 API with a provider token. */

import type { Carrier, Outcome, Push } from '../carrier.ts';
import { failure } from '../failure.ts';
import { createHttp2Client } from '../http2/client.ts';
import type { Answer } from '../http2/exchange.ts';
import { type Verdict, verdict } from './outcomes.ts';
import { type ApnsTarget, requestHeaders, sealedPayload, stubPayload } from './payload.ts';
import { type ApnsKey, ProviderTokens } from './provider-token.ts';

export type { ApnsKey } from './provider-token.ts';

type Environment = ApnsTarget['environment'];

export const ORIGINS: Record<Environment, string> = {
  production: 'https://api.push.apple.com',
  sandbox: 'https://api.sandbox.push.apple.com',
};

/** The host of an environment: each of them may be silent while the other answers. */
export const hostOf = (environment: Environment): string => new URL(ORIGINS[environment]).host;

/**
 * What a target may look like at all. It comes from a device and goes into a path and a header: anything else would
 * be reset as a protocol error, which costs every other message the connection.
 */
const WELL_FORMED = { token: /^[0-9a-f]{1,400}$/i, topic: /^[a-z0-9.-]{1,255}$/i };

export interface ApnsOptions extends ApnsKey {
  /** Time limit of one hand-off, everything included. Default 10,000 ms. */
  timeout?: number;
  /** Wall clock in milliseconds. */
  now?: () => number;
}

/**
 * Creates the carrier. Never throws: a key that cannot be used makes every hand-off a `fault`.
 *
 * @example
 * const apns = createApns(JSON.parse(secret));
 * const outcome = await apns.send(push);
 */
export function createApns(options: ApnsOptions): Carrier {
  const now = options.now ?? Date.now;
  const timeout = options.timeout ?? 10_000;
  const tokens = new ProviderTokens(options, now);
  // 403 is the one answer that APNs gives to somebody whom it does not know.
  const http = createHttp2Client({ timeout, now, proves: (answer) => answer.status !== 403 });

  async function send(push: Push): Promise<Outcome> {
    const { target } = push;
    if (target?.type !== 'apns') return { kind: 'refused', reason: 'no APNs target', retire: false };
    if (!WELL_FORMED.token.test(target.token) || !WELL_FORMED.topic.test(target.topic)) {
      return { kind: 'refused', reason: 'malformed APNs target', retire: true };
    }

    try {
      const deadline = performance.now() + timeout;
      const { read } = await tryEnvironment(push, target, target.environment, deadline);
      return read.kind === 'other-environment' ? await tryOther(push, target, read.reason, deadline) : read;
    } catch (error) {
      return failure(error, 'APNs', hostOf(target.environment));
    }
  }

  /** A development build that registered as production, or the reverse, is common and looks like a dead token. */
  async function tryOther(
    push: Push,
    target: ApnsTarget,
    reason: string,
    deadline: number,
  ): Promise<Outcome> {
    const other = target.environment === 'production' ? 'sandbox' : 'production';
    const { status, read } = await tryEnvironment(push, target, other, deadline);
    // Unknown in both; or unknown in the only one that our key is good for (403: keys may be bound to an environment).
    if (read.kind === 'other-environment' || status === 403) return { kind: 'refused', reason, retire: true };
    return read;
  }

  async function tryEnvironment(
    push: Push,
    target: ApnsTarget,
    environment: Environment,
    deadline: number,
  ): Promise<{ status: number; read: Outcome | Extract<Verdict, { kind: 'other-environment' }> }> {
    let token = tokens.current();
    let sealed = sealedPayload(push);
    // At most three requests: each of the two repeats is granted once.
    for (;;) {
      let answer: Answer;
      try {
        answer = await http.request({
          origin: ORIGINS[environment],
          path: `/3/device/${target.token}`,
          headers: requestHeaders(push, target, token),
          body: sealed ?? stubPayload(push),
          timeout: Math.max(1, deadline - performance.now()),
        });
      } catch (error) {
        // Here it is known which of the two hosts it was.
        return { status: 0, read: failure(error, 'APNs', hostOf(environment)) };
      }
      const read = verdict(answer, sealed !== undefined, now());

      if (read.kind === 'stub') {
        sealed = undefined;
      } else if (read.kind === 'fresh-token') {
        // The window may have moved on since this request was built, say by a freeze. If it has not, the token is
        // young by our clock and old by Apple's: another signature would not help, a right clock would.
        const fresh = tokens.current();
        if (fresh === token) return { status: answer.status, read: { kind: 'fault', reason: read.reason } };
        token = fresh;
      } else {
        return { status: answer.status, read };
      }
    }
  }

  return { send, close: () => http.close() };
}
