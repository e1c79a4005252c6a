import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { newDevice, type TestDevice } from '../support/devices.ts';
import { newAccount, usePeal } from '../support/peal.ts';
import { exchange } from '../support/raw-http.ts';

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';
const STRANGER = 'x'.repeat(30);

const peal = usePeal();

type Json = Record<string, unknown>;

interface Answer {
  status: number;
  body: Json;
}

/** Makes a request with the bytes as they are; a target may have a query, also on POST. */
async function ask(method: string, target: string, body: string | Buffer = '', type = FORM): Promise<Answer> {
  const bytes = Buffer.from(body as string);
  const head = `${method} /1/${target} HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: ${bytes.length}\r\n\r\n`;
  const answer = await exchange(peal(), Buffer.concat([Buffer.from(head), bytes]));
  return { status: answer.status, body: JSON.parse(answer.body.toString()) };
}

/** A form of texts, of which one may be raw bytes already escaped. */
function form(fields: Record<string, string>, raw = ''): string {
  return [new URLSearchParams(fields).toString(), raw].filter((part) => part !== '').join('&');
}

/** Functions behind the queues are still busy with the messages before. */
const BEHIND_QUEUES = /Worker|Push/;

/** What the functions that answer requests have written and queued. */
function work(): { written: number; queued: number } {
  const counts = Object.entries(peal().cloud.meter.read()).filter(([name]) => !BEHIND_QUEUES.test(name));
  const sum = (item: string) => counts.reduce((total, [, count]) => total + (count[item] ?? 0), 0);
  return { written: sum('dynamodb.wru'), queued: sum('sqs.requests') };
}

/** A refusal: 400 by a parameter's name, and nothing was written or queued for it. */
async function assertRefused(request: () => Promise<Answer>, field: string, why = ''): Promise<void> {
  peal().cloud.meter.reset();

  const { status, body } = await request();

  assert.equal(status, 400, `${why} ${JSON.stringify(body)}`);
  assert.equal(body.status, 0, why);
  assert.equal(typeof body[field], 'string', `${why} ${JSON.stringify(body)}`);
  const errors = Array.isArray(body.errors) ? body.errors : Object.values(body.errors as Json).flat();
  assert.ok(errors.length > 0 && errors.every((sentence) => sentence !== ''), why);
  const { written, queued } = work();
  assert.deepEqual([written, queued], [0, 0], why);
}

/** A request to an endpoint, and which of its parameters are checked. */
interface Endpoint {
  method: 'GET' | 'POST';
  target: string;
  fields: Record<string, string>;
  checked: string[];
}

