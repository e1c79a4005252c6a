import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { randomKey } from '../../lib/accounts/keys.ts';
import type { Params } from '../../lib/http/params.ts';
import { Params as Fields } from '../../lib/http/params.ts';
import { contentOf } from '../../lib/messages/claims.ts';
import { failure } from '../../local/aws/intercept.ts';
import type { Json, JsonObject } from '../../local/template/json.ts';
import { crowd } from '../support/crowd.ts';
import { type DeviceKind, newDevice } from '../support/devices.ts';
import { tableOf } from '../support/directory.ts';
import { type Answer, newAccount, post, usePeal } from '../support/peal.ts';

const peal = usePeal({ expectedErrors: /InternalServerError|signal: killed/ });

/** A device for which a message is queued. */
const DESKTOP: DeviceKind = { platform: 'desktop' };

/** An account with a device, and a way to send with a key. Unless told otherwise, no carrier reaches the device. */
async function ready(kind: DeviceKind = { platform: 'android' }) {
  const account = await newAccount(peal());
  const device = await newDevice(account, kind);
  const send = (message: string, key: string, more: Record<string, string> = {}) => {
    const { token, user } = account;
    return post(peal(), 'messages.json', { token, user, message, idempotency_key: key, ...more });
  };
  return { ...account, device, send };
}

/** What of an answer must be the same for a repeat. */
const essence = ({ status, headers, body }: Answer) => [
  status,
  body,
  ...['x-request-id', 'x-limit-app-limit', 'x-limit-app-remaining', 'x-limit-app-reset'].map((name) =>
    headers.get(name),
  ),
];

const isClaim = (input: JsonObject) => JSON.stringify(input).includes('once#');

/** Changes every claim that is written from now on, until the returned function is called. */
function claimsWith(change: Record<string, Json>): () => void {
  return peal().cloud.front.intercept(({ action, input }) =>
    action === 'PutItem' && isClaim(input)
      ? { input: { ...input, Item: { ...(input.Item as JsonObject), ...change } } }
      : undefined,
  );
}

/** Lets no note be written that a request is done. Comes before other changes of claims: the first that acts wins. */
function failNotes(): { stop(): void; failed(): number } {
  let failed = 0;
  const stop = peal().cloud.front.intercept(({ action, input }) => {
    const { Item } = input as { Item?: JsonObject };
    if (action !== 'PutItem' || !isClaim(input) || Item?.done === undefined) return undefined;
    failed++;
    return failure(500, 'InternalServerError', 'no');
  });
  return { stop, failed: () => failed };
}

test('a repeat is answered as the first was, and sends nothing', async () => {
  const { device, send } = await ready();

  const first = await send('hello', 'key-1', { title: 'Title' });
  const second = await send('hello', 'key-1', { title: 'Title' });
  await device.sync();

  assert.equal(first.status, 200);
  assert.deepEqual(essence(second), essence(first));
  assert.deepEqual(device.texts(), ['hello']);
});

test('of many at once, one sends, and all are answered alike', async () => {
  const { device, send } = await ready();

  const answers = await Promise.all(Array.from({ length: 8 }, () => send('hello', 'at once')));
  await device.sync();

  for (const answer of answers) assert.deepEqual(essence(answer), essence(answers[0]!));
  assert.equal(answers[0]!.status, 200);
  assert.deepEqual(device.texts(), ['hello']);
});

test('other content under the same key is refused, and other keys and apps are others', async () => {
  const { device, send, api } = await ready();
  const other = await api.createApp('Other');
  await send('hello', 'key');

  const changed = await send('changed', 'key');
  const otherKey = await send('changed', 'Key');
  const otherApp = await send('changed', 'key', { token: other.token });
  await device.sync();

  const { request: _, ...body } = changed.body;
  const reason = 'was used for another message within 24 hours';
  assert.equal(changed.status, 400);
  assert.deepEqual(body, { idempotency_key: reason, errors: [`idempotency_key ${reason}`], status: 0 });
  assert.deepEqual([otherKey.status, otherApp.status], [200, 200]);
  assert.deepEqual(device.texts(), ['hello', 'changed', 'changed']);
});

