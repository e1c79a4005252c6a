import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeleteCommand, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { randomKey } from '../../lib/accounts/keys.ts';
import { type Entry, entryKey, itemOf } from '../../lib/history/entry.ts';
import { firstIdAt } from '../../lib/mailbox/message-id.ts';
import { acknowledgedKey, markKey, TRACE_SECONDS } from '../../lib/mailbox/traces.ts';
import { failure, type Interceptor, leaveUnprocessed } from '../../local/aws/intercept.ts';
import type { Cleanup } from '../local/assemblies.ts';
import { crowd, seedDeviceLists } from '../support/crowd.ts';
import { apnsTarget, type DeviceKind, fcmTarget, newDevice } from '../support/devices.ts';
import { fill, tableOf } from '../support/directory.ts';
import { get, newAccount, post, usePeal } from '../support/peal.ts';
import { SocketClient } from '../support/socket-client.ts';

const peal = usePeal({ expectedErrors: /InternalServerError|request failed/ });

const DAY = 24 * 3600;

/** A device that no carrier reaches, so that nothing is queued for it. */
const QUIET: DeviceKind = { platform: 'android' };

const now = () => Math.floor(Date.now() / 1000);

/** A message as the list has it. */
interface Sent {
  id: string;
  app: { id: string; name: string };
  priority: number;
  received_at: number;
  expires_at: number;
  users: number;
  devices?: number;
  counts?: Record<string, number>;
  receipt?: Record<string, unknown>;
}

/** A device of a message. */
interface SentDevice {
  state: string;
  user?: string;
  device?: string | null;
  delivered?: { carrier: string; at: number }[];
  acknowledged_at?: number;
}

/** An account that sends, to itself unless told otherwise, and looks at what it has sent. */
async function sender() {
  const account = await newAccount(peal());
  const { token, user, secret } = account;
  const send = async (more: Record<string, string> = {}) => {
    const answer = await post(peal(), 'messages.json', { token, user, message: 'a secret word', ...more });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body;
  };
  const list = async (query: Record<string, string> = {}) => {
    const { status, body } = await get(peal(), 'history.json', { secret, ...query });
    assert.equal(status, 200, JSON.stringify(body));
    return body as unknown as { messages: Sent[]; after?: string };
  };
  const view = async (id: string, query: Record<string, string> = {}) => {
    const { status, body } = await get(peal(), `history/${id}.json`, { secret, ...query });
    assert.equal(status, 200, JSON.stringify(body));
    return body as unknown as { message: Sent; devices: SentDevice[]; after?: string };
  };
  /** Every device of a message, and how many pages they were. */
  const viewAll = async (id: string) => {
    const devices: SentDevice[] = [];
    for (let after: string | undefined, pages = 1; ; pages++) {
      const page = await view(id, after === undefined ? {} : { after });
      devices.push(...page.devices);
      ({ after } = page);
      if (after === undefined) return { devices, pages };
    }
  };
  return { ...account, send, list, view, viewAll };
}

/** The message that an account has sent last, or alone. */
const newest = async ({ list }: Pick<Awaited<ReturnType<typeof sender>>, 'list'>) =>
  (await list()).messages[0] ?? assert.fail('the history is empty');

const intercept = (t: Cleanup, interceptor: Interceptor) => {
  const stop = peal().cloud.front.intercept(interceptor);
  t.after(stop);
  return stop;
};

const isBy = (call: Parameters<Interceptor>[0], who: string, action: string) =>
  call.caller.name.includes(who) && call.action === action;

const isEntry = (call: Parameters<Interceptor>[0]) =>
  isBy(call, 'Send', 'PutItem') && JSON.stringify(call.input).includes('"sent#');

const no = failure(500, 'InternalServerError', 'no');

const drained = (...names: string[]) => Promise.all(names.map((name) => peal().cloud.poller(name).drained()));

const mailbox = () => tableOf(peal(), 'Mailbox');

async function itemAt(Key: Record<string, unknown>): Promise<Record<string, unknown> | undefined> {
  const { client, name } = mailbox();
  return (await client.send(new GetCommand({ TableName: name, Key }))).Item;
}

