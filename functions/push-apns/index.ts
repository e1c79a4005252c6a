/** Hands messages to APNs, from the queue. */
import { createApns } from '../../lib/carriers/apns/apns.ts';
import { apnsKeyOf } from '../../lib/carriers/apns/credentials.ts';
import { fromSecret, pushHandler } from '../push.ts';

const carrier = fromSecret((secret) => {
  const key = apnsKeyOf(secret);
  return key && createApns(key);
});

export const handler = pushHandler('apns', carrier);
