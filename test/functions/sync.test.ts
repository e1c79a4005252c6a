import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PealApi } from '../../lib/device/index.ts';
import { type DeviceKind, newDevice } from '../support/devices.ts';
import { get, newAccount, post, usePeal } from '../support/peal.ts';

const peal = usePeal();

async function ready(kind: DeviceKind = {}) {
  const account = await newAccount(peal());
  const device = await newDevice(account, kind);
  const send = (message: string, more: Record<string, string> = {}) =>
    post(peal(), 'messages.json', { token: account.token, user: account.user, message, ...more });
  const pending = async () => (await account.api.sync(device.id)).messages as Record<string, unknown>[];
  const { secret } = account;
  const acknowledgeUpTo = (message: string) =>
    post(peal(), `devices/${device.id}/update_highest_message.json`, { secret, message });
  const acknowledge = (messages: string) =>
    post(peal(), `devices/${device.id}/acknowledge.json`, { secret, messages });
  return { ...account, device, send, pending, acknowledge, acknowledgeUpTo };
}

/** Ids of what waits for a device. */
async function pendingIds(api: PealApi, device: string): Promise<number[]> {
  return ((await api.sync(device)).messages as { id: number }[]).map(({ id }) => id);
}

test('a sealed device gets nothing but ids and boxes, in ascending order', async () => {
  const { send, pending } = await ready();
  for (const text of ['one', 'two', 'three']) await send(text, { title: 'Secret title' });

  const messages = await pending();

  assert.equal(messages.length, 3);
  for (const message of messages) {
    assert.deepEqual(Object.keys(message).sort(), ['id', 'id_str', 'sealed', 'umid', 'umid_str']);
    assert.equal(String(message.id), message.id_str);
    assert.ok(Number.isSafeInteger(message.id));
    assert.doesNotMatch(
      Buffer.from(String(message.sealed), 'base64').toString('latin1'),
      /one|two|three|Secret/,
    );
  }
  const ids = messages.map(({ id }) => id as number);
  assert.deepEqual(
    ids,
    [...ids].sort((a, b) => a - b),
  );
});

test('an Open Client gets the classic fields', async () => {
  const { secret, device, send } = await ready({ platform: 'open' });
  await send('hello', { title: 'Title', priority: '1', html: '1', ttl: '600', timestamp: '1700000000' });

  const { body } = await get(peal(), 'messages.json', { secret, device_id: device.id });

  const [message] = body.messages as Record<string, unknown>[];
  const { id, id_str, umid, umid_str, aid, aid_str, queued_date, expiration_date, ...rest } = message!;
  assert.deepEqual([String(id), String(umid), String(aid)], [id_str, umid_str, aid_str]);
  assert.equal(expiration_date, (queued_date as number) + 600);
  assert.deepEqual(rest, {
    app: 'Tests',
    icon: 'default',
    date: 1_700_000_000,
    message: 'hello',
    title: 'Title',
    priority: 1,
    html: 1,
    acked: 0,
  });
  assert.equal((body.device as { encryption_enabled: boolean }).encryption_enabled, false);
  assert.equal((body.user as { is_desktop_licensed: boolean }).is_desktop_licensed, true);
});

test('a message stays until it is acknowledged, and is gone then', async () => {
  const { api, device, send, pending, acknowledgeUpTo } = await ready({ platform: 'open' });
  await send('one');
  await send('two');

  const [first, second] = await pendingIds(api, device.id);
  await acknowledgeUpTo(String(first));
  const afterFirst = await pendingIds(api, device.id);
  await acknowledgeUpTo(`${second}\n`);
  const afterSecond = await pending();

  assert.deepEqual(afterFirst, [second]);
  assert.deepEqual(afterSecond, []);
});

test('keeps a message with a lower id that was stored after the sync', async () => {
  const { user, device, api, send, acknowledgeUpTo } = await ready({ platform: 'open' });
  await send('served');
  const [served] = await pendingIds(api, device.id);
  const late = served! - 1;
  await putBehind(user, device.id, late);

  await acknowledgeUpTo(String(served));
  const left = await pendingIds(api, device.id);
  await acknowledgeUpTo(String(late));
  const afterwards = await pendingIds(api, device.id);

  assert.deepEqual(left, [late]);
  assert.deepEqual(afterwards, []);
});

test('keeps a message with a lower id that only an answer had which was lost', async () => {
  const { user, device, api, send, acknowledgeUpTo } = await ready({ platform: 'open' });
  await send('served');
  const [served] = await pendingIds(api, device.id);
  const late = served! - 1;
  await putBehind(user, device.id, late);
  const lost = await pendingIds(api, device.id);

  await acknowledgeUpTo(String(served));
  const left = await pendingIds(api, device.id);

  assert.deepEqual([lost, left], [[late, served], [late]]);
});