/** An entry as it would be had it been written at another time. */
const entryAt = (owner: string, time: number, more: Partial<Entry> = {}): Record<string, unknown> =>
  itemOf(
    {
      owner,
      id: firstIdAt(time),
      request: 'r',
      app: { id: 1, name: 'Tests' },
      priority: 0,
      receivedAt: Math.floor(time / 1000),
      expiresAt: Math.floor(time / 1000) + DAY,
      users: 1,
      ...more,
    },
    Math.floor(time / 1000) + TRACE_SECONDS,
  );

test('a message is listed with its app, its times and to how many it went; nothing of its text is kept', async () => {
  const account = await sender();
  const { user, send, list, view } = account;
  const [app] = await account.api.listApps();
  const other = await newAccount(peal());
  await newDevice(account, { name: 'waits', platform: 'open' });
  await newDevice(other, QUIET);
  await send({ title: 'a secret title', url: 'https://secret.example', ttl: '600', priority: '1' });
  await send({ user: `${user},${other.user}` });

  const { messages, after } = await list();
  const [second, first] = messages;
  const item = await itemAt(entryKey(user, Number(first!.id)));
  const { devices } = await view(first!.id);

  assert.equal(after, undefined);
  assert.deepEqual([second!.users, second!.devices, first!.users, first!.devices], [2, 2, 1, 1]);
  assert.deepEqual(first!.app, { id: app!.id, name: 'Tests' });
  assert.deepEqual([first!.priority, second!.priority], [1, 0]);
  assert.equal(first!.expires_at, first!.received_at + 600);
  assert.ok(Math.abs(first!.received_at - now()) < 60);
  assert.deepEqual(first!.counts, { waiting: 1, delivered: 0, acknowledged: 0, expired: 0 });
  assert.deepEqual(devices, [{ state: 'waiting', user, device: 'waits', delivered: [] }]);
  assert.doesNotMatch(JSON.stringify({ ...item, copies: [...(item!.copies as Set<string>)] }), /secret/);
  assert.ok(Math.abs((item!.ttl as number) - now() - TRACE_SECONDS) < 60);
});

test('each carrier that took a message is named, and the device that has stored it', async () => {
  const account = await sender();
  const { user, send, view } = account;
  const { carriers } = peal();
  const phone = await newDevice(account, { name: 'phone', platform: 'android', push: fcmTarget() });
  await newDevice(account, { name: 'slate', platform: 'ios', push: apnsTarget() });
  await newDevice(account, { name: 'browser', platform: 'web', push: carriers.subscribe().target });
  const desk = await newDevice(account, { name: 'desk' });
  using socket = new SocketClient(peal().socket);
  await socket.say(`login:${desk.id}:${desk.secret}\n`);
  await socket.heard(1);

  await send();
  await socket.heard(2);
  await drained('FcmPush', 'ApnsPush', 'WebpushPush', 'DesktopPush');
  const { id, counts } = await newest(account);
  const before = await view(id);
  await phone.sync();
  const after = await view(id);

  const carriersOf = new Map(
    before.devices.map(({ device, delivered }) => [device, delivered!.map(({ carrier }) => carrier)]),
  );
  assert.deepEqual(Object.fromEntries(carriersOf), {
    phone: ['fcm'],
    slate: ['apns'],
    browser: ['webpush'],
    desk: ['desktop'],
  });
  for (const { delivered } of before.devices) assert.ok(Math.abs(delivered![0]!.at - now()) < 60);
  assert.deepEqual(counts, { waiting: 0, delivered: 4, acknowledged: 0, expired: 0 });
  const acknowledged = after.devices.filter(({ state }) => state === 'acknowledged');
  assert.deepEqual(
    acknowledged.map(({ device }) => device),
    ['phone'],
  );
  assert.ok(Math.abs(acknowledged[0]!.acknowledged_at! - now()) < 60);
  assert.deepEqual(
    acknowledged[0]!.delivered,
    before.devices.find(({ device }) => device === 'phone')!.delivered,
  );
  assert.deepEqual(after.message.counts, { waiting: 0, delivered: 3, acknowledged: 1, expired: 0 });
  assert.equal(
    after.devices.every((device) => device.user === user),
    true,
  );
});

test('an acknowledgement of many messages notes each, also where DynamoDB takes only some at a time', async (t) => {
  const account = await sender();
  const device = await newDevice(account, QUIET);
  for (let n = 0; n < 8; n++) await account.send();
  let rounds = 0;
  intercept(t, (call) =>
    isBy(call, 'Sync', 'BatchWriteItem') && rounds++ < 2
      ? leaveUnprocessed(call, (_, index) => index % 3 === 0)
      : undefined,
  );

  await device.sync();
  const { messages } = await account.list();

  assert.ok(rounds > 2);
  assert.deepEqual(new Set(messages.map(({ counts }) => counts!.acknowledged)), new Set([1]));
  assert.equal(device.texts().length, 8);
  assert.deepEqual((await account.api.sync(device.id)).messages, []);
});

