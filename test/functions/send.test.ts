import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newDevice } from '../support/devices.ts';
import { newAccount, post, request, usePeal } from '../support/peal.ts';

const peal = usePeal({ expectedErrors: /InternalServerError/ });

const TOKEN_ERROR = 'application token is invalid, see https://pushover.net/api';
const USER_ERROR =
  'user identifier is not a valid user, group, or subscribed user key, see https://pushover.net/api#identifiers';

/** An account with one device, and the fields that every message needs. */
async function ready() {
  const account = await newAccount(peal());
  const device = await newDevice(account);
  return { ...account, device, fields: { token: account.token, user: account.user, message: 'hello' } };
}

test('answers as Pushover does, headers included', async () => {
  const { fields } = await ready();

  const { status, headers, body } = await post(peal(), 'messages.json', fields);

  assert.equal(status, 200);
  assert.deepEqual(Object.keys(body).sort(), ['request', 'status']);
  assert.equal(body.status, 1);
  assert.match(String(body.request), /^[0-9a-f-]{36}$/);
  assert.equal(headers.get('x-request-id'), body.request);
  assert.equal(headers.get('content-type'), 'application/json; charset=utf-8');
  assert.equal(headers.get('cache-control'), 'max-age=0, private, must-revalidate');
  assert.equal(headers.get('access-control-allow-origin'), '*');
  assert.match(headers.get('strict-transport-security') ?? '', /^max-age=\d+/);
  assert.equal(headers.get('x-content-type-options'), 'nosniff');
  for (const name of ['limit', 'remaining', 'reset']) {
    assert.match(headers.get(`x-limit-app-${name}`) ?? '', /^\d+$/);
  }
});

test('takes every way of sending the same fields', async () => {
  const { device, fields } = await ready();
  const query = new URLSearchParams({ ...fields, message: 'query' });
  const multipart = new FormData();
  for (const [name, value] of Object.entries({ ...fields, message: 'multipart' })) multipart.set(name, value);
  const json = { ...fields, message: 'json', priority: 1, html: true, title: null };
  const type = { 'Content-Type': 'application/json' };

  const answers = [
    await post(peal(), 'messages.json', { ...fields, message: 'form' }),
    await post(peal(), 'messages', { ...fields, message: 'no suffix' }),
    await request(peal(), `messages.json?${query}`, { method: 'POST' }),
    await request(peal(), 'messages.json', { method: 'POST', body: multipart }),
    await request(peal(), 'messages.json', { method: 'POST', body: JSON.stringify(json), headers: type }),
    await request(peal(), 'messages.json', {
      method: 'POST',
      body: Buffer.from(new URLSearchParams({ ...fields, message: 'no type' }).toString()),
    }),
  ];
  await device.sync();

  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 200, 200, 200],
  );
  assert.deepEqual(device.texts(), ['form', 'no suffix', 'query', 'multipart', 'json', 'no type']);
});

test('a device gets every field that the sender set', async () => {
  const { device, fields } = await ready();
  const all = {
    ...fields,
    title: 'Title',
    url: 'https://example.org/?a=b',
    url_title: 'Link',
    priority: '-1',
    sound: 'magic',
    timestamp: '1700000000',
    ttl: '3600',
    html: '1',
  };

  await post(peal(), 'messages.json', all);
  await device.sync();

  const [shown] = device.shown;
  assert.equal(shown?.kind, 'message');
  const { id, umid, aid, received, expires, ...rest } = shown.message;
  assert.ok(id > 0 && umid > 0 && aid > 0);
  assert.equal(expires, received! + 3600);
  assert.deepEqual(rest, {
    app: 'Tests',
    icon: 'default',
    date: 1_700_000_000,
    message: 'hello',
    title: 'Title',
    url: 'https://example.org/?a=b',
    url_title: 'Link',
    priority: -1,
    sound: 'magic',
    html: 1,
  });
});

test('up to fifty users get one message, each of their devices a copy', async () => {
  const first = await ready();
  const second = await ready();
  const phone = await newDevice(second);

  const user = `${first.user},${second.user},${first.user}`;
  const { status } = await post(peal(), 'messages.json', { ...first.fields, user });
  const devices = [first.device, second.device, phone];
  for (const device of devices) await device.sync();

  assert.equal(status, 200);
  assert.deepEqual(
    devices.map((device) => device.texts()),
    [['hello'], ['hello'], ['hello']],
  );
});

