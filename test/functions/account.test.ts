import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApi, createKeyPair, toBase64 } from '../../lib/device/index.ts';
import { apnsTarget, fcmTarget, newDevice } from '../support/devices.ts';
import { get, newAccount, post, refusal, request, usePeal } from '../support/peal.ts';

const peal = usePeal();

const PASSWORD = 'correct horse';

test('signs up, logs in and out', async () => {
  const email = 'newcomer@example.org';
  const api = createApi({ url: peal().api });

  const first = await api.signUp({ email, password: PASSWORD });
  const second = await api.login({ email, password: PASSWORD });
  await api.withSecret(first.secret).logout();

  assert.match(first.user, /^u[A-Za-z0-9]{29}$/);
  assert.match(first.secret, /^[A-Za-z0-9]{60}$/);
  assert.equal(second.user, first.user);
  assert.notEqual(second.secret, first.secret);
  assert.deepEqual((await refusal(api.withSecret(first.secret).listDevices())).errors, ['secret is invalid']);
  assert.deepEqual(await api.withSecret(second.secret).listDevices(), []);
});

test('an unknown address and a wrong password are answered alike', async () => {
  const email = 'known@example.org';
  await post(peal(), 'users.json', { email, password: PASSWORD });

  const wrong = await post(peal(), 'users/login.json', { email, password: 'wrong horse' });
  const unknown = await post(peal(), 'users/login.json', { email: 'nobody@example.org', password: PASSWORD });
  const long = await post(peal(), 'users/login.json', { email, password: PASSWORD.repeat(100) });

  for (const { status, body } of [wrong, unknown, long]) {
    const { request: _, ...rest } = body;
    assert.equal(status, 400);
    assert.deepEqual(rest, {
      email: 'and/or password is invalid',
      errors: ['e-mail and/or password is invalid'],
      status: 0,
    });
  }
});

test('an address is the same however it is written, a password is not', async () => {
  const email = 'Case@Bücher.example';
  await post(peal(), 'users.json', { email, password: PASSWORD });
  const login = (address: string, password: string) =>
    post(peal(), 'users/login.json', { email: address, password });

  const answers = [
    await login(email, PASSWORD.toUpperCase()),
    await login(email, PASSWORD),
    await login(' case@xn--bcher-kva.example. ', PASSWORD),
    await post(peal(), 'users.json', { email: 'cASE@BU\u0308CHER.EXAMPLE', password: PASSWORD }),
  ];

  assert.deepEqual(
    answers.map(({ status }) => status),
    [400, 200, 200, 400],
  );
  assert.equal(answers[2]!.body.id, answers[1]!.body.id);
  assert.equal(answers[3]!.body.email, 'has already been taken');
});

test('of two sign-ups with one address at once, one wins', async () => {
  const fields = { email: 'race@example.org', password: PASSWORD };

  const answers = await Promise.all([1, 2, 3].map(() => post(peal(), 'users.json', fields)));

  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 400, 400]);
});

for (const [what, fields, named] of [
  ['a missing address', { password: PASSWORD }, 'email'],
  ['an address without @', { email: 'someone', password: PASSWORD }, 'email'],
  ['an endless address', { email: `${'x'.repeat(300)}@example.org`, password: PASSWORD }, 'email'],
  ['a missing password', { email: 'a@example.org' }, 'password'],
  ['a short password', { email: 'a@example.org', password: 'seven77' }, 'password'],
  ['an endless password', { email: 'a@example.org', password: 'x'.repeat(257) }, 'password'],
] as const) {
  test(`sign-up refuses ${what}`, async () => {
    const { status, body } = await post(peal(), 'users.json', fields);

    assert.equal(status, 400);
    assert.ok(named in body);
  });
}

test('an app’s token is shown once, rotated, and taken away', async () => {
  const account = await newAccount(peal());
  const { api, user } = account;
  await newDevice(account);
  const send = async (token: string) =>
    (await post(peal(), 'messages.json', { token, user, message: 'x' })).status;

  const { id, token } = await api.createApp('Backups');
  const apps = await api.listApps();
  const first = await send(token);
  const next = await api.rotateApp(id);
  const [old, rotated] = [await send(token), await send(next)];
  await api.deleteApp(id);
  const deleted = await send(next);

  assert.match(token, /^a[A-Za-z0-9]{29}$/);
  assert.ok(apps.some((app) => app.name === 'Backups'));
  assert.doesNotMatch(JSON.stringify(apps), new RegExp(token));
  assert.deepEqual([first, old, rotated, deleted], [200, 400, 200, 400]);
});