test('of the messages that a device names exactly these go, however often it names them', async () => {
  const { api, device, send, acknowledge } = await ready();
  for (const text of ['one', 'two', 'three', 'four']) await send(text);
  const [first, second, third, fourth] = await pendingIds(api, device.id);

  const answers = [
    await acknowledge(` ${third}, ${first},,${first},${fourth! + 1}`),
    await acknowledge(String(first)),
  ];
  const left = await pendingIds(api, device.id);
  await api.acknowledge(device.id, left);

  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200],
  );
  assert.deepEqual(left, [second, fourth]);
  assert.deepEqual(await pendingIds(api, device.id), []);
});

test('a device names what it was never given by a sync: the message may have come in a push', async () => {
  const { api, device, user, acknowledge } = await ready();
  await putBehind(user, device.id, 7);

  const { status } = await acknowledge('7');

  assert.equal(status, 200);
  assert.deepEqual(await pendingIds(api, device.id), []);
});

test('a device with a key is told to name what it has stored', async () => {
  const { api, device, send, acknowledgeUpTo } = await ready();
  await send('hello');
  const [id] = await pendingIds(api, device.id);

  const { status, body } = await acknowledgeUpTo(String(id));

  assert.equal(status, 400);
  assert.match(String(body.message), /devices without a key/);
  assert.deepEqual(await pendingIds(api, device.id), [id]);
});

test('keeps a message that is stored between sync and acknowledge', async () => {
  const { api, device, send, acknowledgeUpTo } = await ready({ platform: 'open' });
  await send('first');
  const [first] = await pendingIds(api, device.id);
  await send('second');

  await acknowledgeUpTo(String(first));

  assert.equal((await pendingIds(api, device.id)).length, 1);
});

test('a number that no message has deletes nothing', async () => {
  const { api, device, send, acknowledgeUpTo } = await ready({ platform: 'open' });
  await send('hello');

  const early = await acknowledgeUpTo('99999');
  const [id] = await pendingIds(api, device.id);
  const late = await acknowledgeUpTo('99999999999999999999');

  assert.deepEqual([early.status, late.status], [200, 200]);
  assert.deepEqual(await pendingIds(api, device.id), [id]);
});

test('two syncs at once and repeated acknowledges lose nothing', async () => {
  const { device, api, send, acknowledgeUpTo } = await ready({ platform: 'open' });
  for (let n = 0; n < 10; n++) await send(`message ${n}`);

  const [one, other] = await Promise.all([pendingIds(api, device.id), pendingIds(api, device.id)]);
  await Promise.all([acknowledgeUpTo(String(one![4])), acknowledgeUpTo(String(one![4]))]);
  await device.sync();

  assert.deepEqual(one, other);
  assert.equal(device.shown.length, 5);
});

test('an expired message never appears, purged or not', async () => {
  const { api, device, user } = await ready();
  const now = Math.floor(Date.now() / 1000);
  await putBehind(user, device.id, 1, now - 1);
  await putBehind(user, device.id, 2, now + 60);

  const before = await pendingIds(api, device.id);
  const { items } = await peal().cloud.engine.sweep(Date.now() + 3 * 24 * 3600 * 1000);

  assert.deepEqual(before, [2]);
  assert.ok(items >= 1);
});

/** Some 5 MB, so in base64 more than the 6 MiB of an answer of Lambda. */
const BACKLOG = { messages: 20, body: new Uint8Array(250_000).fill(65) };

const envelope = (message: string) =>
  Buffer.from(JSON.stringify({ v: 1, message, app: 'A', aid: 1, icon: 'default', date: 1, priority: 0 }));

/** Contents that weigh far more in Lambda's answer, which is escaped twice, than where they are stored. */
for (const [what, platform, messages, body] of [
  ['boxes', 'desktop', BACKLOG.messages, BACKLOG.body],
  ['quotation marks', 'open', 10, envelope('"'.repeat(170_000))],
] as const)
  test(`a backlog of ${what} comes in pages that fit Lambda’s answer`, async () => {
    const { api, device, user } = await ready({ platform });
    const later = Math.floor(Date.now() / 1000) + 600;
    const ids = Array.from({ length: messages }, (_, n) => n + 1);
    for (const id of ids)
      await putBehind(user, device.id, id, later, body, platform === 'open' ? 'plain' : 'sealed');

    const seen: number[] = [];
    let pages = 0;
    let after: number | undefined;
    for (let more = true; more; pages++) {
      const page = await api.sync(device.id, after);
      seen.push(...(page.messages as { id: number }[]).map(({ id }) => id));
      after = seen.at(-1);
      more = page.more;
    }
    await api.acknowledge(device.id, ids);

    assert.ok(pages > 1);
    assert.deepEqual(seen, ids);
    assert.deepEqual(await pendingIds(api, device.id), []);
  });

