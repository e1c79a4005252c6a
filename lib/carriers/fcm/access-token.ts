/** OAuth access tokens for FCM, from a service account, by firebase-admin's credential. */

import { type Credential, cert, type GoogleOAuthAccessToken } from 'firebase-admin/app';
import { TimeLimitError } from '../http2/errors.ts';

/** The fields of a Google service account's JSON key that we use. */
export interface ServiceAccount {
  project_id: string;
  client_email: string;
  private_key: string;
}

/**
 * A token, or why there is none: `fault` if the account is wrong, `failed` if Google could not be asked, `late` if it has
 * not answered in time.
 */
export type AccessToken =
  | { kind: 'token'; token: string }
  | { kind: 'fault' | 'failed' | 'late'; reason: string };

/** A token that was fetched less than this ago and is refused will not be cured by another. Milliseconds. */
const MIN_REFRESH_INTERVAL = 60_000;

/** A token is asked for again this long before it expires, when the credential begins to fetch another. Seconds. */
const EAGER_SECONDS = 5 * 60;

export class AccessTokens {
  readonly #account: ServiceAccount;
  readonly #now: () => number;
  #credential: Credential | undefined;
  #generation = 0;
  #current: { token: string; fetchedAt: number; goodUntil: number } | undefined;

  /** @param now wall clock in milliseconds */
  constructor(account: ServiceAccount, now: () => number) {
    this.#account = account;
    this.#now = now;
  }

  /** The current token if it is good for a while yet: without the promises and the timer that fetching takes. */
  ready(): string | undefined {
    return this.#current && this.#now() < this.#current.goodUntil ? this.#current.token : undefined;
  }

  /** The current token, fetched if there is none or it is about to expire. Waits no longer than `limit` milliseconds. */
  async get(limit: number): Promise<AccessToken> {
    let timer: NodeJS.Timeout | undefined;
    try {
      this.#credential ??= this.#open();
      const used = this.#credential;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          // The credential has no time limit, and all who ask it wait for the one request that is under way: for ever,
          // if that is never answered. What comes late serves the next message; who asks before that asks another one.
          if (this.#credential === used) this.#credential = undefined;
          reject(new TimeLimitError(`none within ${Math.round(limit)} ms`));
        }, limit);
      });
      const fetched = used.getAccessToken().then((token) => this.#keep(token));
      return { kind: 'token', token: await Promise.race([fetched, late]) };
    } catch (error) {
      const reason = `no access token: ${error instanceof Error ? error.message : String(error)}`;
      if (error instanceof TimeLimitError) return { kind: 'late', reason };
      return { kind: isOperators(error) ? 'fault' : 'failed', reason };
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * A token other than one that FCM refused, or undefined if that one was fresh: then the account itself is refused.
   * Many requests may be refused at once; only the first of them fetches.
   */
  async replace(refused: string, limit: number): Promise<AccessToken | undefined> {
    if (this.#current?.token === refused) {
      if (this.#now() - this.#current.fetchedAt < MIN_REFRESH_INTERVAL) return undefined;
      this.#credential = undefined;
      this.#current = undefined;
    }
    return this.get(limit);
  }

  #keep({ access_token: token, expires_in: seconds }: GoogleOAuthAccessToken): string {
    const now = this.#now();
    const fetchedAt = token === this.#current?.token ? this.#current.fetchedAt : now;
    this.#current = { token, fetchedAt, goodUntil: now + (seconds - EAGER_SECONDS) * 1000 };
    return token;
  }

  #open(): Credential {
    // firebase-admin returns the same credential, with its cached token, for the same account; a token can only be
    // dropped before it expires by an account that differs in a field which the credential does not read.
    const account = {
      projectId: this.#account.project_id,
      clientEmail: this.#account.client_email,
      privateKey: this.#account.private_key,
      generation: this.#generation++,
    };
    return cert(account);
  }
}

/**
 * An account that is none (firebase-admin's word for it) and Google's 4xx are the operator's to mend; everything else may
 * pass, firebase-admin's other words (no network, an answer that it does not understand) and mistakes of ours included.
 */
function isOperators(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  if ('code' in error && error.code === 'app/invalid-credential') return true;

  const status = 'status' in error ? Number(error.status) : Number.NaN;
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}