test('device names choose, and fall back to all active devices', async () => {
  const account = await newAccount(peal());
  const phone = await newDevice(account, { name: 'phone' });
  const tablet = await newDevice(account, { name: 'tablet' });
  const off = await newDevice(account, { name: 'off' });
  await account.api.updateDevice(off.id, { enabled: false });
  const send = (device: string, message: string) =>
    post(peal(), 'messages.json', { token: account.token, user: account.user, device, message });

  await send('phone', 'one');
  await send('phone,tablet', 'two');
  await send('nothing', 'unknown');
  await send('off', 'disabled');
  await send('', 'empty');
  for (const device of [phone, tablet, off]) await device.sync();

  assert.deepEqual(phone.texts(), ['one', 'two', 'unknown', 'disabled', 'empty']);
  assert.deepEqual(tablet.texts(), ['two', 'unknown', 'disabled', 'empty']);
  assert.deepEqual(off.texts(), []);
});

test('fields that other priorities need are ignored', async () => {
  const { fields } = await ready();

  const { status } = await post(peal(), 'messages.json', {
    ...fields,
    priority: '1',
    retry: '30',
    expire: '3600',
    tags: 'a,b',
    something: 'else',
    html: 'false',
    monospace: '1',
    sound: '',
  });

  assert.equal(status, 200);
});

/** What is wrong, the parameter at fault with its reason, and the sentences. */
type Refused = [
  what: string,
  change: Record<string, string>,
  fault: Record<string, string>,
  errors: string[],
];

const REFUSED: Refused[] = [
  ['no token', { token: '' }, { token: 'invalid' }, [TOKEN_ERROR]],
  ['a malformed token', { token: 'abc' }, { token: 'invalid' }, [TOKEN_ERROR]],
  ['an unknown token', { token: `a${'x'.repeat(29)}` }, { token: 'invalid' }, [TOKEN_ERROR]],
  ['no user', { user: '' }, { user: 'invalid' }, [USER_ERROR]],
  ['a malformed user', { user: 'u!' }, { user: 'invalid' }, [USER_ERROR]],
  ['an unknown user', { user: `u${'x'.repeat(29)}` }, { user: 'invalid' }, [USER_ERROR]],
  ['no message', { message: '' }, { message: 'cannot be blank' }, ['message cannot be blank']],
  ['a blank message', { message: ' \n ' }, { message: 'cannot be blank' }, ['message cannot be blank']],
  [
    'html and monospace',
    { html: '1', monospace: '1' },
    { html: 'cannot be set with monospace', monospace: 'cannot be set with html' },
    ['html and monospace are mutually exclusive'],
  ],
  [
    'an unknown priority',
    { priority: '3' },
    { priority: 'is invalid, can only be -2, -1, 0, 1, or 2' },
    ['priority is invalid'],
  ],
  [
    'emergency without retry and expire',
    { priority: '2' },
    { expire: 'must be supplied with priority=2', retry: 'must be supplied with priority=2' },
    ['expire must be supplied with priority=2', 'retry must be supplied with priority=2'],
  ],
  [
    'an emergency that repeats too often, for too long',
    { priority: '2', retry: '29', expire: '10801' },
    { expire: 'must be at most 10800 seconds', retry: 'must be at least 30 seconds' },
    ['expire must be at most 10800 seconds', 'retry must be at least 30 seconds'],
  ],
  [
    'an emergency whose times are no times',
    { priority: '2', retry: 'often', expire: '0' },
    { expire: 'must be a positive number of seconds', retry: 'must be a positive number of seconds' },
    ['expire must be a positive number of seconds', 'retry must be a positive number of seconds'],
  ],
  [
    'an emergency with a callback into a private network',
    { priority: '2', retry: '30', expire: '300', callback: 'http://10.0.0.1/' },
    { callback: 'must be a public http or https URL' },
    ['callback must be a public http or https URL'],
  ],
  [
    'an emergency with too many tags',
    { priority: '2', retry: '30', expire: '300', tags: 'a,b,c,d,e,f,g,h,i,j,k' },
    { tags: 'cannot be more than 10' },
    ['tags cannot be more than 10'],
  ],
  [
    'an emergency with too long a tag',
    { priority: '2', retry: '30', expire: '300', tags: 'x'.repeat(101) },
    { tags: 'are too long (maximum is 100 characters each)' },
    ['tags are too long (maximum is 100 characters each)'],
  ],
];

