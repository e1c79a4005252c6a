import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { type AccountApi, createAccountApi } from '../../lib/device/account-api.ts';
import { createApi, type PealApi } from '../../lib/device/api.ts';
import { CodeNeededError, NetworkError, PealError, ProtocolError } from '../../lib/device/errors.ts';
import { type Answer, type FakePeal, startFakePeal } from './fake-peal.ts';

let fake: FakePeal;
let api: PealApi;
let account: AccountApi;

before(async () => {
  fake = await startFakePeal();
});
after(() => fake.close());
beforeEach(() => {
  fake.seen = [];
  fake.intercept = undefined;
  const options = { url: fake.url, secret: 'the-secret', timeoutMs: 2000 };
  api = createApi(options);
  account = createAccountApi(options);
});

const answerWith = (answer: Answer) => {
  fake.intercept = () => answer;
};
const device = 'd'.repeat(40);

const CALLS: [
  name: string,
  run: (api: PealApi, account: AccountApi) => Promise<unknown>,
  method: string,
  path: string,
  body?: object,
][] = [
  [
    'signUp',
    (a) => a.signUp({ email: 'e', password: 'p', invitation: 'i' }),
    'POST',
    '/1/users.json',
    { email: 'e', password: 'p', invitation: 'i' },
  ],
  [
    'login',
    (a) => a.login({ email: 'e', password: 'p' }),
    'POST',
    '/1/users/login.json',
    { email: 'e', password: 'p' },
  ],
  [
    'acknowledgeReceipt',
    (a) => a.acknowledgeReceipt('r1', device),
    'POST',
    '/1/receipts/r1/acknowledge.json',
    { device_id: device },
  ],
  ['testDevice', (_, a) => a.testDevice(device), 'POST', `/1/devices/${device}/test.json`, {}],
  ['renameGroup', (_, a) => a.renameGroup('g1', 'n'), 'POST', '/1/groups/g1/rename.json', { name: 'n' }],
  ['deleteGroup', (_, a) => a.deleteGroup('g1'), 'POST', '/1/groups/g1/delete.json', {}],
  [
    'addMember',
    (_, a) => a.addMember('g1', { user: 'u1', memo: 'm' }),
    'POST',
    '/1/groups/g1/add_user.json',
    { user: 'u1', memo: 'm' },
  ],
  [
    'removeMember',
    (_, a) => a.removeMember('g1', { user: 'u1', device: 'd' }),
    'POST',
    '/1/groups/g1/remove_user.json',
    { user: 'u1', device: 'd' },
  ],
  [
    'setMemberEnabled',
    (_, a) => a.setMemberEnabled('g1', { user: 'u1' }, false),
    'POST',
    '/1/groups/g1/disable_user.json',
    { user: 'u1' },
  ],
  ['logout', (a) => a.logout(), 'POST', '/1/users/logout.json', {}],
  [
    'registerDevice, plain',
    (a) => a.registerDevice({ name: 'n', platform: 'open' }),
    'POST',
    '/1/devices.json',
    { name: 'n', os: 'O' },
  ],
  [
    'registerDevice, sealed',
    (a) =>
      a.registerDevice({
        name: 'n',
        platform: 'android',
        publicKey: new Uint8Array(32),
        push: { type: 'fcm', token: 't' },
      }),
    'POST',
    '/1/devices.json',
    { name: 'n', platform: 'android', public_key: `${'A'.repeat(43)}=`, push: { type: 'fcm', token: 't' } },
  ],
  [
    'updateDevice',
    (a) => a.updateDevice(device, { name: 'm', enabled: false, push: null }),
    'POST',
    `/1/devices/${device}.json`,
    { name: 'm', enabled: 0, push: null },
  ],
  [
    'updateDevice, key',
    (a) => a.updateDevice(device, { publicKey: new Uint8Array(32) }),
    'POST',
    `/1/devices/${device}.json`,
    { public_key: `${'A'.repeat(43)}=` },
  ],
  ['listDevices', (a) => a.listDevices(), 'GET', '/1/devices.json'],
  ['deleteDevice', (a) => a.deleteDevice(device), 'POST', `/1/devices/${device}/delete.json`, {}],
  ['createApp', (a) => a.createApp('n'), 'POST', '/1/apps.json', { name: 'n' }],
  ['listApps', (a) => a.listApps(), 'GET', '/1/apps.json'],
  ['rotateApp', (a) => a.rotateApp('7/..'), 'POST', '/1/apps/7%2F../rotate.json', {}],
  ['deleteApp', (a) => a.deleteApp('7'), 'POST', '/1/apps/7/delete.json', {}],
  ['deleteIcon', (_, a) => a.deleteIcon('7'), 'POST', '/1/apps/7/icon/delete.json', {}],
  ['listSounds', (_, a) => a.listSounds(), 'GET', '/1/account/sounds.json'],
  ['deleteSound', (_, a) => a.deleteSound('a/b'), 'POST', '/1/sounds/a%2Fb/delete.json', {}],
  ['listSent', (_, a) => a.listSent(), 'GET', '/1/history.json'],
  ['viewSent', (_, a) => a.viewSent('1/2'), 'GET', '/1/history/1%2F2.json'],
  ['usage', (_, a) => a.usage(), 'GET', '/1/usage.json'],
  ['listSessions', (_, a) => a.listSessions(), 'GET', '/1/sessions.json'],
  ['revokeSession', (_, a) => a.revokeSession('s1'), 'POST', '/1/sessions/s1/revoke.json', {}],
  ['revokeOtherSessions', (_, a) => a.revokeOtherSessions(), 'POST', '/1/sessions/revoke_others.json', {}],
  [
    'changePassword',
    (_, a) => a.changePassword({ password: 'p', newPassword: 'q', twofa: '123456' }),
    'POST',
    '/1/users/password.json',
    { password: 'p', new_password: 'q', twofa: '123456' },
  ],
  [
    'disableTwofa',
    (_, a) => a.disableTwofa({ password: 'p', twofa: undefined }),
    'POST',
    '/1/users/twofa/disable.json',
    { password: 'p' },
  ],
  [
    'acknowledge',
    (a) => a.acknowledge(device, [12, 14]),
    'POST',
    `/1/devices/${device}/acknowledge.json`,
    { messages: [12, 14] },
  ],
];