test('a key is 1 to 64 printable characters; an empty one is none', async () => {
  const { device, send } = await ready();

  const good = [await send('good', ' ~'.repeat(32)), await send('good', '!')];
  const bad = [];
  for (const key of ['x'.repeat(65), 'schlüssel', 'a\tb', 'a\n']) bad.push(await send('bad', key));
  const none = [await send('none', ''), await send('none', '')];
  await device.sync();

  assert.deepEqual(
    [...good, ...none].map(({ status }) => status),
    [200, 200, 200, 200],
  );
  for (const { status, body } of bad) {
    assert.equal(status, 400);
    assert.equal(body.idempotency_key, 'must be 1 to 64 printable ASCII characters');
  }
  assert.deepEqual(device.texts().sort(), ['good', 'good', 'none', 'none']);
});

test('without a key nothing more is written than the message, its entry in the history and the count', async () => {
  const { send } = await ready();
  peal().cloud.meter.reset();

  await send('hello', '');

  const [, counts] = Object.entries(peal().cloud.meter.read()).find(([name]) => name.includes('Send'))!;
  assert.equal(counts['dynamodb.wru'], 3);
});

test('a request that failed can be repeated at once', async () => {
  const { device, send } = await ready(DESKTOP);
  const stop = peal().cloud.front.intercept(({ service, action }) =>
    service === 'sqs' && action === 'SendMessageBatch'
      ? failure(500, 'InternalServerError', 'no')
      : undefined,
  );
  const failed = await send('hello', 'again');
  stop();

  const repeated = await send('hello', 'again');
  await device.sync();

  assert.deepEqual([failed.status, repeated.status], [500, 200]);
  assert.deepEqual(device.texts(), ['hello']);
});

test('a request that died after it stored the message is done again as the same message', async () => {
  const { device, send } = await ready(DESKTOP);
  const { cloud } = peal();
  const stops = [
    claimsWith({ leaseUntil: { N: '0' } }),
    cloud.front.intercept(({ caller, action }) => {
      if (caller.name.includes('Send') && action === 'SendMessageBatch') cloud.functionNamed('Send').kill();
      return undefined;
    }),
  ];
  const died = await send('hello', 'lease');
  for (const stop of stops) stop();
  await device.sync();

  const repeated = await send('hello', 'lease');
  const again = await send('hello', 'lease');
  await device.sync();

  assert.ok(died.status >= 500);
  assert.equal(repeated.status, 200);
  assert.deepEqual(essence(again), essence(repeated));
  assert.deepEqual(device.texts(), ['hello']);
});

test('a large message whose sender died is fanned out again as the same message', async () => {
  const { user, send } = await ready();
  const { cloud } = peal();
  const group = randomKey('g');
  await crowd(tableOf(peal(), 'Directory'), { key: group, owner: user }, 201, () => 'phone');
  const stored: string[] = [];
  let batches = 0;
  const stops = [
    cloud.front.intercept(({ caller, action, input }) => {
      if (caller.name.includes('FanOut') && action === 'PutItem') {
        const { pk, sk } = input.Item as { pk: JsonObject; sk: JsonObject };
        stored.push(`${pk.S} ${sk.N}`);
      }
      if (!caller.name.includes('Send') || action !== 'SendMessageBatch') return undefined;
      batches++;
      if (batches === 2) cloud.functionNamed('Send').kill();
      // Two records are enough to have been fanned out before.
      return batches === 1
        ? { input: { ...input, Entries: (input.Entries as Json[]).slice(0, 2) } }
        : undefined;
    }),
  ];
  const unlocked = claimsWith({ leaseUntil: { N: '0' } });
  const died = await send('hello', 'large', { user: group });
  unlocked();

  const repeated = await send('hello', 'large', { user: group });
  await cloud.poller('FanOutWorker').drained();
  for (const stop of stops) stop();

  assert.ok(died.status >= 500);
  assert.equal(repeated.status, 200);
  assert.ok(stored.length > 201, 'some are stored twice');
  assert.equal(new Set(stored).size, 201);
});

