/** Hands messages to FCM, from the queue. */

import { serviceAccountOf } from '../../lib/carriers/fcm/credentials.ts';
import { createFcm } from '../../lib/carriers/fcm/fcm.ts';
import { paced } from '../../lib/carriers/pace.ts';
import { variable } from '../environment.ts';
import { fromSecret, pushHandler } from '../push.ts';

/** FCM takes 240 messages a minute for one device; 60 from each of a few environments stay below that. */
const pace = { perSecond: Number(variable('PUSHES_PER_SECOND')), perDeviceMinute: 60 };

const carrier = fromSecret((secret) => {
  const serviceAccount = serviceAccountOf(secret);
  return serviceAccount && paced(createFcm({ serviceAccount }), pace, Date.now);
});

export const handler = pushHandler('fcm', carrier);