test('a message that lived a second tells, when it is purged, that it was delivered and expired', async () => {
  const account = await sender();
  const { user, send, view } = account;
  const { id: device } = await newDevice(account, { platform: 'android', push: fcmTarget() });
  await send({ ttl: '600' });
  await drained('FcmPush');
  const { id } = await newest(account);
  const copy = { device, id: Number(id) };
  const mark = await itemAt(markKey(copy));

  // What time does: the message is purged, and its entry says that it is over.
  const { client, name: TableName } = mailbox();
  await client.send(new DeleteCommand({ TableName, Key: { pk: device, sk: copy.id } }));
  await client.send(
    new UpdateCommand({
      TableName,
      Key: entryKey(user, copy.id),
      UpdateExpression: 'SET expiresAt = :past',
      ExpressionAttributeValues: { ':past': now() - 1 },
    }),
  );
  const { devices, message } = await view(id);

  assert.ok((mark!.ttl as number) >= now() + 29 * DAY);
  assert.equal(devices[0]!.state, 'expired');
  assert.deepEqual(
    devices[0]!.delivered!.map(({ carrier }) => carrier),
    ['fcm'],
  );
  assert.deepEqual(message.counts, { waiting: 0, delivered: 0, acknowledged: 0, expired: 1 });
});

test('a message that is gone before its time was acknowledged, although the note of that is lost', async () => {
  const account = await sender();
  const device = await newDevice(account, QUIET);
  await account.send();
  await device.sync();
  const { id } = await newest(account);
  const { client, name: TableName } = mailbox();
  await client.send(
    new DeleteCommand({ TableName, Key: acknowledgedKey({ device: device.id, id: Number(id) }) }),
  );

  const { devices } = await account.view(id);

  assert.equal(devices[0]!.state, 'acknowledged');
  assert.equal(devices[0]!.acknowledged_at, undefined);
});

test('an emergency says who has acknowledged it and when; after its receipt’s week, nothing of that', async () => {
  const account = await sender();
  const { id: device } = await newDevice(account, { ...QUIET, name: 'phone' });
  const { secret, user } = account;
  const { receipt } = await account.send({ priority: '2', retry: '600', expire: '1800' });
  const { id, receipt: asking } = await newest(account);
  await post(peal(), `receipts/${receipt}/acknowledge.json`, { secret, device_id: device });

  const { message } = await account.view(id);
  await fill(mailbox(), [
    entryAt(user, Date.now() - 8 * DAY * 1000, { priority: 2, receipt: randomKey('r') }),
  ]);
  const { messages } = await account.list();

  assert.equal(asking!.acknowledged, 0);
  assert.deepEqual(
    [
      message.receipt!.acknowledged,
      message.receipt!.acknowledged_by,
      message.receipt!.acknowledged_by_device,
    ],
    [1, user, 'phone'],
  );
  assert.ok(Math.abs((message.receipt!.acknowledged_at as number) - now()) < 60);
  assert.equal(messages[0]!.receipt!.acknowledged, 1);
  assert.deepEqual([messages[1]!.priority, messages[1]!.receipt], [2, undefined]);
});

test('a removed device has no name any more, and a renamed one its new name', async () => {
  const account = await sender();
  const gone = await newDevice(account, { ...QUIET, name: 'gone' });
  const kept = await newDevice(account, { ...QUIET, name: 'kept' });
  await account.send();
  await account.api.deleteDevice(gone.id);
  await account.api.updateDevice(kept.id, { name: 'renamed' });

  const { devices } = await account.view((await newest(account)).id);

  assert.deepEqual(new Set(devices.map(({ device }) => device)), new Set([null, 'renamed']));
});