describe('bad input', () => {
  let token: string;
  let user: string;
  let secret: string;
  let phone: TestDevice;
  let group: string;
  let receipt: string;
  let sent: string;

  before(async () => {
    const account = await newAccount(peal());
    ({ token, user, secret } = account);
    phone = await newDevice(account, { name: 'phone', platform: 'open' });
    group = String((await ask('POST', 'groups.json', form({ token, name: 'Group' }))).body.group);
    const emergency = { token, user, message: 'help', priority: '2', retry: '60', expire: '600' };
    receipt = String((await ask('POST', 'messages.json', form(emergency))).body.receipt);
    const { messages } = (await ask('GET', `history.json?${form({ secret })}`)).body;
    sent = (messages as { id: string }[])[0]!.id;
  });

  /** Every endpoint with the fields of a request that it takes. */
  const endpoints = (): Endpoint[] => {
    const emergency = { priority: '2', retry: '60', expire: '600' };
    const message = ['token', 'user', 'message', 'title', 'url', 'url_title', 'device', 'priority', 'sound'];
    const more = ['timestamp', 'ttl', 'html', 'monospace', 'encrypted', 'idempotency_key'];
    const image = ['attachment', 'attachment_base64', 'attachment_type'];
    const member = ['token', 'user', 'device'];
    const changes = ['add_user', 'remove_user', 'delete_user', 'disable_user', 'enable_user'];
    const device = { secret, device_id: phone.id };
    return [
      {
        method: 'POST',
        target: 'messages.json',
        fields: { token, user, message: 'no' },
        checked: [...message, ...more, ...image],
      },
      {
        method: 'POST',
        target: 'messages.json',
        fields: { token, user, message: 'no', ...emergency },
        checked: ['retry', 'expire', 'callback', 'tags'],
      },
      {
        method: 'POST',
        target: 'users/validate.json',
        fields: { token, user },
        checked: ['token', 'user', 'device'],
      },
      { method: 'GET', target: 'sounds.json', fields: { token }, checked: ['token'] },
      { method: 'GET', target: 'apps/limits.json', fields: { token }, checked: ['token'] },
      { method: 'POST', target: 'groups.json', fields: { token, name: 'x' }, checked: ['token', 'name'] },
      { method: 'GET', target: 'groups.json', fields: { token }, checked: ['token'] },
      {
        method: 'GET',
        target: `groups/${group}.json`,
        fields: { token },
        checked: ['token', 'after', 'limit'],
      },
      {
        method: 'POST',
        target: `groups/${group}/rename.json`,
        fields: { token, name: 'x' },
        checked: ['token', 'name'],
      },
      { method: 'POST', target: `groups/${group}/delete.json`, fields: { token }, checked: ['token'] },
      ...changes.map((change): Endpoint => {
        return {
          method: 'POST',
          target: `groups/${group}/${change}.json`,
          fields: { token, user },
          checked: change === 'add_user' ? [...member, 'memo'] : member,
        };
      }),
      { method: 'GET', target: `receipts/${receipt}.json`, fields: { token }, checked: ['token'] },
      { method: 'POST', target: `receipts/${receipt}/cancel.json`, fields: { token }, checked: ['token'] },
      { method: 'POST', target: 'receipts/cancel_by_tag/x.json', fields: { token }, checked: ['token'] },
      {
        method: 'POST',
        target: `receipts/${receipt}/acknowledge.json`,
        fields: { secret },
        checked: ['secret'],
      },
      { method: 'GET', target: 'messages.json', fields: device, checked: ['secret', 'device_id', 'after'] },
      {
        method: 'POST',
        target: `devices/${phone.id}/update_highest_message.json`,
        fields: { secret, message: '1' },
        checked: ['secret', 'message'],
      },
      {
        method: 'POST',
        target: `devices/${phone.id}/acknowledge.json`,
        fields: { secret, messages: '1' },
        checked: ['secret', 'messages'],
      },
      { method: 'POST', target: 'attachments.json', fields: { token }, checked: ['token'] },
      ...(['GET messages/1/attachment', 'POST messages/1/attachment/downloaded'] as const).map(
        (endpoint): Endpoint => {
          const [method, target] = endpoint.split(' ') as ['GET' | 'POST', string];
          return { method, target: `${target}.json`, fields: device, checked: ['secret', 'device_id'] };
        },
      ),
      { method: 'GET', target: `receipts/${receipt}/state.json`, fields: { secret }, checked: ['secret'] },
      { method: 'POST', target: `devices/${phone.id}/test.json`, fields: { secret }, checked: ['secret'] },
      { method: 'GET', target: 'sessions.json', fields: { secret }, checked: ['secret'] },
      { method: 'POST', target: 'sessions/x/revoke.json', fields: { secret }, checked: ['secret'] },
      { method: 'POST', target: 'apps.json', fields: { secret, name: 'x' }, checked: ['secret', 'name'] },
      { method: 'GET', target: 'account/sounds.json', fields: { secret }, checked: ['secret'] },
      { method: 'GET', target: 'history.json', fields: { secret }, checked: ['secret', 'after', 'app'] },
      { method: 'GET', target: `history/${sent}.json`, fields: { secret }, checked: ['secret', 'after'] },
      { method: 'GET', target: 'usage.json', fields: { secret }, checked: ['secret'] },
    ];
  };

  /** Runs a check for every parameter of every endpoint. */
  async function forEachField(
    check: (endpoint: Endpoint, name: string, others: Record<string, string>) => Promise<void>,
  ): Promise<void> {
    for (const endpoint of endpoints()) {
      for (const name of endpoint.checked) {
        const { [name]: _, ...others } = endpoint.fields;
        await check(endpoint, name, others);
      }
    }
  }

  // Every endpoint reads its parameters by the same code: each kind of wrong bytes is sent to one of them, and one to all.
  for (const [what, bytes, where] of [
    ['bytes that are no UTF-8', '%ff%fe', 'any parameter'],
    ['an overlong form of UTF-8', '%c0%af', 'a message’s parameters'],
    ['half of a surrogate pair as UTF-8', '%ed%a0%80', 'a message’s parameters'],
    ['a character cut in two', '%e2%82', 'a message’s parameters'],
    ['a code point beyond the last', '%f4%90%80%80', 'a message’s parameters'],
    ['NUL', 'a%00b', 'any parameter'],
  ] as const) {
    test(`${what} in ${where} is refused by its name, in the body and in the query`, async () => {
      await forEachField(async ({ method, target }, name, others) => {
        if (where !== 'any parameter' && target !== 'messages.json') return;
        const raw = form(others, `${name}=${bytes}`);
        const why = `${method} ${target} ${name}`;

        await assertRefused(() => ask(method, target, raw), name, `${why} in the body`);
        // Once, as the query is read by the same code everywhere.
        if (target !== 'messages.json') return;
        await assertRefused(() => ask(method, `${target}?${raw}`), name, `${why} in the query`);
      });
    });
  }

  for (const [what, value, where] of [
    ['an object', { a: 1 }, 'any parameter'],
    ['a list of lists', [['a']], 'a message’s parameters'],
    ['a list of objects', [{}], 'a message’s parameters'],
  ] as const) {
    test(`${what} of JSON in ${where} is refused by its name`, async () => {
      await forEachField(async ({ method, target }, name, others) => {
        if (where !== 'any parameter' && target !== 'messages.json') return;
        const json = JSON.stringify({ ...others, [name]: value });

        await assertRefused(() => ask(method, target, json, JSON_TYPE), name, `${method} ${target} ${name}`);
      });
    });
  }

  test('a credential that is missing, empty, a stranger or no key at all is refused by its name', async () => {
    await forEachField(async ({ method, target }, name, others) => {
      if (name !== 'token' && name !== 'secret') return;
      // What is no key at all is told by the same code everywhere: a message has both kinds of credential.
      const noKeys = ['', ' ', '🔑'.repeat(15), 'x'.repeat(9000)];
      const strangers = [undefined, STRANGER, STRANGER.repeat(2)];
      for (const given of target === 'messages.json' ? [...strangers, ...noKeys] : strangers) {
        const body = form(given === undefined ? others : { ...others, [name]: given });

        await assertRefused(
          () => ask(method, target, body),
          name,
          `${method} ${target} ${given?.slice(0, 40)}`,
        );
      }
    });
  });

  /** A message with some fields. */
  const send = (fields: Record<string, string>) =>
    ask('POST', 'messages.json', form({ token, user, message: 'x', ...fields }));

  const emergency = { priority: '2', retry: '60', expire: '600' };
  const tags = (count: number, length = 2) =>
    Array.from({ length: count }, (_, at) => `${at}`.padEnd(length, 'é')).join(',');
  const callback = (length: number) => `https://example.org/${'c'.repeat(length - 20)}`;

  /** Both sides of each limit: what goes with the parameter, values inside, values outside. */
  const LIMITS: [name: string, others: Record<string, string>, inside: string[], outside: string[]][] = [
    ['message', {}, ['x', '😀'.repeat(1024)], ['', ' \t\r\n\u3000', 'x'.repeat(1025)]],
    ['title', {}, ['', ' ', 'ü'.repeat(250)], ['ü'.repeat(251)]],
    ['url', {}, ['x:', 'javascript:alert(1)', '😀'.repeat(512)], ['x'.repeat(513)]],
    ['url_title', {}, ['\u202eevil', 'x'.repeat(100)], ['x'.repeat(101)]],
    ['device', {}, ['', ',', '../../etc/passwd', 'x'.repeat(2048)], ['x'.repeat(2049)]],
    [
      'priority',
      {},
      ['', '-2', '-1', '0', '1'],
      ['-3', '3', '1.0', '01', '+1', ' 1', 'high', '9'.repeat(30)],
    ],
    ['sound', {}, ['', 'x'.repeat(40)], ['x'.repeat(41), '../magic', 'a b', 'ü']],
    [
      'timestamp',
      {},
      ['0', '1.9', '253402300799'],
      ['-1', '253402300800', '1e9', '0x1', '١', 'now', '9'.repeat(99)],
    ],
    ['ttl', {}, ['1', '31536000'], ['0', '0.9', '-1', '31536001', 'forever']],
    ['html', {}, ['1', '0', 'maybe'], []],
    ['monospace', { html: '1' }, ['0', 'maybe'], ['1', 'true']],
    ['retry', { ...emergency }, ['30', '30.5', '86400'], ['', '29', '-60', 'often', '9'.repeat(16)]],
    ['expire', { ...emergency }, ['1', '10800'], ['', '0', '10801', '-1', 'never']],
    ['tags', { ...emergency }, ['', ',,', tags(10), tags(1, 100)], [tags(11), tags(1, 101)]],
    [
      'callback',
      { ...emergency },
      ['', callback(512)],
      [callback(513), 'ftp://example.org/', 'https://', '//x', 'http://127.0.0.1/'],
    ],
    ['retry', {}, ['29', 'often'], []],
    ['expire', {}, ['10801', 'never'], []],
    ['callback', {}, ['http://127.0.0.1/'], []],
    ['idempotency_key', {}, ['', 'k'.repeat(64)], ['k'.repeat(65), 'ü', 'a\tb']],
  ];
  for (const [name, others, inside, outside] of LIMITS) {
    const among = Object.keys(others).length > 0 ? ` with ${Object.keys(others).join(', ')}` : '';
    test(`${name}${among} is taken inside its limits and refused outside of them`, async () => {
      for (const value of inside) {
        const { status, body } = await send({ ...others, [name]: value });
        assert.equal(status, 200, `${value.slice(0, 60)} ${JSON.stringify(body)}`);
      }
      for (const value of outside) {
        await assertRefused(() => send({ ...others, [name]: value }), name, value.slice(0, 60));
      }
    });
  }

  test('user: fifty keys are taken, more and malformed ones are refused', async () => {
    const many = (count: number) => Array.from({ length: count }, () => STRANGER.slice(0, 28));
    const strangers = many(50).map((key, at) => `${key}${String(at).padStart(2, '0')}`);

    for (const [value, why] of [
      [[...strangers, STRANGER].join(','), 'fifty-one'],
      [strangers.join(','), 'fifty strangers'],
      [`${user},`, 'an empty one'],
      [`${user};${user}`, 'another separator'],
      ['u'.repeat(30_000), 'a very long one'],
      [user.toUpperCase() === user ? user.toLowerCase() : user.toUpperCase(), 'another case'],
    ] as const) {
      await assertRefused(() => send({ user: value }), 'user', why);
    }
    assert.equal((await send({ user: Array(50).fill(user).join(',') })).status, 200);
  });

  test('names and memos of groups are taken inside their limits and refused outside of them', async () => {
    const add = (fields: Record<string, string>) =>
      ask('POST', `groups/${group}/add_user.json`, form({ token, user, ...fields }));
    const create = (name: string) => ask('POST', 'groups.json', form({ token, name }));
    const member = { token, user, device: 'phone' };

    for (const device of ['x'.repeat(26), 'a b', '../phone', 'phone,phone', 'ü']) {
      await assertRefused(() => add({ device }), 'device', device);
    }
    await assertRefused(() => add({ memo: 'x'.repeat(201) }), 'memo');
    await assertRefused(() => add({ user: group }), 'user');
    await assertRefused(() => add({ user: STRANGER }), 'user');
    for (const name of ['', ' \n', 'x'.repeat(5000)]) await assertRefused(() => create(name), 'name', name);
    const rename = (name: string) => ask('POST', `groups/${group}/rename.json`, form({ token, name }));
    for (const name of ['', ' \n', 'x'.repeat(5000)]) await assertRefused(() => rename(name), 'name', name);
    for (const after of ['x', `${STRANGER}`, `${STRANGER}#`.repeat(2), `${STRANGER}#../`]) {
      const target = `groups/${group}.json?${form({ token, after })}`;
      await assertRefused(() => ask('GET', target), 'after', after);
    }
    assert.equal((await add({ device: 'phone', memo: '😀'.repeat(200) })).status, 200);
    assert.equal((await ask('POST', `groups/${group}/remove_user.json`, form(member))).status, 200);
  });

  test('of a repeated parameter the last counts, and one that is empty is as good as none', async () => {
    const newest = await newestId();
    const multipart = ['one', 'two', 'multipart'].map((text) => part('message', text)).join('');

    const answers = [
      await ask('POST', 'messages.json', form({ token, user }, 'message=one&message=&message=form')),
      await ask(
        'POST',
        'messages.json',
        `{"token":"${token}","user":"${user}","message":1,"message":"json"}`,
        JSON_TYPE,
      ),
      await ask(
        'POST',
        'messages.json',
        `${part('token', token)}${part('user', user)}${multipart}--b--\r\n`,
        'multipart/form-data; boundary=b',
      ),
      await ask(
        'POST',
        `messages.json?${form({ token, user, message: 'query', title: 'q' })}`,
        'message=body&title=',
      ),
    ];

    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 200],
    );
    const arrived = await waiting(newest);
    assert.deepEqual(
      arrived.map(({ message }) => message),
      ['form', 'json', 'multipart', 'body'],
    );
    assert.ok(arrived.every((message) => !('title' in message)));
    await assertRefused(
      () => ask('POST', 'messages.json', form({ token, user }, 'message=one&message=')),
      'message',
    );
  });

  test('parameters that nobody knows are ignored, whatever their names', async () => {
    const newest = await newestId();
    const names = [
      '__proto__',
      'constructor',
      'toString',
      'errors',
      'status',
      'request',
      'a[b]',
      'ünïcode',
      '../x',
    ];
    const strange = Object.fromEntries(names.map((name) => [name, 'x']));
    const json = `{"token":"${token}","user":"${user}","message":"json","__proto__":{"title":"t"},"constructor":{"prototype":1}}`;

    const answers = [
      await ask(
        'POST',
        'messages.json',
        `${form({ ...strange, token, user, message: 'form' })}&__proto__=x&=y&&z`,
      ),
      await ask('POST', 'messages.json', json, JSON_TYPE),
    ];

    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200],
    );
    const arrived = await waiting(newest);
    assert.deepEqual(
      arrived.map(({ message, title }) => [message, title]),
      [
        ['form', undefined],
        ['json', undefined],
      ],
    );
  });

  test('control characters and overrides of direction arrive as they were sent', async () => {
    const controls = Array.from({ length: 0x9f }, (_, at) => String.fromCodePoint(at + 1)).join('');
    const message = `${controls}\u202e\u2066\u2028\ufeff\ufffe😀`;
    const newest = await newestId();

    const { status } = await send({ message, title: '\u202egnp.exe' });

    assert.equal(status, 200);
    const [stored] = await waiting(newest);
    assert.deepEqual([stored?.message, stored?.title], [message, '\u202egnp.exe']);
  });

  test('half of a surrogate pair in JSON becomes a replacement character', async () => {
    const newest = await newestId();

    const json = `{"token":"${token}","user":"${user}","message":"cut \\ud83d","title":"\\udc00\\ud800"}`;
    const { status } = await ask('POST', 'messages.json', json, JSON_TYPE);

    assert.equal(status, 200);
    const [stored] = await waiting(newest);
    assert.deepEqual([stored?.message, stored?.title], ['cut \ufffd', '\ufffd\ufffd']);
  });

  test('a file where text belongs is refused by its name', async () => {
    for (const name of [
      'message',
      'title',
      'url',
      'url_title',
      'device',
      'priority',
      'sound',
      'timestamp',
      'ttl',
    ]) {
      const fields: Record<string, string> = { token, user, message: 'x' };
      const parts = Object.entries(fields).map(([key, value]) => (key === name ? '' : part(key, value)));
      const file = `--b\r\nContent-Disposition: form-data; name="${name}"; filename="../../x"\r\n\r\n1\r\n`;
      const body = `${parts.join('')}${file}--b--\r\n`;

      await assertRefused(
        () => ask('POST', 'messages.json', body, 'multipart/form-data; boundary=b'),
        name,
        name,
      );
    }
  });

  test('tags of a path may have anything in them', async () => {
    const all = ['a#b', '100%', 'c/d', '..', 'ü 😀', '\\', '"&=+'];
    const { body } = await send({ ...emergency, tags: all.slice(0, 3).join(',') });
    assert.equal(body.status, 1);
    const cancel = (tag: string) =>
      ask('POST', `receipts/cancel_by_tag/${encodeURIComponent(tag)}.json?token=${token}`);

    for (const tag of all.slice(0, 3)) {
      await send({ ...emergency, tags: tag });
      assert.ok(Number((await cancel(tag)).body.canceled) >= 1, tag);
    }
    for (const tag of [...all.slice(4), 'x'.repeat(3000), '\0', '\u202e']) {
      assert.deepEqual((await cancel(tag)).body.canceled, 0, tag);
    }
  });

  for (const [what, segment] of [
    ['a parent folder', '%2e%2e'],
    ['a way out', '..%2f..%2fmessages'],
    ['a slash', 'a%2fb'],
    ['a backslash', '..%5c..%5cusers'],
    ['NUL', '%00'],
    ['no UTF-8', '%ff'],
    ['a number sign', '%23'],
    ['a very long name', 'x'.repeat(5000)],
    ['a name of an object', '__proto__'],
    ['a wildcard', '*'],
  ] as const) {
    test(`${what} in a path is nobody's id`, async () => {
      const credentials = form({ token, secret, name: 'x', user, message: '1' });
      for (const [method, target] of [
        ['GET', `receipts/${segment}.json?${credentials}`],
        ['POST', `receipts/${segment}/cancel.json`],
        ['POST', `receipts/${segment}/acknowledge.json`],
        ['GET', `groups/${segment}.json?${credentials}`],
        ['POST', `groups/${segment}/rename.json`],
        ['POST', `groups/${segment}/add_user.json`],
        ['POST', `groups/${segment}/delete.json`],
        ['GET', `receipts/${segment}/state.json?${credentials}`],
        ['POST', `devices/${segment}/test.json`],
        ['POST', `devices/${segment}/update_highest_message.json`],
        ['POST', `devices/${segment}/acknowledge.json`],
        ['POST', `devices/${segment}/delete.json`],
        ['POST', `apps/${segment}/rotate.json`],
      ] as const) {
        peal().cloud.meter.reset();

        const { status, body } = await ask(method, target, method === 'POST' ? credentials : '');

        assert.ok(status === 400 || status === 404, `${target} ${status}`);
        // Where no route fits, API Gateway says so in its own words.
        if (!('message' in body)) assert.equal(body.status, 0, target);
        const { written, queued } = work();
        assert.deepEqual([written, queued], [0, 0], target);
      }
    });
  }

  test('what another account owns is as unknown as what does not exist', async () => {
    const other = await newAccount(peal());
    const theirs = await newDevice(other, { name: 'theirs', platform: 'open' });
    const theirGroup = String(
      (await ask('POST', 'groups.json', form({ token: other.token, name: 'G' }))).body.group,
    );
    const sent = form({
      token: other.token,
      user: other.user,
      message: 'theirs',
      ...emergency,
      tags: 'theirs',
    });
    const theirReceipt = String((await ask('POST', 'messages.json', sent)).body.receipt);
    const { body: made } = await ask('POST', 'apps.json', form({ secret: other.secret, name: 'A' }));
    const mine = form({
      token,
      user,
      secret,
      name: 'mine',
      message: '99999',
      messages: '99999',
      device: 'theirs',
    });
    const anyDevice = 'x'.repeat(40);

    const pairs: [method: string, target: (id: string) => string, theirs: string, nobodys: string][] = [
      ['GET', (id) => `messages.json?${form({ secret, device_id: id })}`, theirs.id, anyDevice],
      ['POST', (id) => `devices/${id}/update_highest_message.json`, theirs.id, anyDevice],
      ['POST', (id) => `devices/${id}/acknowledge.json`, theirs.id, anyDevice],
      ['POST', (id) => `devices/${id}/delete.json`, theirs.id, anyDevice],
      ['POST', (id) => `devices/${id}.json`, theirs.id, anyDevice],
      ['POST', (id) => `devices/${id}/test.json`, theirs.id, anyDevice],
      ['GET', (id) => `receipts/${id}.json?${form({ token })}`, theirReceipt, STRANGER],
      ['GET', (id) => `receipts/${id}/state.json?${form({ secret })}`, theirReceipt, STRANGER],
      ['POST', (id) => `receipts/${id}/cancel.json`, theirReceipt, STRANGER],
      ['POST', (id) => `receipts/${id}/acknowledge.json`, theirReceipt, STRANGER],
      ['POST', (id) => `receipts/cancel_by_tag/${id}.json`, 'theirs', 'nobodys'],
      ['GET', (id) => `groups/${id}.json?${form({ token })}`, theirGroup, `g${STRANGER.slice(1)}`],
      ...['rename', 'add_user', 'remove_user', 'delete_user', 'disable_user', 'enable_user', 'delete'].map(
        (change): [string, (id: string) => string, string, string] => {
          return ['POST', (id) => `groups/${id}/${change}.json`, theirGroup, `g${STRANGER.slice(1)}`];
        },
      ),
      ['POST', (id) => `apps/${id}/rotate.json`, String(made.id), '4000000000'],
      ['POST', (id) => `apps/${id}/delete.json`, String(made.id), '4000000000'],
    ];
    for (const [method, target, foreign, unknown] of pairs) {
      const body = method === 'POST' ? mine : '';
      peal().cloud.meter.reset();
      const answers = [await ask(method, target(foreign), body), await ask(method, target(unknown), body)];
      const { written, queued } = work();

      const [first, second] = answers.map(({ status, body: { request: _, ...rest } }) => ({ status, rest }));
      assert.deepEqual(first, second, target('…'));
      assert.deepEqual([written, queued], [0, 0], target('…'));
    }
    // A device of theirs is none of this user's; and nothing of theirs was touched.
    await assertRefused(
      () => ask('POST', 'users/validate.json', form({ token, user, device: 'theirs' })),
      'device',
    );
    const sync = await ask('GET', `messages.json?${form({ secret: other.secret, device_id: theirs.id })}`);
    assert.deepEqual(
      (sync.body.messages as Json[]).map(({ message }) => message),
      ['theirs'],
    );
    const { body: state } = await ask('GET', `receipts/${theirReceipt}.json?${form({ token: other.token })}`);
    assert.deepEqual([state.acknowledged, state.expired], [0, 0]);
  });

  test("another device's message ids delete nothing", async () => {
    const other = await newAccount(peal());
    const theirs = await newDevice(other, { platform: 'open' });
    await ask('POST', 'messages.json', form({ token: other.token, user: other.user, message: 'kept' }));
    const sync = () => ask('GET', `messages.json?${form({ secret: other.secret, device_id: theirs.id })}`);
    const [message] = (await sync()).body.messages as Json[];

    const fields = form({ secret, message: String(message!.id) });
    const upTo = await ask('POST', `devices/${phone.id}/update_highest_message.json`, fields);
    const named = form({ secret, messages: String(message!.id) });
    const byId = await ask('POST', `devices/${phone.id}/acknowledge.json`, named);

    assert.deepEqual([upTo.status, byId.status], [200, 200]);
    assert.equal(((await sync()).body.messages as Json[]).length, 1);
  });

  /** What waits for the phone behind an id. */
  async function waiting(newest: number): Promise<Json[]> {
    const all: Json[] = [];
    for (;;) {
      const after = String(all.at(-1)?.id ?? newest);
      const { body } = await ask('GET', `messages.json?${form({ secret, device_id: phone.id, after })}`);
      const messages = body.messages as Json[];
      if (messages.length === 0) return all;
      all.push(...messages);
    }
  }

  /** The id of the last message that waits for the phone. */
  async function newestId(): Promise<number> {
    return Number((await waiting(0)).at(-1)?.id ?? 0);
  }
});

/** A part of a multipart body. */
function part(name: string, value: string): string {
  return `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
}
