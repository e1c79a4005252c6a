/** What senders ask before they send: is this user key good, which sounds are there, how much may be sent. */
import { authorize } from '../../lib/accounts/app-token.ts';
import { success } from '../../lib/http/answer.ts';
import { listSounds } from '../../lib/media/custom-sounds.ts';
import { limits } from '../../lib/messages/limits.ts';
import { allowanceOf } from '../../lib/messages/quota.ts';
import { SOUNDS } from '../../lib/messages/sounds.ts';
import { validateUser } from '../../lib/messages/validation.ts';
import { on } from '../endpoint.ts';
import { limit, table } from '../environment.ts';
import { HttpApp, serve } from '../http.ts';
import * as endpoints from './endpoints.ts';

const directory = table('DIRECTORY_TABLE');
const quota = limit('QUOTA');
const app = new HttpApp();

on(app, endpoints.validate, async ({ params, fields }) =>
  success(await validateUser(directory, params.get('token'), fields())),
);

on(app, endpoints.sounds, async ({ params }) => {
  const { app: sender } = await authorize(directory, params.get('token'));
  const own = await listSounds(directory, sender.owner);
  return success({
    sounds: { ...SOUNDS, ...Object.fromEntries(own.map(({ name, description }) => [name, description])) },
  });
});

on(app, endpoints.limits, async ({ params }) => {
  const { app: sender, quota: own = quota } = await authorize(directory, params.get('token'));
  const now = Date.now();
  return success(limits(now, await allowanceOf(directory, sender.owner, now, own)));
});

export const handler = serve(app);
