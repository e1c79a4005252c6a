/** Accounts, sessions, devices and apps. */

import { Accounts, AddressTaken } from '../../lib/accounts/accounts.ts';
import { appView } from '../../lib/accounts/app-view.ts';
import { Apps, appIdOf } from '../../lib/accounts/apps.ts';
import { Authentication } from '../../lib/accounts/authentication.ts';
import { MAX_SESSION_NAME } from '../../lib/accounts/credentials.ts';
import { changedDevice, newDevice } from '../../lib/accounts/device-fields.ts';
import { DeviceRegistry } from '../../lib/accounts/device-registry.ts';
import { deviceView } from '../../lib/accounts/device-view.ts';
import { keyedHash } from '../../lib/accounts/keyed-hash.ts';
import { LoginGuard } from '../../lib/accounts/login-guard.ts';
import { sessionDevice } from '../../lib/accounts/sessions.ts';
import { SIGN_UP_MODES } from '../../lib/accounts/sign-up-mode.ts';
import { type ThrottleLog, Throttles } from '../../lib/accounts/throttles.ts';
import { TwoFactor } from '../../lib/accounts/twofa.ts';
import { success } from '../../lib/http/answer.ts';
import type { HttpRequest } from '../../lib/http/message.ts';
import { Refusal } from '../../lib/refusal.ts';
import { edgeOrigin } from '../behind-edge.ts';
import { type EndpointRequest, on } from '../endpoint.ts';
import { choice, table, variable } from '../environment.ts';
import { HttpApp, serve } from '../http.ts';
import { log } from '../log.ts';
import { sessionOf } from '../session.ts';
import { sessionRegistry } from '../sessions.ts';
import * as endpoints from './endpoints.ts';
import { masterSecret } from './master-secret.ts';

const clock = Date.now;
const say: ThrottleLog = (message, fields) => log('error', message, fields);

const directory = table('DIRECTORY_TABLE');
const mode = choice('SIGN_UP', SIGN_UP_MODES);
const devices = new DeviceRegistry(directory, clock);
const apps = new Apps(directory, clock);
const sessions = sessionRegistry(directory);
const accounts = new Accounts(directory, clock, sessions);
const master = masterSecret();
const hash = keyedHash(master, 'throttles');
const throttles = new Throttles(directory, clock, say, hash, {
  signUpAddress: Number(variable('REGISTRATIONS_PER_HOUR')),
});
const guard = new LoginGuard(directory, clock, throttles, hash, say);
const twofa = new TwoFactor(directory, clock, master);
const authentication = new Authentication({ table: directory, clock, sessions, guard, twofa, log: say });

/** The session that a request is made in. */
const sessionIn = ({ http, params }: Pick<EndpointRequest<never>, 'http' | 'params'>) =>
  sessionOf(directory, http, params);

/** What a session is called: what it says, or the program that speaks. */
function nameOf({ headers }: HttpRequest, name: string | undefined): string {
  return name ?? (headers['user-agent'] ?? '').slice(0, MAX_SESSION_NAME);
}

const app = new HttpApp();

on(app, endpoints.signUp, async ({ http, fields }) => {
  if (mode === 'closed') {
    const sentence = 'sign-up is closed on this server';
    throw new Refusal({ field: 'email', reason: 'cannot sign up', sentence }, 403);
  }
  const account = fields();
  const toldTaken = await guard.admitSignUp(http.address);
  try {
    const login = await accounts.signUp({ ...account, name: nameOf(http, account.name) }, mode);
    await guard.giveBack(toldTaken);
    return success(login);
  } catch (error) {
    if (error instanceof Refusal && !(error instanceof AddressTaken)) await guard.giveBack(toldTaken);
    throw error;
  }
});

on(app, endpoints.login, async ({ http, fields }) => {
  const attempt = fields();
  return success(await authentication.login({ ...attempt, name: nameOf(http, attempt.name) }, http.address));
});

on(app, endpoints.logout, async (request) => {
  const { user, hash } = await sessionIn(request);
  await sessions.close(user, hash);
  return success();
});

on(app, endpoints.changePassword, async (request) => {
  const session = await sessionIn(request);
  const { password, new_password: next, twofa } = request.fields();
  await authentication.changePassword(session, { password, next, twofa }, request.http.address);
  return success();
});

on(app, endpoints.twofaState, async (request) =>
  success(await authentication.twoFactorState(await sessionIn(request))),
);

on(app, endpoints.twofaBegin, async (request) => {
  const session = await sessionIn(request);
  const { password } = request.fields();
  return success(await authentication.beginTwoFactor(session, password, request.http.address));
});

on(app, endpoints.twofaConfirm, async (request) => {
  const session = await sessionIn(request);
  const { twofa: code } = request.fields();
  const codes = await authentication.confirmTwoFactor(session, code, request.http.address);
  return success({ recovery_codes: codes });
});

on(app, endpoints.twofaDisable, async (request) => {
  const session = await sessionIn(request);
  await authentication.disableTwoFactor(session, request.fields(), request.http.address);
  return success();
});

on(app, endpoints.listSessions, async (request) => {
  const { user, hash } = await sessionIn(request);
  return success({ sessions: await sessions.list(user, hash) });
});

on(app, endpoints.revokeSession, async (request) => {
  const { user } = await sessionIn(request);
  await sessions.end(user, request.segment('id'));
  return success();
});

on(app, endpoints.revokeOthers, async (request) => {
  return success({ revoked: await authentication.endOthers(await sessionIn(request)) });
});

on(app, endpoints.listDevices, async (request) => {
  const { list } = await sessionIn(request);
  return success({ devices: list.devices.map(deviceView) });
});

on(app, endpoints.createApp, async (request) => {
  const { user } = await sessionIn(request);
  const { id, token } = await apps.create(user, request.fields().name);
  return success({ id: String(id), token });
});

on(app, endpoints.listApps, async (request) => {
  const { user } = await sessionIn(request);
  return success({ apps: (await apps.list(user)).map(appView) });
});

on(app, endpoints.rotateApp, async (request) => {
  const { user } = await sessionIn(request);
  return success({ token: await apps.rotate(user, appIdOf(request.segment('id'))) });
});

on(app, endpoints.deleteApp, async (request) => {
  const { user } = await sessionIn(request);
  await apps.remove(user, appIdOf(request.segment('id')));
  return success();
});

on(app, endpoints.registerDevice, async (request) => {
  const { user } = await sessionIn(request);
  return success({ id: await devices.register(user, newDevice(request.fields())) });
});

on(app, endpoints.deleteDevice, async (request) => {
  const session = await sessionIn(request);
  await devices.remove(session.user, sessionDevice(session, request.segment('id')).id);
  return success();
});

on(app, endpoints.changeDevice, async (request) => {
  const session = await sessionIn(request);
  const device = sessionDevice(session, request.segment('id'));
  const isCleared = (name: string) => request.params.cleared(name);
  await devices.change(session.user, device.id, changedDevice(request.fields(), isCleared, device));
  return success();
});

export const handler = serve(app, edgeOrigin());
