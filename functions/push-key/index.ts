/** `/1/push_key.json`: the public half of the VAPID key. Apart from the other functions, which see no credentials. */
import { findSession } from '../../lib/accounts/sessions.ts';
import { pushKeyOf } from '../../lib/carriers/webpush/credentials.ts';
import { success } from '../../lib/http/answer.ts';
import { on } from '../endpoint.ts';
import { table } from '../environment.ts';
import { HttpApp, secretOf, serve } from '../http.ts';
import { carrierSecret } from '../secret.ts';
import * as endpoints from './endpoints.ts';

const directory = table('DIRECTORY_TABLE');
const readSecret = carrierSecret();
const app = new HttpApp();

on(app, endpoints.pushKey, async ({ http, params }) => {
  await findSession(directory, secretOf(http, params));
  return success(pushKeyOf(await readSecret()));
});

export const handler = serve(app);