for (const [name, run, method, path, body = {}] of CALLS) {
  test(`${name}: ${method} ${path}, with the secret in a header`, async () => {
    await run(api, account);

    assert.deepEqual(fake.seen, [{ method, path, query: {}, body, authorization: 'Bearer the-secret' }]);
  });
}

test('sync names the device and where to go on, and nothing secret, in the URL', async () => {
  const page = await api.sync(device, 41);

  assert.deepEqual(fake.seen[0]?.query, { device_id: device, after: '41' });
  assert.equal(fake.seen[0]?.authorization, 'Bearer the-secret');
  assert.deepEqual(page, { messages: [], user: {}, device: {}, more: false });
});

test('a list of what was sent says where it goes on, and of which app it is', async () => {
  answerWith({ status: 200, body: { status: 1, messages: [{ id: '7' }], after: '7' } });

  const page = await account.listSent({ after: '41', app: '3' });

  assert.deepEqual(fake.seen[0]?.query, { after: '41', app: '3' });
  assert.deepEqual(page, { messages: [{ id: '7' }], after: '7' });
});

for (const [what, run, body] of [
  ['a list of sends', () => account.listSent(), { messages: [{}] }],
  ['a send', () => account.viewSent('1'), { devices: [] }],
  ['devices of a send', () => account.viewSent('1'), { message: {}, devices: [null] }],
  ['a usage', () => account.usage(), { days: 'none' }],
] as const) {
  test(`an answer that is not ${what} is not taken for one`, async () => {
    answerWith({ status: 200, body: { status: 1, ...body } });

    await assert.rejects(run(), ProtocolError);
  });
}

test('login gives the user key and the secret, and a client with it is logged in', async () => {
  const anonymous = createApi({ url: `${fake.url}/` });

  const session = await anonymous.login({ email: 'e', password: 'p' });
  await anonymous.withSecret(session.secret).logout();

  assert.deepEqual(session, { user: 'id-1', secret: 'secret-1' });
  assert.deepEqual(
    fake.seen.map(({ authorization }) => authorization),
    [undefined, 'Bearer secret-1'],
  );
});

test('a login that needs a code says so as an error of its own', async () => {
  const answer = (reason: string) => ({
    status: 412,
    body: { twofa: reason, errors: [`twofa ${reason}`], status: 0, request: 'r' },
  });
  const errorOf = async (body: Answer) => {
    answerWith(body);
    return api.login({ email: 'e', password: 'p', twofa: '123456' }).catch((error: unknown) => error);
  };

  const needed = await errorOf(answer('is required'));
  const wrong = await errorOf(answer('is invalid'));
  const foreign = await errorOf({ status: 412, body: {} });

  assert.ok(needed instanceof CodeNeededError && needed instanceof PealError && !needed.wrong);
  assert.ok(wrong instanceof CodeNeededError && wrong.wrong);
  assert.ok(foreign instanceof PealError && !(foreign instanceof CodeNeededError));
  assert.equal(fake.seen[0]?.body?.twofa, '123456');
});