test('a repeat while the first is under way waits a little, and is then told to try again', async () => {
  const { device, send } = await ready(DESKTOP);
  const held = Promise.withResolvers<void>();
  const stop = peal().cloud.front.intercept(async ({ caller, action }) => {
    if (caller.name.includes('Send') && action === 'SendMessageBatch') await held.promise;
    return undefined;
  });
  const first = send('hello', 'slow');
  await device.sync();
  while (device.texts().length === 0) await device.sync();

  const second = await send('hello', 'slow');
  held.resolve();
  const answer = await first;
  stop();
  const third = await send('hello', 'slow');
  await device.sync();

  assert.equal(second.status, 503);
  assert.equal(second.body.idempotency_key, 'is of a request that is still under way, try again');
  assert.equal(answer.status, 200);
  assert.deepEqual(essence(third), essence(answer));
  assert.deepEqual(device.texts(), ['hello']);
});

test('a request that is refused leaves its key free', async () => {
  const account = await newAccount(peal());
  const { token, user } = account;
  const send = (message: string) =>
    post(peal(), 'messages.json', { token, user, message, idempotency_key: 'free' });

  const refused = await send('too early');
  const device = await newDevice(account);
  const sent = await send('corrected');
  await device.sync();

  assert.deepEqual([refused.status, sent.status], [400, 200]);
  assert.deepEqual(device.texts(), ['corrected']);
});

test('a message is accepted even if the note of it cannot be written, and a repeat is no second one', async () => {
  const { device, send } = await ready();
  const notes = failNotes();
  const stops = [notes.stop, claimsWith({ leaseUntil: { N: '0' } })];
  const first = await send('hello', 'note');
  for (const stop of stops) stop();
  await device.sync();

  const second = await send('hello', 'note');
  await device.sync();

  assert.ok(notes.failed() > 0);
  assert.equal(first.status, 200);
  assert.deepEqual(essence(second), essence(first));
  assert.deepEqual(device.texts(), ['hello']);
});

test('a repeat that fails takes nothing away from a message that was accepted', async () => {
  const { device, send } = await ready(DESKTOP);
  const notes = failNotes();
  const stops = [notes.stop, claimsWith({ leaseUntil: { N: '0' } })];
  const first = await send('hello', 'kept');
  const stop = peal().cloud.front.intercept(({ service, action }) =>
    service === 'sqs' && action === 'SendMessageBatch'
      ? failure(500, 'InternalServerError', 'no')
      : undefined,
  );
  const second = await send('hello', 'kept');
  for (const end of [...stops, stop]) end();
  await device.sync();

  const third = await send('hello', 'kept');

  assert.ok(notes.failed() > 0);
  assert.deepEqual([first.status, second.status], [200, 500]);
  assert.deepEqual(device.texts(), ['hello']);
  assert.deepEqual(essence(third), essence(first));
});

test('a day later the key is free, whether DynamoDB has purged it or not', async () => {
  const { device, send } = await ready();
  const stop = claimsWith({ ttl: { N: '1' } });
  const first = await send('hello', 'old');
  stop();

  const second = await send('hello', 'old');
  await device.sync();

  assert.notEqual(second.body.request, first.body.request);
  assert.deepEqual(device.texts(), ['hello', 'hello']);
});

test('what is the content depends on every parameter, and not on their order', () => {
  const params = (entries: [string, string][]): Params => {
    const all = new Fields();
    for (const [name, text] of entries) all.set(name, { text });
    return all;
  };
  const entries = fc.uniqueArray(fc.tuple(fc.string({ minLength: 1 }), fc.string({ minLength: 1 })), {
    selector: ([name]) => name,
    maxLength: 6,
  });
  const canonical = (list: [string, string][]) =>
    JSON.stringify(list.filter(([name]) => name !== 'token' && name !== 'idempotency_key').sort());

  fc.assert(
    fc.property(entries, entries, (one, other) => {
      const content = contentOf(params(one), 'token');
      assert.equal(contentOf(params([...one].reverse()), 'token'), content);
      assert.equal(contentOf(params(other), 'token') === content, canonical(other) === canonical(one));
      assert.notEqual(contentOf(params(one), 'another'), content);
    }),
  );
});