for (const [name, limit] of [
  ['message', 1024],
  ['title', 250],
  ['url', 512],
  ['url_title', 100],
] as const) {
  const reason = `is too long (maximum is ${limit} characters)`;
  REFUSED.push([
    `a ${name} over its limit`,
    { [name]: '😀'.repeat(limit + 1) },
    { [name]: reason },
    [`${name} ${reason}`],
  ]);
}

for (const [what, change, fault, errors] of REFUSED) {
  test(`refuses ${what}, stores nothing and sends nothing`, async () => {
    const { device, fields } = await ready();
    peal().cloud.meter.reset();

    const { status, headers, body } = await post(peal(), 'messages.json', { ...fields, ...change });
    await device.sync();

    const { request: id, ...rest } = body;
    assert.equal(status, 400);
    assert.equal(headers.get('x-request-id'), id);
    assert.equal(headers.get('cache-control'), 'no-cache');
    assert.equal(headers.get('x-limit-app-limit'), null);
    assert.deepEqual(rest, { ...fault, errors, status: 0 });
    assert.deepEqual(device.texts(), []);
    const [, counts] = Object.entries(peal().cloud.meter.read()).find(([name]) => name.includes('Send'))!;
    assert.equal(counts['dynamodb.wru'] ?? 0, 0);
    assert.equal(counts['sqs.requests'] ?? 0, 0);
  });
}

test('limits count characters, a four-byte one as one', async () => {
  const { device, fields } = await ready();
  const message = '😀'.repeat(1024);

  const { status } = await post(peal(), 'messages.json', { ...fields, message, title: '😀'.repeat(250) });
  await device.sync();

  assert.equal(status, 200);
  assert.deepEqual(device.texts(), [message]);
});

test('refuses a recipient without an active device', async () => {
  const { user, token } = await newAccount(peal());

  const { status, body } = await post(peal(), 'messages.json', { token, user, message: 'hello' });

  assert.equal(status, 400);
  assert.deepEqual(body.errors, ['user has no active devices']);
});

test('refuses one unknown user among several, for all of them', async () => {
  const { device, fields } = await ready();

  const user = `${fields.user},u${'x'.repeat(29)}`;
  const { status, body } = await post(peal(), 'messages.json', { ...fields, user });
  await device.sync();

  assert.equal(status, 400);
  assert.deepEqual(body.errors, [USER_ERROR]);
  assert.deepEqual(device.texts(), []);
});

test('refuses broken bodies with the field named', async () => {
  const { fields } = await ready();
  const json = (body: string) =>
    request(peal(), 'messages.json', {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'application/json' },
    });

  const answers = [
    await json('{"token":'),
    await json('[1,2]'),
    await json(`{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`),
    await json(JSON.stringify({ ...fields, message: { text: 'hello' } })),
    await request(peal(), 'messages.json', {
      method: 'POST',
      body: 'x',
      headers: { 'Content-Type': 'multipart/form-data' },
    }),
    await request(peal(), 'messages.json', {
      method: 'POST',
      body: Buffer.from(`token=${fields.token}&user=${fields.user}&message=%ff%fe`),
    }),
  ];

  for (const { status, body } of answers) {
    assert.equal(status, 400);
    assert.equal(body.status, 0);
    assert.equal((body.errors as string[]).length, 1);
  }
});

test('refuses a body over the limit with 413', async () => {
  const { fields } = await ready();
  const big = 'x'.repeat(4 * 1024 * 1024);

  const { status } = await post(peal(), 'messages.json', { ...fields, title: big, url: big });

  assert.equal(status, 413);
});

test('a message that cannot be stored is answered 5xx and leaves nothing behind', async () => {
  const account = await newAccount(peal());
  const [first, second] = [await newDevice(account), await newDevice(account)];
  const stop = peal().cloud.front.intercept((call) =>
    call.action === 'PutItem' && JSON.stringify(call.input).includes(second.id)
      ? { status: 500, body: { __type: 'com.amazonaws.dynamodb.v20120810#InternalServerError' } }
      : undefined,
  );

  const fields = { token: account.token, user: account.user, message: 'never' };
  const { status, body } = await post(peal(), 'messages.json', fields);
  stop();
  await Promise.all([first.sync(), second.sync()]);

  assert.equal(status, 500);
  assert.equal(body.status, 0);
  assert.deepEqual([first.texts(), second.texts()], [[], []]);
});