test('of members of another account’s group there is the state and nothing else', async () => {
  const account = await sender();
  const own = await newDevice(account, { ...QUIET, name: 'mine' });
  const [stranger, friend, named] = [
    await newAccount(peal()),
    await newAccount(peal()),
    await newAccount(peal()),
  ];
  await newDevice(stranger, { ...QUIET, name: 'secret-phone' });
  await newDevice(friend, { ...QUIET, name: 'known-phone' });
  await newDevice(named, { ...QUIET, name: 'named-phone' });
  const group = async ({ token }: { token: string }, users: string[]) => {
    const { body } = await post(peal(), 'groups.json', { token, name: 'Group' });
    for (const user of users) await post(peal(), `groups/${body.group}/add_user.json`, { token, user });
    return body.group as string;
  };
  const foreign = await group(stranger, [stranger.user, friend.user, named.user, account.user]);
  const mine = await group(account, [friend.user]);

  await account.send({ user: `${foreign},${mine},${named.user}` });
  const { id } = await newest(account);
  const { devices } = await account.view(id);
  const item = await itemAt(entryKey(account.user, Number(id)));

  const names = devices.map(({ user, device }) => [user, device]);
  assert.deepEqual(
    devices.filter(({ user }) => user === undefined),
    [{ state: 'waiting' }],
  );
  assert.deepEqual(
    new Map(names.filter(([user]) => user !== undefined) as [string, string][]),
    new Map([
      [account.user, 'mine'],
      [friend.user, 'known-phone'],
      [named.user, 'named-phone'],
    ]),
  );
  const kept = [...(item!.copies as Set<string>)].join();
  assert.ok(kept.includes(own.id) && !kept.includes(stranger.user));
});

test('a message to very many devices is listed by its users, and pages through all of its devices, each once', async (t) => {
  const account = await sender();
  const [own, foreign] = [randomKey('g'), randomKey('g')];
  const directory = tableOf(peal(), 'Directory');
  const known = await crowd(directory, { key: own, owner: account.user }, 104);
  const hidden = await crowd(directory, { key: foreign, owner: randomKey('u') }, 18);
  // A copy that cannot be stored at first, in a chunk that is delivered twice.
  let failures = 6;
  intercept(t, (call) =>
    isBy(call, 'FanOut', 'PutItem') && JSON.stringify(call.input).includes(known[3]!.tablet) && failures-- > 0
      ? no
      : undefined,
  );
  peal().cloud.poller('FanOutWorker').deliverTwice();

  await account.send({ user: `${own},${foreign}` });
  const before = await newest(account);
  await drained('FanOutWorker');
  const { devices, pages } = await account.viewAll(before.id);

  assert.ok(failures < 0);
  assert.deepEqual([before.users, before.devices, before.counts], [122, undefined, undefined]);
  assert.ok(pages > 2);
  const names = devices.flatMap(({ user, device }) => (user === undefined ? [] : [`${user} ${device}`]));
  assert.deepEqual(names.sort(), known.flatMap(({ user }) => [`${user} phone`, `${user} tablet`]).sort());
  const nameless = devices.filter(({ user }) => user === undefined);
  assert.deepEqual(nameless, Array(2 * hidden.length).fill({ state: 'waiting' }));
});

test('a fan-out that cannot note whom it reached reaches them all the same', async (t) => {
  const account = await sender();
  const people = await seedDeviceLists(tableOf(peal(), 'Directory'), { accounts: 20, devices: 11 });
  intercept(t, (call) => (isBy(call, 'FanOut', 'UpdateItem') ? no : undefined));

  await account.send({ user: people.map(({ user }) => user).join() });
  await drained('FanOutWorker');
  const { id } = await newest(account);
  const { devices } = await account.view(id);

  assert.deepEqual(devices, []);
  for (const pk of [people[0]!.devices[0], people[19]!.devices[10]])
    assert.ok(await itemAt({ pk, sk: Number(id) }), 'stored');
});

test('pages go on where the one before ended, and may be of one app', async () => {
  const account = await sender();
  await newDevice(account, QUIET);
  const { id, token } = await account.api.createApp('Rare');
  await account.send({ token });
  const start = Date.now();
  await fill(
    mailbox(),
    Array.from({ length: 30 }, (_, n) => entryAt(account.user, start + n)),
  );

  const first = await account.list();
  const second = await account.list({ after: first.after! });
  const whole = await account.list({ after: '9'.repeat(16) });
  const rare = await account.list({ app: id });

  const ids = [...first.messages, ...second.messages].map((message) => Number(message.id));
  assert.deepEqual([first.messages.length, second.messages.length, second.after], [25, 6, undefined]);
  assert.deepEqual(
    ids,
    [...new Set(ids)].sort((a, b) => b - a),
  );
  assert.deepEqual(whole.messages, first.messages);
  assert.deepEqual([rare.messages.map(({ app }) => app.name), rare.after], [['Rare'], undefined]);
});

