import { Refusal } from '../refusal.ts';

/** The refusal of a user key that is not one, on every endpoint but sending (Pushover's words). */
export function badUser(): Refusal {
  return new Refusal({ field: 'user', reason: 'invalid', sentence: 'user key is invalid' });
}

/** The refusal of a name that the user has no device of (Pushover's words). */
export function badDevice(): Refusal {
  const sentence = 'device name is not valid for this user';
  return new Refusal({ field: 'device', reason: 'invalid for this user', sentence });
}

/** The refusal of a session's secret that is none, or none any more. */
export function badSecret(): Refusal {
  return new Refusal({ field: 'secret', reason: 'invalid', sentence: 'secret is invalid' });
}

/** The refusal of what was under way while its account was deleted: the same as of the session, which has ended. */
export const noAccount = badSecret;
