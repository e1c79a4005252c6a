import * as v from 'valibot';
import {
  LOGGED_IN,
  LOGIN,
  PASSWORD_CHANGE,
  SIGN_UP,
  TWOFA_BEGIN,
  TWOFA_BEGUN,
  TWOFA_CONFIRM,
  TWOFA_CONFIRMED,
  TWOFA_DISABLE,
  TWOFA_STATE,
} from '../../lib/accounts/account.ts';
import { APP_VIEW, CREATED_APP, NEW_APP } from '../../lib/accounts/app-view.ts';
import { CHANGED_DEVICE, NEW_DEVICE } from '../../lib/accounts/device-fields.ts';
import { DEVICE_VIEW } from '../../lib/accounts/device-view.ts';
import { REVOKED, SESSION_VIEW } from '../../lib/accounts/session-registry.ts';
import { endpoint, NOTHING } from '../endpoint.ts';

export const signUp = endpoint({
  method: 'POST',
  path: 'users',
  summary: 'Makes an account and logs in',
  by: 'nobody',
  params: SIGN_UP,
  answer: LOGGED_IN,
});

export const login = endpoint({
  method: 'POST',
  path: 'users/login',
  summary: 'Logs in; 412 asks for the same with a code',
  by: 'nobody',
  params: LOGIN,
  answer: LOGGED_IN,
});

export const logout = endpoint({
  method: 'POST',
  path: 'users/logout',
  summary: 'Ends the session',
  by: 'session',
  params: NOTHING,
  answer: NOTHING,
});

export const changePassword = endpoint({
  method: 'POST',
  path: 'users/password',
  summary: 'Changes the password and ends all other sessions',
  by: 'session',
  params: PASSWORD_CHANGE,
  answer: NOTHING,
});

export const twofaState = endpoint({
  method: 'GET',
  path: 'users/twofa',
  summary: 'Says whether the account has a second factor',
  by: 'session',
  params: NOTHING,
  answer: TWOFA_STATE,
});

export const twofaBegin = endpoint({
  method: 'POST',
  path: 'users/twofa',
  summary: 'Begins to set a second factor up',
  by: 'session',
  params: TWOFA_BEGIN,
  answer: TWOFA_BEGUN,
});

export const twofaConfirm = endpoint({
  method: 'POST',
  path: 'users/twofa/confirm',
  summary: 'Sets the second factor up, with a code of it',
  by: 'session',
  params: TWOFA_CONFIRM,
  answer: TWOFA_CONFIRMED,
});

export const twofaDisable = endpoint({
  method: 'POST',
  path: 'users/twofa/disable',
  summary: 'Takes the second factor away',
  by: 'session',
  params: TWOFA_DISABLE,
  answer: NOTHING,
});

export const listSessions = endpoint({
  method: 'GET',
  path: 'sessions',
  summary: 'Lists the sessions of the account, the latest used first',
  by: 'session',
  params: NOTHING,
  answer: v.object({ sessions: v.array(SESSION_VIEW) }),
});

export const revokeSession = endpoint({
  method: 'POST',
  path: 'sessions/{id}/revoke',
  summary: 'Ends a session of the account',
  by: 'session',
  params: NOTHING,
  answer: NOTHING,
});

export const revokeOthers = endpoint({
  method: 'POST',
  path: 'sessions/revoke_others',
  summary: 'Ends all sessions of the account but this one',
  by: 'session',
  params: NOTHING,
  answer: REVOKED,
});

export const listDevices = endpoint({
  method: 'GET',
  path: 'devices',
  summary: 'Lists the devices of the account',
  by: 'session',
  params: NOTHING,
  answer: v.object({ devices: v.array(DEVICE_VIEW) }),
});

export const registerDevice = endpoint({
  method: 'POST',
  path: 'devices',
  summary: 'Registers a device',
  by: 'session',
  params: NEW_DEVICE,
  answer: v.object({ id: v.string() }),
});

export const changeDevice = endpoint({
  method: 'POST',
  path: 'devices/{id}',
  summary: 'Changes a device',
  by: 'session',
  params: CHANGED_DEVICE,
  answer: NOTHING,
});

export const deleteDevice = endpoint({
  method: 'POST',
  path: 'devices/{id}/delete',
  summary: 'Deletes a device',
  by: 'session',
  params: NOTHING,
  answer: NOTHING,
});

export const createApp = endpoint({
  method: 'POST',
  path: 'apps',
  summary: 'Makes an app, with a token to send with',
  by: 'session',
  params: NEW_APP,
  answer: CREATED_APP,
});

export const listApps = endpoint({
  method: 'GET',
  path: 'apps',
  summary: 'Lists the apps of the account',
  by: 'session',
  params: NOTHING,
  answer: v.object({ apps: v.array(APP_VIEW) }),
});

export const rotateApp = endpoint({
  method: 'POST',
  path: 'apps/{id}/rotate',
  summary: 'Gives an app another token; the old one stops working',
  by: 'session',
  params: NOTHING,
  answer: v.object({ token: v.string() }),
});

export const deleteApp = endpoint({
  method: 'POST',
  path: 'apps/{id}/delete',
  summary: 'Deletes an app',
  by: 'session',
  params: NOTHING,
  answer: NOTHING,
});
