/** Accounts, devices and apps: everything under `/1/` that is not a message. */
import { Accounts } from '../../lib/accounts/accounts.ts';
import { Apps, appIdOf } from '../../lib/accounts/apps.ts';
import { changedDevice, newDevice } from '../../lib/accounts/device-fields.ts';
import { DeviceRegistry } from '../../lib/accounts/device-registry.ts';
import { deviceView } from '../../lib/accounts/device-view.ts';
import { findSession, sessionDevice } from '../../lib/accounts/sessions.ts';
import { signUpMode } from '../../lib/accounts/sign-up-mode.ts';
import { success } from '../../lib/http/answer.ts';
import { readParams } from '../../lib/http/body.ts';
import type { Params } from '../../lib/http/params.ts';
import { required } from '../../lib/http/required.ts';
import { table, variable } from '../environment.ts';
import { type HttpContext, httpApp, path, secretOf, serve, source } from '../http.ts';

/** No field of an account comes near this. */
const BODY = { maxBytes: 64 * 1024 };

const directory = table('DIRECTORY_TABLE');
const accounts = new Accounts(directory, Date.now);
const devices = new DeviceRegistry(directory, Date.now);
const apps = new Apps(directory, Date.now);
const mode = signUpMode(variable('SIGN_UP'));

/** The parameters of a request and the session that it is made in. */
async function inSession(c: HttpContext) {
  const params = await readParams(source(c), BODY);
  return { params, session: await findSession(directory, secretOf(c, params)) };
}

const app = httpApp();

app.on('POST', path('users'), async (c) => {
  const params = await readParams(source(c), BODY);
  const { email, password } = credentials(params);
  return success(await accounts.signUp(email, password, mode, params.get('invitation')));
});

app.on('POST', path('users/login'), async (c) => {
  const { email, password } = credentials(await readParams(source(c), BODY));
  return success(await accounts.login(email, password));
});

app.on('POST', path('users/logout'), async (c) => {
  const { session } = await inSession(c);
  await accounts.logout(session.user, session.secret);
  return success();
});

app.on('GET', path('devices'), async (c) => {
  const { session } = await inSession(c);
  return success({ devices: session.list.devices.map(deviceView) });
});

app.on('POST', path('apps'), async (c) => {
  const { params, session } = await inSession(c);
  const { id, token } = await apps.create(session.user, params.get('name') ?? '');
  return success({ id: String(id), token });
});

app.on('GET', path('apps'), async (c) => {
  const { session } = await inSession(c);
  const list = await apps.list(session.user);
  return success({
    apps: list.map(({ id, name, icon, createdAt }) => ({
      id: String(id),
      name,
      icon,
      created_at: createdAt,
    })),
  });
});

app.on('POST', path('apps/:id/rotate'), async (c) => {
  const { session } = await inSession(c);
  return success({ token: await apps.rotate(session.user, appId(c)) });
});

app.on('POST', path('apps/:id/delete'), async (c) => {
  const { session } = await inSession(c);
  await apps.remove(session.user, appId(c));
  return success();
});

/** These answer `errors` as an object of lists, as Pushover's `devices.json` does. */
const deviceApp = httpApp('byField');

deviceApp.on('POST', path('devices'), async (c) => {
  const { params, session } = await inSession(c);
  return success({ id: await devices.register(session.user, newDevice(params)) });
});

deviceApp.on('POST', path('devices/:id/delete'), async (c) => {
  const { session } = await inSession(c);
  await devices.remove(session.user, sessionDevice(session, c.req.param('id')).id);
  return success();
});

// The last segment has the id and, like every path, may have the suffix.
deviceApp.post('/1/devices/:id', async (c) => {
  const { params, session } = await inSession(c);
  const device = sessionDevice(session, c.req.param('id').replace(/\.json$/, ''));
  await devices.change(session.user, device.id, changedDevice(params, device));
  return success();
});

app.route('/', deviceApp);

export const handler = serve(app);

function credentials(params: Params): { email: string; password: string } {
  return required(params, ['email', 'password']);
}

function appId(c: HttpContext): number {
  return appIdOf(c.req.param('id') ?? '');
}
