import assert from 'node:assert/strict';
import type { Peal } from '../../local/peal.ts';
import { newAccount, post, type TestAccount } from './peal.ts';
import { codeOf } from './totp.ts';

/** An account with a second factor. The codes of the current and the next step have not been used. */
export interface TwoFactorAccount extends TestAccount {
  /** What its app makes codes of. */
  totp: string;
  recovery: string[];
  /** Logs in, with a code or without. */
  login(twofa?: string): ReturnType<typeof post>;
}

/** Sets a second factor up. */
export async function withTwoFactor(peal: Peal): Promise<TwoFactorAccount> {
  const account = await newAccount(peal);
  const { email, password, secret } = account;
  const begun = await post(peal, 'users/twofa.json', { secret, password });
  const totp = String(begun.body.secret);
  // The code of the step before leaves the current and the next one. It is too old if a step ends right now.
  const confirm = () => post(peal, 'users/twofa/confirm.json', { secret, twofa: codeOf(totp, -1) });
  const first = await confirm();
  const confirmed = first.status === 400 ? await confirm() : first;
  assert.equal(confirmed.status, 200, JSON.stringify(confirmed.body));
  return {
    ...account,
    totp,
    recovery: confirmed.body.recovery_codes as string[],
    login: (twofa) => post(peal, 'users/login.json', { email, password, ...(twofa && { twofa }) }),
  };
}