test('a device that only ever syncs and acknowledges empties any backlog', async () => {
  const { api, device, user, acknowledgeUpTo } = await ready({ platform: 'open' });
  const later = Math.floor(Date.now() / 1000) + 600;
  for (let id = 1; id <= BACKLOG.messages; id++) await putBehind(user, device.id, id, later, BACKLOG.body);

  const seen = new Set<number>();
  for (let ids = await pendingIds(api, device.id); ids.length > 0; ids = await pendingIds(api, device.id)) {
    for (const id of ids) seen.add(id);
    await acknowledgeUpTo(String(ids.at(-1)));
  }

  assert.equal(seen.size, BACKLOG.messages);
});

test('nobody reads or deletes what waits for another account’s device', async () => {
  const mine = await ready();
  const theirs = await ready();
  await theirs.send('private');
  const [waiting] = await theirs.pending();

  const read = await get(peal(), 'messages.json', { secret: mine.secret, device_id: theirs.device.id });
  const deleted = await post(peal(), `devices/${theirs.device.id}/acknowledge.json`, {
    secret: mine.secret,
    messages: String(waiting!.id),
  });
  const left = await theirs.pending();

  for (const { status, body } of [read, deleted]) {
    assert.equal(status, 400);
    assert.deepEqual([body.device_id, body.errors], ['is invalid', ['device_id is invalid']]);
  }
  assert.equal(left.length, 1);
});

/** One account for every refusal: none of them changes anything. */
let refusing: ReturnType<typeof ready> | undefined;
const toBeRefused = () => (refusing ??= ready());

for (const [what, secret] of [
  ['no secret', ''],
  ['a malformed secret', 'abc'],
  ['an unknown secret', `u${'x'.repeat(59)}`],
] as const) {
  test(`refuses ${what}`, async () => {
    const { device } = await toBeRefused();

    const { status, body } = await get(peal(), 'messages.json', { secret, device_id: device.id });

    assert.equal(status, 400);
    assert.deepEqual([body.secret, body.errors], ['invalid', ['secret is invalid']]);
  });
}

for (const message of ['', '-1', 'abc', '1.5', '1'.repeat(21)]) {
  test(`refuses to acknowledge ${JSON.stringify(message)}`, async () => {
    const { acknowledgeUpTo } = await toBeRefused();

    const { status, body } = await acknowledgeUpTo(message);

    assert.equal(status, 400);
    assert.match(String(body.message), /cannot be blank|is not a message id/);
  });
}

const MANY = Array.from({ length: 501 }, (_, n) => n + 1).join(',');

for (const [messages, reason] of [
  ['', 'cannot be blank'],
  [' , ,', 'cannot be blank'],
  ['0', 'must be message ids, joined by commas'],
  ['1,-1', 'must be message ids, joined by commas'],
  ['1 2', 'must be message ids, joined by commas'],
  ['1.5', 'must be message ids, joined by commas'],
  ['1,abc', 'must be message ids, joined by commas'],
  [String(2 ** 53), 'must be message ids, joined by commas'],
  [MANY, 'are too many (maximum is 500)'],
] as const) {
  test(`refuses to acknowledge the messages ${JSON.stringify(messages.slice(0, 20))}`, async () => {
    const { acknowledge } = await toBeRefused();

    const { status, body } = await acknowledge(messages);

    assert.deepEqual([status, body.messages], [400, reason]);
  });
}

/** Puts a message into a mailbox behind the API's back, with an id and expiry that the API would not give. */
async function putBehind(
  user: string,
  device: string,
  id: number,
  ttl = Math.floor(Date.now() / 1000) + 600,
  body: Uint8Array = new Uint8Array(100),
  kind: 'plain' | 'sealed' = 'sealed',
): Promise<void> {
  await peal().cloud.engine.front.send('local-root', 'dynamodb', 'PutItem', {
    TableName: peal().cloud.tableName('Mailbox'),
    Item: {
      pk: { S: device },
      sk: { N: String(id) },
      umid: { N: String(id) },
      user: { S: user },
      priority: { N: '0' },
      ttl: { N: String(ttl) },
      request: { S: 'behind' },
      [kind]: { B: Buffer.from(body).toString('base64') },
    },
  });
}
