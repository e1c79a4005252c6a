import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { test } from 'node:test';
import { newDevice } from '../support/devices.ts';
import { get, newAccount, post, request, usePeal } from '../support/peal.ts';

const peal = usePeal();

const TOKEN_ERROR = 'application token is invalid, see https://pushover.net/api';
const NOBODY = `u${'x'.repeat(29)}`;

/** An account with two active devices and one that is off: nothing that is asked here changes it. */
let account: ReturnType<typeof newAccount> | undefined;
const ready = () => (account ??= makeAccount());

async function makeAccount() {
  const made = await newAccount(peal());
  await newDevice(made, { name: 'phone', platform: 'android' });
  await newDevice(made, { name: 'laptop', platform: 'open' });
  const off = await newDevice(made, { name: 'off', platform: 'ios' });
  await made.api.updateDevice(off.id, { enabled: false });
  return made;
}

const withoutRequest = ({ request: _, ...rest }: Record<string, unknown>) => rest;

test('validates a user: the active devices, and a licence for everything', async () => {
  const { token, user } = await ready();

  const { status, body } = await post(peal(), 'users/validate.json', { token, user });

  const { devices, ...rest } = withoutRequest(body);
  assert.equal(status, 200);
  assert.deepEqual((devices as string[]).sort(), ['laptop', 'phone']);
  assert.deepEqual(rest, { licenses: ['Android', 'iOS', 'Desktop'], group: 0, status: 1 });
});

test('validates a user for an app of somebody else, by either path, with the parameters in the query', async () => {
  const { user } = await ready();
  const { token } = await newAccount(peal());
  const query = new URLSearchParams({ token, user, device: 'Phone' });

  const answers = [
    await post(peal(), 'users/validate', { token, user, device: '' }),
    await request(peal(), `users/validate.json?${query}`, { method: 'POST' }),
    await post(peal(), 'users/validate.json', { token, user, device: 'phone,laptop' }),
  ];

  assert.deepEqual(
    answers.map(({ body }) => body.status),
    [1, 1, 1],
  );
});

for (const [what, change, fault, errors] of [
  ['no token', { token: '' }, { token: 'invalid' }, [TOKEN_ERROR]],
  ['a user key for a token', { token: NOBODY }, { token: 'invalid' }, [TOKEN_ERROR]],
  ['no user', { user: '' }, { user: 'invalid' }, ['user key is invalid']],
  ['an unknown user', { user: NOBODY }, { user: 'invalid' }, ['user key is invalid']],
  ['a malformed user', { user: 'user#x' }, { user: 'invalid' }, ['user key is invalid']],
  [
    'an unknown device',
    { device: 'tablet' },
    { device: 'invalid for this user' },
    ['device name is not valid for this user'],
  ],
  [
    'a device that is off',
    { device: 'off' },
    { device: 'invalid for this user' },
    ['device name is not valid for this user'],
  ],
  [
    'one unknown device of two',
    { device: 'phone,tablet' },
    { device: 'invalid for this user' },
    ['device name is not valid for this user'],
  ],
] as const) {
  test(`does not validate ${what}`, async () => {
    const { token, user } = await ready();

    const { status, body } = await post(peal(), 'users/validate.json', { token, user, ...change });

    assert.equal(status, 400);
    assert.deepEqual(withoutRequest(body), { ...fault, errors, status: 0 });
  });
}

test('does not validate a user without an active device', async () => {
  const { token, user } = await newAccount(peal());

  const { status, body } = await post(peal(), 'users/validate.json', { token, user });

  assert.equal(status, 400);
  assert.deepEqual(body.errors, ['user has no active devices']);
});

test('lists the sounds, and every one of them can be sent', async () => {
  const { token, user } = await ready();

  const { status, body } = await get(peal(), 'sounds.json', { token });
  const sounds = body.sounds as Record<string, string>;
  const sent = [];
  for (const sound of Object.keys(sounds))
    sent.push(await post(peal(), 'messages.json', { token, user, message: 'x', sound }));

  assert.equal(status, 200);
  assert.equal(Object.keys(sounds).length, 23);
  assert.equal(sounds.pushover, 'Pushover (default)');
  assert.equal(sounds.none, 'None (silent)');
  assert.deepEqual(new Set(sent.map((answer) => answer.status)), new Set([200]));
});

test('says the limits, the same as the headers of a sent message', async () => {
  const { token, user } = await ready();

  const { headers } = await post(peal(), 'messages.json', { token, user, message: 'x' });
  const { status, body } = await get(peal(), 'apps/limits.json', { token });

  assert.equal(status, 200);
  for (const name of ['limit', 'remaining', 'reset']) {
    assert.ok(Number.isInteger(body[name]));
    assert.equal(headers.get(`x-limit-app-${name}`), String(body[name]));
  }
});

for (const path of ['sounds', 'sounds.json', 'apps/limits', 'apps/limits.json']) {
  test(`${path} wants an app’s token`, async () => {
    const { token, user } = await ready();

    const answers = [];
    for (const query of [{ token }, {}, { token: user }]) answers.push(await get(peal(), path, query));

    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 400, 400],
    );
    for (const { body } of answers.slice(1)) assert.deepEqual(body.errors, [TOKEN_ERROR]);
  });
}

test('reads a form that a client sends as the body of a GET', async () => {
  const { token } = await ready();
  const body = new URLSearchParams({ token }).toString();
  const headers = {
    'Content-Type': 'application/x-www-form-urlencoded',
    'Content-Length': Buffer.byteLength(body),
  };

  const answers = await Promise.all(
    ['sounds', 'groups', 'apps/limits'].map(async (path) => {
      const sent = httpRequest(`${peal().api}/1/${path}.json`, { method: 'GET', headers }).end(body);
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      return (await json(answer)) as { status: number };
    }),
  );

  assert.deepEqual(
    answers.map(({ status }) => status),
    [1, 1, 1],
  );
});