test('another account’s apps and devices are out of reach', async () => {
  const mine = await newAccount(peal());
  const theirs = await newAccount(peal());
  const device = await newDevice(theirs);
  const [app] = await theirs.api.listApps();

  const errors = [
    await refusal(mine.api.rotateApp(String(app!.id))),
    await refusal(mine.api.deleteApp(String(app!.id))),
    await refusal(mine.api.updateDevice(device.id, { name: 'stolen' })),
    await refusal(mine.api.deleteDevice(device.id)),
  ];

  assert.deepEqual(
    errors.map(({ status }) => status),
    [404, 404, 400, 400],
  );
  assert.equal((await theirs.api.listApps()).length, 1);
  assert.equal((await theirs.api.listDevices()).length, 1);
});

test('devices of every kind register and are listed without their push tokens', async () => {
  const account = await newAccount(peal());
  const fcm = fcmTarget();
  await newDevice(account, { name: 'phone', platform: 'android', push: fcm });
  await newDevice(account, { name: 'fid', platform: 'android', push: { type: 'fcm', fid: 'fid-1' } });
  await newDevice(account, { name: 'iphone', platform: 'ios', push: apnsTarget() });
  await newDevice(account, {
    name: 'browser',
    platform: 'web',
    push: {
      type: 'webpush',
      endpoint: 'https://push.example.org/abc',
      p256dh: 'B'.repeat(87),
      auth: 'a'.repeat(22),
    },
  });
  await newDevice(account, { name: 'desk' });
  await newDevice(account, { name: 'classic', platform: 'open' });

  const devices = await account.api.listDevices();

  assert.deepEqual(devices.map(({ name, platform, push }) => [name, platform, push?.type ?? null]).sort(), [
    ['browser', 'web', 'webpush'],
    ['classic', 'open', null],
    ['desk', 'desktop', null],
    ['fid', 'android', 'fcm'],
    ['iphone', 'ios', 'apns'],
    ['phone', 'android', 'fcm'],
  ]);
  assert.doesNotMatch(JSON.stringify(devices), new RegExp(fcm.token));
});

test('a device is renamed, disabled, given another key and target, and deleted', async () => {
  const account = await newAccount(peal());
  const device = await newDevice(account, { name: 'before', platform: 'android' });
  const keys = createKeyPair();

  await account.api.updateDevice(device.id, {
    name: 'after',
    enabled: false,
    publicKey: keys.publicKey,
    push: fcmTarget(),
  });
  const [changed] = await account.api.listDevices();
  await account.api.updateDevice(device.id, { push: null, enabled: true });
  const [again] = await account.api.listDevices();
  await account.api.deleteDevice(device.id);

  assert.deepEqual([changed!.name, changed!.enabled, changed!.push], ['after', false, { type: 'fcm' }]);
  assert.equal(changed!.public_key, toBase64(keys.publicKey));
  assert.deepEqual([again!.name, again!.enabled, again!.push], ['after', true, null]);
  assert.deepEqual(await account.api.listDevices(), []);
});

test('names are unique within an account, whoever is first', async () => {
  const account = await newAccount(peal());
  const fields = { secret: account.secret, name: 'desk', os: 'O' };

  const answers = await Promise.all([1, 2, 3, 4].map(() => post(peal(), 'devices.json', fields)));
  const refused = answers.filter(({ status }) => status === 400);

  assert.equal(refused.length, 3);
  for (const { body } of refused) {
    assert.equal(body.name, 'has already been taken');
    assert.deepEqual(body.errors, { name: ['has already been taken'] });
  }
  assert.equal((await account.api.listDevices()).length, 1);
});

test('an account has a bounded number of devices', async () => {
  const account = await newAccount(peal());
  const register = (n: number) =>
    post(peal(), 'devices.json', { secret: account.secret, name: `d${n}`, os: 'O' });
  for (let n = 0; n < 50; n++) await register(n);

  const { status, body } = await register(50);

  assert.equal(status, 400);
  assert.match(String(body.name), /at most 50 devices/);
});

