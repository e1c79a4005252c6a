/** Hands messages to FCM, from the queue. */

import { serviceAccountOf } from '../../lib/carriers/fcm/credentials.ts';
import { createFcm } from '../../lib/carriers/fcm/fcm.ts';
import { fromSecret, pushHandler } from '../push.ts';

const carrier = fromSecret((secret) => {
  const serviceAccount = serviceAccountOf(secret);
  return serviceAccount && createFcm({ serviceAccount });
});

export const handler = pushHandler('fcm', carrier);
