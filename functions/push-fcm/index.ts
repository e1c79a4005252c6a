/** Hands messages to FCM, from the queue. */

import { serviceAccountOf } from '../../lib/carriers/fcm/credentials.ts';
import { createFcm, HOST } from '../../lib/carriers/fcm/fcm.ts';
import { paced } from '../../lib/carriers/pace.ts';
import { patient } from '../../lib/carriers/patient.ts';
import { variable } from '../environment.ts';
import { fromSecret, pushHandler } from '../push.ts';

/** FCM takes 240 messages a minute for one device; 60 from each of a few environments stay below that. */
const pace = { perSecond: Number(variable('PUSHES_PER_SECOND')), perDeviceMinute: 60 };

export const handler = pushHandler('fcm', ({ hold, silence }) =>
  fromSecret((secret) => {
    const serviceAccount = serviceAccountOf(secret);
    if (!serviceAccount) return undefined;
    const fcm = createFcm({ serviceAccount, timeout: hold });
    return paced(
      patient(fcm, silence, () => ({ host: HOST }), Date.now),
      pace,
      Date.now,
    );
  }),
);
