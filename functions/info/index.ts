/** What senders ask before they send: is this user key good, which sounds are there, how much may be sent. */
import { authorize } from '../../lib/accounts/app-token.ts';
import { success } from '../../lib/http/answer.ts';
import { readParams } from '../../lib/http/body.ts';
import { limits } from '../../lib/messages/limits.ts';
import { SOUNDS } from '../../lib/messages/sounds.ts';
import { validateUser } from '../../lib/messages/validation.ts';
import { table } from '../environment.ts';
import { type HttpContext, httpApp, path, serve, source } from '../http.ts';

/** No parameter here comes near this. */
const BODY = { maxBytes: 64 * 1024 };

const directory = table('DIRECTORY_TABLE');
const app = httpApp();

const params = (c: HttpContext) => readParams(source(c), BODY);

app.on('POST', path('users/validate'), async (c) => {
  const given = await params(c);
  const [token, user, device] = ['token', 'user', 'device'].map((name) => given.get(name));
  return success(await validateUser(directory, token, user, device));
});

app.on('GET', path('sounds'), async (c) => {
  await authorize(directory, (await params(c)).get('token'));
  return success({ sounds: SOUNDS });
});

app.on('GET', path('apps/limits'), async (c) => {
  await authorize(directory, (await params(c)).get('token'));
  return success(limits(Date.now()));
});

export const handler = serve(app);
