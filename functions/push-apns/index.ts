/** Hands messages to APNs, from the queue. */
import { createApns, hostOf } from '../../lib/carriers/apns/apns.ts';
import { apnsKeyOf } from '../../lib/carriers/apns/credentials.ts';
import { type PartyOf, patient } from '../../lib/carriers/patient.ts';
import { fromSecret, pushHandler } from '../push.ts';

/** Everybody's devices are asked for at Apple's two hosts, so no account can make them slow. */
const partyOf: PartyOf = ({ target }) =>
  target?.type === 'apns' ? { host: hostOf(target.environment) } : undefined;

export const handler = pushHandler('apns', ({ hold, silence }) =>
  fromSecret((secret) => {
    const key = apnsKeyOf(secret);
    return key && patient(createApns({ ...key, timeout: hold }), silence, partyOf, Date.now);
  }),
);
