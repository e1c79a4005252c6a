/** Hands messages to browsers' push services, from the queue. */

import { type PartyOf, patient } from '../../lib/carriers/patient.ts';
import { vapidKeyOf } from '../../lib/carriers/webpush/credentials.ts';
import { isWellKnown } from '../../lib/carriers/webpush/transport.ts';
import { createWebPush } from '../../lib/carriers/webpush/webpush.ts';
import { fromSecret, pushHandler } from '../push.ts';

/** Users name the hosts: any but the browser makers' may be silent because its account wants it to be. */
const partyOf: PartyOf = ({ target, user }) => {
  const endpoint = target?.type === 'webpush' ? URL.parse(target.endpoint) : undefined;
  if (!endpoint) return undefined;
  const { host } = endpoint;
  return isWellKnown(endpoint) ? { host } : { host, account: user };
};

export const handler = pushHandler('webpush', ({ hold, strangerHold, silence }) =>
  fromSecret((secret) => {
    const vapid = vapidKeyOf(secret);
    if (!vapid) return undefined;
    const webPush = createWebPush({ vapid, timeout: hold, strangerTimeout: strangerHold });
    return patient(webPush, silence, partyOf, Date.now);
  }),
);