test('looking for what an app sent among very much else takes bounded steps', async () => {
  const account = await sender();
  const { user } = account;
  const [app] = await account.api.listApps();
  const { id } = app!;
  const start = Date.now() - DAY * 1000;
  await fill(
    mailbox(),
    Array.from({ length: 1_100 }, (_, n) => entryAt(user, start + n)),
  );
  await fill(mailbox(), [entryAt(user, start - 1, { app: { id: Number(id), name: 'Rare' } })]);
  peal().cloud.meter.reset();

  const first = await account.list({ app: id });
  const second = await account.list({ app: id, after: first.after! });

  assert.deepEqual(first.messages, []);
  assert.deepEqual([second.messages.map(({ app: { name } }) => name), second.after], [['Rare'], undefined]);
});

test('what is older than thirty days is not shown, purged or not', async () => {
  const account = await sender();
  const old = entryAt(account.user, Date.now() - TRACE_SECONDS * 1000 - 1000);
  const young = entryAt(account.user, Date.now() - TRACE_SECONDS * 1000 + 60_000);
  await fill(mailbox(), [old, young]);

  const { messages } = await account.list();
  const { secret } = account;
  const answer = await get(peal(), `history/${old.sk}.json`, { secret });

  assert.deepEqual(
    messages.map(({ id }) => Number(id)),
    [young.sk],
  );
  assert.deepEqual([answer.status, answer.body.message], [404, 'not found']);
});

test('another account’s message is not found, nor one that is none', async () => {
  const [account, other] = [await sender(), await sender()];
  await newDevice(account, QUIET);
  await account.send();
  const { id } = await newest(account);

  const answers = [];
  for (const path of [id, '1', '0', 'x', '9'.repeat(16), '9'.repeat(40), '..%2f', `${id}0`])
    answers.push(await get(peal(), `history/${path}.json`, { secret: other.secret }));

  assert.deepEqual((await other.list()).messages, []);
  for (const { status, body } of answers)
    assert.deepEqual([status, body.status, Object.keys(body).includes('devices')], [404, 0, false]);
});

test('a message whose entry cannot be written goes all the same', async (t) => {
  const account = await sender();
  const device = await newDevice(account, QUIET);
  const since = peal().lines.length;
  intercept(t, (call) => (isEntry(call) ? no : undefined));

  await account.send();
  await device.sync();

  assert.deepEqual(device.texts(), ['a secret word']);
  assert.deepEqual((await account.list()).messages, []);
  const warnings = peal().lines.slice(since);
  assert.ok(warnings.some((line) => JSON.stringify(line).includes('missing from the history')));
});

test('a message that was not accepted is not in the history', async (t) => {
  const account = await sender();
  await newDevice(account);
  const stop = intercept(t, (call) => (isBy(call, 'Send', 'SendMessageBatch') ? no : undefined));
  const { token, user } = account;

  const { status } = await post(peal(), 'messages.json', { token, user, message: 'no' });
  stop();
  await account.send();

  assert.equal(status, 500);
  assert.equal((await account.list()).messages.length, 1);
});

test('a request that is repeated under its key is in the history once, also where its answer was lost', async (t) => {
  const account = await sender();
  await newDevice(account, QUIET);
  let lost = 0;
  intercept(t, (call) => (isEntry(call) && lost++ === 0 ? { after: 'drop' } : undefined));
  const key = { idempotency_key: 'once' };

  await Promise.all([account.send(key), account.send(key)]);
  await account.send(key);

  assert.ok(lost > 1);
  assert.equal((await account.list()).messages.length, 1);
});

test('two messages of one number are two entries', async (t) => {
  const account = await sender();
  await newDevice(account, QUIET);
  await account.send();
  const { id } = await newest(account);
  // As another Lambda may, in the same millisecond.
  let tries = 0;
  intercept(t, (call) => {
    if (!isEntry(call) || tries++ > 0) return undefined;
    const { Item } = call.input as { Item: Record<string, never> };
    return { input: { ...call.input, Item: { ...Item, sk: { N: id } } } };
  });

  await account.send();
  const { messages } = await account.list();

  assert.equal(tries, 2);
  assert.equal(new Set(messages.map((message) => message.id)).size, 2);
});