const KEY = toBase64(createKeyPair().publicKey);

for (const [what, fields, named] of [
  ['no name', { os: 'O' }, 'name'],
  ['a name with a blank', { name: 'my phone', os: 'O' }, 'name'],
  ['a long name', { name: 'x'.repeat(26), os: 'O' }, 'name'],
  ['another os', { name: 'x', os: 'W' }, 'os'],
  ['neither os nor platform', { name: 'x' }, 'platform'],
  ['an unknown platform', { name: 'x', platform: 'watch', public_key: KEY }, 'platform'],
  ['no key', { name: 'x', platform: 'ios' }, 'public_key'],
  ['a short key', { name: 'x', platform: 'ios', public_key: 'AAAA' }, 'public_key'],
  [
    'a key of low order',
    { name: 'x', platform: 'ios', public_key: toBase64(new Uint8Array(32)) },
    'public_key',
  ],
  ['a push that is no JSON', { name: 'x', platform: 'ios', public_key: KEY, push: '{' }, 'push'],
  ['an unknown push', { name: 'x', platform: 'ios', public_key: KEY, push: '{"type":"sms"}' }, 'push'],
  [
    'an APNs token that is not hex',
    {
      name: 'x',
      platform: 'ios',
      public_key: KEY,
      push: '{"type":"apns","token":"xyz","topic":"a.b","environment":"production"}',
    },
    'push',
  ],
  ['a foreign push', { name: 'x', platform: 'ios', public_key: KEY, push: '{"type":"webpush"}' }, 'push'],
  [
    'FCM on a desktop',
    { name: 'x', platform: 'desktop', public_key: KEY, push: '{"type":"fcm","token":"t"}' },
    'push',
  ],
  [
    'a Web Push endpoint in a private network',
    {
      name: 'x',
      platform: 'web',
      public_key: KEY,
      push: JSON.stringify({
        type: 'webpush',
        endpoint: 'https://169.254.169.254/latest',
        p256dh: 'B'.repeat(87),
        auth: 'a'.repeat(22),
      }),
    },
    'push',
  ],
  [
    'a Web Push endpoint without TLS',
    {
      name: 'x',
      platform: 'web',
      public_key: KEY,
      push: JSON.stringify({
        type: 'webpush',
        endpoint: 'http://push.example.org/',
        p256dh: 'B'.repeat(87),
        auth: 'a'.repeat(22),
      }),
    },
    'push',
  ],
] as const) {
  test(`registration refuses ${what}`, async () => {
    const account = await newAccount(peal());

    const { status, body } = await post(peal(), 'devices.json', { ...fields, secret: account.secret });

    assert.equal(status, 400);
    assert.ok(named in body);
    assert.ok(named in (body.errors as object));
    assert.deepEqual(await account.api.listDevices(), []);
  });
}

test('answers a browser’s preflight', async () => {
  const response = await fetch(`${peal().api}/1/devices.json`, {
    method: 'OPTIONS',
    headers: { Origin: 'https://app.example.org', 'Access-Control-Request-Method': 'POST' },
  });

  assert.equal(response.status, 204);
  assert.equal(response.headers.get('access-control-allow-origin'), '*');
  assert.match(response.headers.get('access-control-allow-headers') ?? '', /Authorization/);
});

test('reads the form that some clients send with GET', async () => {
  const { secret } = await newAccount(peal());
  // fetch refuses a body on GET, so this is spoken by hand.
  const { request: open } = await import('node:http');
  const body = new URLSearchParams({ secret }).toString();

  const status = await new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': body.length };
    open(`${peal().api}/1/devices.json`, { method: 'GET', headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .once('error', reject)
      .end(body);
  });

  assert.equal(status, 200);
});

test('a path that does not exist is 404', async () => {
  const { status } = await request(peal(), 'nothing.json');

  assert.equal(status, 404);
});

test('the session secret is taken from the query as well', async () => {
  const { secret } = await newAccount(peal());

  const { status } = await get(peal(), 'devices.json', { secret });

  assert.equal(status, 200);
});