test('sending does not give away the session', async () => {
  const sent = await api.sendMessage({ token: 't', user: 'u', message: 'Hi', priority: 0, title: undefined });

  assert.deepEqual(sent, { request: 'r-1' });
  assert.equal(fake.seen[0]?.authorization, undefined);
  assert.deepEqual(fake.seen[0]?.body, { token: 't', user: 'u', message: 'Hi', priority: 0 });
});

test('sends an attachment as a form', async () => {
  const attachment = new Blob([Uint8Array.of(1, 2, 3)], { type: 'image/png' });

  await api.sendMessage({ token: 't', user: 'u', message: 'ä', priority: -1, sound: undefined, attachment });

  const { attachment: file, ...rest } = fake.seen[0]?.body ?? {};
  assert.deepEqual(rest, { token: 't', user: 'u', message: 'ä', priority: '-1' });
  assert.deepEqual(new Uint8Array(await (file as Blob).arrayBuffer()), Uint8Array.of(1, 2, 3));
});

test('uploads an icon and a sound as forms', async () => {
  const file = new Blob([Uint8Array.of(1, 2, 3)]);
  answerWith({ status: 200, body: { status: 1, request: 'r', icon: 'i1' } });

  const icon = await account.setIcon('7', file);
  await account.addSound({ name: 'ding', description: undefined, file });

  assert.equal(icon, 'i1');
  const bytes = (value: unknown) => new Uint8Array(value as ArrayBuffer);
  const [first, second] = fake.seen;
  assert.deepEqual([first?.path, second?.path], ['/1/apps/7/icon.json', '/1/sounds.json']);
  assert.deepEqual(Object.keys(second!.body), ['name', 'sound']);
  for (const sent of [first!.body.icon, second!.body.sound])
    assert.deepEqual(bytes(await (sent as Blob).arrayBuffer()), Uint8Array.of(1, 2, 3));
});

test('a second factor: begun with the password, confirmed with a code for recovery codes, and its state', async () => {
  const answers: Record<string, object> = {
    '/1/users/twofa.json': { secret: 'BASE32', otpauth: 'otpauth://x', enabled: true, recovery_codes: 9 },
    '/1/users/twofa/confirm.json': { recovery_codes: ['a', 'b'] },
  };
  fake.intercept = ({ path }) => ({ status: 200, body: { status: 1, request: 'r', ...answers[path] } });

  const begun = await account.beginTwofa('p');
  const codes = await account.confirmTwofa('123456');
  const state = await account.twofaState();

  assert.deepEqual(begun, { secret: 'BASE32', otpauth: 'otpauth://x' });
  assert.deepEqual(codes, ['a', 'b']);
  assert.deepEqual(state, { enabled: true, recoveryCodes: 9 });
  assert.deepEqual(
    fake.seen.map(({ body }) => body),
    [{ password: 'p' }, { twofa: '123456' }, {}],
  );
});

test('the receipt of an emergency message is passed on', async () => {
  answerWith({ status: 200, body: { status: 1, request: 'r', receipt: 'x'.repeat(30) } });

  const sent = await api.sendMessage({
    token: 't',
    user: 'u',
    message: 'm',
    priority: 2,
    retry: 30,
    expire: 60,
  });

  assert.deepEqual(sent, { request: 'r', receipt: 'x'.repeat(30) });
});

test('a refusal has its status, sentences and fields', async () => {
  answerWith({
    status: 400,
    body: { user: 'invalid', errors: ['user identifier is invalid'], status: 0, request: 'r-9' },
  });

  await assert.rejects(api.sendMessage({ token: 't', user: 'u', message: 'm' }), (error) => {
    assert.ok(error instanceof PealError);
    assert.equal(error.status, 400);
    assert.equal(error.message, 'user identifier is invalid');
    assert.deepEqual(error.errors, ['user identifier is invalid']);
    assert.deepEqual(error.fields, { user: 'invalid' });
    assert.equal(error.request, 'r-9');
    assert.equal(error.signedOut, false);
    return true;
  });
});

test('a refusal by parameter (devices.json) has the same', async () => {
  answerWith({
    status: 400,
    body: { errors: { name: ['has already been taken', 'is too long'] }, status: 0, request: 'r' },
  });

  await assert.rejects(api.registerDevice({ name: 'n', platform: 'open' }), (error) => {
    assert.ok(error instanceof PealError);
    assert.deepEqual(error.errors, ['name has already been taken', 'name is too long']);
    assert.deepEqual(error.fields, { name: 'has already been taken, is too long' });
    return true;
  });
});

test('a session that is not known any more can be told from other refusals', async () => {
  answerWith({
    status: 400,
    body: { secret: 'invalid', errors: ['secret is invalid'], status: 0, request: 'r' },
  });

  await assert.rejects(api.listDevices(), (error) => error instanceof PealError && error.signedOut);
});

