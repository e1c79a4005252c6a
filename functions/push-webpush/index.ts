/** Hands messages to browsers' push services, from the queue. */

import { vapidKeyOf } from '../../lib/carriers/webpush/credentials.ts';
import { createWebPush } from '../../lib/carriers/webpush/webpush.ts';
import { fromSecret, pushHandler } from '../push.ts';

const carrier = fromSecret((secret) => {
  const vapid = vapidKeyOf(secret);
  return vapid && createWebPush({ vapid });
});

export const handler = pushHandler('webpush', carrier);
