import * as v from 'valibot';
import { APP_ID, APP_VIEW, CREATED_APP, NEW_APP, ROTATED_APP } from '../../lib/accounts/app-view.ts';
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
} from '../../lib/accounts/credentials.ts';
import { CHANGED_DEVICE, NEW_DEVICE } from '../../lib/accounts/device-fields.ts';
import { DEVICE_VIEW } from '../../lib/accounts/device-view.ts';
import { REVOKED, SESSION_ID, SESSION_VIEW } from '../../lib/accounts/session-view.ts';
import { DEVICE_KEY } from '../../lib/mailbox/parameters.ts';
import { endpoint, NOTHING } from '../endpoint.ts';

const TOO_OFTEN = { 429: 'It was tried too often: `Retry-After` says when it may be tried again' };
const CODE_NEEDED = { 412: 'The account has a second factor: the same again, with a code' };
const CHANGED = { 409: 'The account was changed at the same time: look again' };
const NO_APP = { 404: 'The account has no such app' };

export const signUp = endpoint({
  method: 'POST',
  path: 'users',
  summary: 'Makes an account and logs in',
  by: 'nobody',
  params: SIGN_UP,
  answer: LOGGED_IN,
  errors: { 403: 'Signing up is closed on this server', ...TOO_OFTEN },
});

export const login = endpoint({
  method: 'POST',
  path: 'users/login',
  summary: 'Logs in; 412 asks for the same with a code',
  by: 'nobody',
  params: LOGIN,
  answer: LOGGED_IN,
  errors: { ...CODE_NEEDED, ...TOO_OFTEN, 409: 'All sessions were ended at the same time: log in again' },
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
  errors: { ...CHANGED, ...CODE_NEEDED, ...TOO_OFTEN },
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
  errors: { ...CHANGED, ...TOO_OFTEN },
});

export const twofaConfirm = endpoint({
  method: 'POST',
  path: 'users/twofa/confirm',
  summary: 'Sets the second factor up, with a code of it',
  by: 'session',
  params: TWOFA_CONFIRM,
  answer: TWOFA_CONFIRMED,
  errors: { ...CHANGED, ...TOO_OFTEN },
});

export const twofaDisable = endpoint({
  method: 'POST',
  path: 'users/twofa/disable',
  summary: 'Takes the second factor away',
  by: 'session',
  params: TWOFA_DISABLE,
  answer: NOTHING,
  errors: { ...CHANGED, ...CODE_NEEDED, ...TOO_OFTEN },
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
  segments: { id: SESSION_ID },
  errors: { 404: 'The account has no such session' },
});

export const revokeOthers = endpoint({
  method: 'POST',
  path: 'sessions/revoke_others',
  summary: 'Ends all sessions of the account but this one',
  by: 'session',
  params: NOTHING,
  answer: REVOKED,
  errors: CHANGED,
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
  errorStyle: 'byField',
});

export const changeDevice = endpoint({
  method: 'POST',
  path: 'devices/{id}',
  summary: 'Changes a device',
  by: 'session',
  params: CHANGED_DEVICE,
  answer: NOTHING,
  errorStyle: 'byField',
  segments: { id: DEVICE_KEY },
});

export const deleteDevice = endpoint({
  method: 'POST',
  path: 'devices/{id}/delete',
  summary: 'Deletes a device',
  by: 'session',
  params: NOTHING,
  answer: NOTHING,
  errorStyle: 'byField',
  segments: { id: DEVICE_KEY },
});

export const createApp = endpoint({
  method: 'POST',
  path: 'apps',
  summary: 'Makes an app, with a token to send with',
  by: 'session',
  params: NEW_APP,
  answer: CREATED_APP,
  errors: { 409: 'The app was deleted at the same time' },
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
  answer: ROTATED_APP,
  segments: { id: APP_ID },
  errors: { ...NO_APP, 409: 'The app was changed at the same time: try again' },
});

export const deleteApp = endpoint({
  method: 'POST',
  path: 'apps/{id}/delete',
  summary: 'Deletes an app',
  by: 'session',
  params: NOTHING,
  answer: NOTHING,
  segments: { id: APP_ID },
  errors: NO_APP,
});