test('says how long to wait, if the server did', async () => {
  answerWith({ status: 429, body: '<html>slow down</html>', headers: { 'retry-after': '60' } });

  await assert.rejects(api.listApps(), (error) => {
    assert.ok(error instanceof PealError);
    assert.deepEqual([error.status, error.retryAfter, error.errors], [429, 60, []]);
    assert.match(error.message, /status 429/);
    return true;
  });
});

test('an answer that is not Peal’s is told apart', async () => {
  for (const body of [
    '<html>Welcome to our Wi-Fi</html>',
    '[]',
    '{}',
    '{"status":0}',
    '{"status":1,"request":"r"}',
  ]) {
    answerWith({ status: 200, body });

    await assert.rejects(api.listDevices(), ProtocolError, body);
  }
});

test('no answer in time is a network error that says so', async () => {
  answerWith('hang');
  const impatient = createApi({ url: fake.url, timeoutMs: 50 });

  await assert.rejects(impatient.listApps(), (error) => error instanceof NetworkError && error.timedOut);
});

test('a lost connection is a network error', async () => {
  answerWith('drop');

  await assert.rejects(api.listApps(), (error) => error instanceof NetworkError && !error.timedOut);
});

test('calls can be ended from outside', async () => {
  const abort = new AbortController();
  // When it has arrived: one that is under way would be seen by the next test.
  fake.intercept = () => {
    abort.abort();
    return 'hang';
  };

  const ended = createApi({ url: fake.url, signal: abort.signal }).listApps();

  await assert.rejects(ended, (error) => error instanceof NetworkError && !error.timedOut);
});

test('a redirection is not followed: the secret stays here', async () => {
  answerWith({ status: 307, body: '', headers: { location: `${fake.url}/elsewhere` } });

  await assert.rejects(api.logout(), NetworkError);

  // A call that a test before this one ended may still arrive.
  const arrived = fake.seen.map(({ path }) => path).filter((path) => path !== '/1/apps.json');
  assert.deepEqual(arrived, ['/1/users/logout.json']);
});

test('only message ids can be acknowledged', async () => {
  for (const id of [0, -1, 1.5, Number.NaN, 2 ** 53])
    await assert.rejects(api.acknowledge(device, [1, id]), RangeError);
  await api.acknowledge(device, []);

  assert.equal(fake.seen.length, 0);
});

test('acknowledges more ids than Peal takes at once in several requests', async () => {
  const ids = Array.from({ length: 1_001 }, (_, n) => n + 1);

  await api.acknowledge(device, ids);

  const named = fake.seen.map(({ body }) => body.messages as number[]);
  assert.deepEqual(named.flat(), ids);
  assert.deepEqual(
    named.map(({ length }) => length),
    [500, 500, 1],
  );
});

test('fetches an attachment from where Peal says, without the secret, and no more of it than is allowed', async () => {
  const where = { status: 1, request: 'r', url: `${fake.url}/file?signed`, sealed: true };
  fake.intercept = ({ path }) => ({ status: 200, body: path === '/file' ? 'x'.repeat(50) : where });

  const whole = await api.fetchAttachment(device, 7, 50);
  const seen = fake.seen.map(({ method, path, query, authorization }) => [
    method,
    path,
    query,
    authorization,
  ]);
  const cut = await api.fetchAttachment(device, 7, 49);

  assert.deepEqual(seen, [
    ['GET', '/1/messages/7/attachment.json', { device_id: device }, 'Bearer the-secret'],
    ['GET', '/file', { signed: '' }, undefined],
  ]);
  assert.deepEqual([whole.bytes?.length, whole.sealed], [50, true]);
  assert.deepEqual(cut, { sealed: true });
});

test('an attachment that is gone is told from one that cannot be had now', async () => {
  const where = { status: 1, request: 'r', url: `${fake.url}/file`, sealed: true };
  const fetchAnswered = (file: Answer) => {
    fake.intercept = ({ path }) => (path === '/file' ? file : { status: 200, body: where });
    return api.fetchAttachment(device, 7, 50);
  };

  const gone = (error: unknown) => error instanceof PealError && error.status === 404 && !error.signedOut;
  await assert.rejects(fetchAnswered({ status: 404, body: '' }), gone);
  await assert.rejects(fetchAnswered({ status: 410, body: '' }), gone);
  await assert.rejects(fetchAnswered({ status: 403, body: '' }), NetworkError);
  await assert.rejects(fetchAnswered({ status: 503, body: '' }), NetworkError);
  await assert.rejects(fetchAnswered('drop'), NetworkError);
});
