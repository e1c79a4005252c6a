/** Google's OAuth 2.0 token endpoint for service accounts (RFC 7523), as firebase-admin's credential calls it. */

import { randomBytes } from 'node:crypto';
import type { Asked } from './asked.ts';
import { isSignedBy, parseJwt } from './jwt.ts';
import type { Behaviour, Decision } from './respond.ts';

const AUDIENCE = 'https://oauth2.googleapis.com/token';
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
/** Either lets send with FCM. */
const SCOPES = [
  'https://www.googleapis.com/auth/firebase.messaging',
  'https://www.googleapis.com/auth/cloud-platform',
];
/** Longest life of an assertion, and life of an access token. Seconds. */
const HOUR = 3600;
const ALLOWED_SKEW = 300;

export interface OauthOptions {
  /** `client_email` of the one service account that is known. */
  clientEmail: string;
  /** SPKI PEM. */
  publicKey: string;
  /** Wall clock in milliseconds. */
  now: () => number;
}

/** The token endpoint, and the tokens that it gave out. */
export class Oauth implements Behaviour {
  readonly carrier = 'oauth';
  readonly #options: OauthOptions;
  /** Access token → when it expires, Unix milliseconds. */
  readonly #tokens = new Map<string, number>();

  constructor(options: OauthOptions) {
    this.#options = options;
  }

  /** Whether an access token is good now. */
  accepts(token: string): boolean {
    return (this.#tokens.get(token) ?? 0) > this.#options.now();
  }

  /** Makes every token that was given out worthless. */
  revokeAll(): void {
    this.#tokens.clear();
  }

  targetOf(): string {
    return '';
  }

  errorBody(_status: number, reason: string): string {
    return JSON.stringify({ error: reason, error_description: 'as ordered' });
  }

  decide(asked: Asked): Decision {
    if (asked.method !== 'POST' || asked.path !== '/token')
      return refusal(404, 'not_found', 'no such endpoint');

    const form = new URLSearchParams(asked.body.toString());
    if (form.get('grant_type') !== GRANT) return refusal(400, 'unsupported_grant_type', `not ${GRANT}`);

    const jwt = parseJwt(form.get('assertion') ?? '');
    if (!jwt) return refusal(400, 'invalid_grant', 'the assertion is no JWT');
    const { claims } = jwt;
    if (claims.iss !== this.#options.clientEmail) return refusal(400, 'invalid_grant', 'account not found');
    if (!isSignedBy(jwt, 'RS256', this.#options.publicKey)) {
      return refusal(400, 'invalid_grant', 'Invalid JWT Signature.');
    }
    if (claims.aud !== AUDIENCE) return refusal(400, 'invalid_grant', 'wrong audience');

    const seconds = Math.floor(this.#options.now() / 1000);
    const [issued, expires] = [Number(claims.iat), Number(claims.exp)];
    const timely = issued <= seconds + ALLOWED_SKEW && expires > seconds && expires - issued <= HOUR;
    if (!timely) return refusal(400, 'invalid_grant', 'the assertion is not valid at this time');

    const scopes = String(claims.scope ?? '').split(' ');
    if (!SCOPES.some((scope) => scopes.includes(scope)))
      return refusal(400, 'invalid_scope', 'no scope for FCM');

    const token = `ya29.${randomBytes(32).toString('base64url')}`;
    this.#tokens.set(token, this.#options.now() + HOUR * 1000);
    return {
      status: 200,
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify({ access_token: token, expires_in: HOUR - 1, token_type: 'Bearer' }),
    };
  }
}

function refusal(status: number, error: string, description: string): Decision {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify({ error, error_description: description }),
    reason: error,
  };
}
