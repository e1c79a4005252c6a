import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LANES } from '../../lib/net/lanes.ts';
import { publicLookup } from '../../lib/net/public-address.ts';
import { Silences } from '../../lib/net/silence.ts';
import { runCallback } from '../../lib/receipts/callback.ts';
import type { Queue } from '../../lib/storage/queue.ts';
import { newDevice } from '../support/devices.ts';
import { get, newAccount, openPeal, post, type TestPeal } from '../support/peal.ts';
import { hurry } from './hurry.ts';

const PATIENCE = 20_000;

/** A sender's server: what it was told, and how it answers the next calls. */
const calls: { request: IncomingMessage; body: string }[] = [];
let answers: { status: number; headers?: Record<string, string> }[] = [];

const arrived = new EventEmitter<{ call: [] }>();
const server = createServer(async (request, response) => {
  const body = await text(request);
  const { status, headers } = answers.shift() ?? { status: 200 };
  response.writeHead(status, headers).end('nobody reads this');
  calls.push({ request, body });
  arrived.emit('call');
});
/** Servers that keep every call until it is let go. */
const held = new Set<() => void>();
const silent = createServer((request, response) => {
  const answer = () => void response.writeHead(200).end();
  request.resume();
  held.add(answer);
  response.on('close', () => held.delete(answer));
});

let peal: TestPeal;

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address);
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  peal = await openPeal({ hosts: { 'alarms.example:80': address.port, '*.silent.example:80': port } });
});

after(async () => {
  await peal.close();
  server.close();
  silent.closeAllConnections();
  silent.close();
  const errors = peal.lines.filter(({ level }) => level === 'error');
  assert.ok(errors.every((line) => /callback given up|request failed|signal: killed/.test(line.message)));
});

/** An account, and an emergency that calls back. */
async function emergency(callback: string) {
  const account = await newAccount(peal);
  const device = await newDevice(account, { platform: 'open', name: 'desk' });
  const { token, user, secret } = account;
  const fields = { token, user, message: 'fire', priority: '2', retry: '30', expire: '600', callback };
  const { body } = await post(peal, 'messages.json', fields);
  const receipt = body.receipt as string;
  const acknowledge = () =>
    post(peal, `receipts/${receipt}/acknowledge.json`, { secret, device_id: device.id });
  const view = async () => (await get(peal, `receipts/${receipt}.json`, { token })).body;
  /** The receipt once its callback was answered. */
  const calledBack = async () => {
    let seen = await view();
    for (const end = Date.now() + PATIENCE; seen.called_back !== 1 && Date.now() < end; ) {
      await sleep(10);
      seen = await view();
    }
    return seen;
  };
  return { ...account, receipt, acknowledge, view, calledBack };
}

/** Waits for so many calls. */
async function called(count: number): Promise<void> {
  const signal = AbortSignal.timeout(30_000);
  while (calls.length < count) await once(arrived, 'call', { signal });
}

/** What the callback queue holds back for a minute and more comes back at once. */
function soon(): () => void {
  const urls = ['ReceiptsCallbackQueue', 'ReceiptsCallbackSlowQueue'].map(
    (name) => peal.cloud.queue(name).url,
  );
  return peal.cloud.front.intercept(({ action, input }) =>
    action === 'ChangeMessageVisibility' && urls.includes(String(input.QueueUrl))
      ? { input: { ...input, VisibilityTimeout: 0 } }
      : undefined,
  );
}

/** A callback as it is on the queue, to an address that nobody may call. */
const refused = {
  v: 1,
  url: 'http://127.0.0.1/',
  owner: 'u',
  receipt: 'r',
  acknowledgedAt: 1,
  acknowledgedBy: '',
  acknowledgedByDevice: '',
  expiresAt: 2e9,
  since: 1_800_000_000,
} as const;

test('tells the sender’s server in a form who acknowledged, and the receipt that it did', async () => {
  calls.length = 0;
  const { acknowledge, calledBack, receipt, user } = await emergency('http://alarms.example/hook?id=7');

  const { status, body } = await acknowledge();
  const seen = await calledBack();

  const [{ request, body: form } = assert.fail('not called')] = calls;
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(body).sort(), ['request', 'status']);
  assert.equal(calls.length, 1);
  assert.equal(request.method, 'POST');
  assert.equal(request.url, '/hook?id=7');
  assert.equal(request.headers.host, 'alarms.example');
  assert.equal(request.headers['content-type'], 'application/x-www-form-urlencoded');
  assert.deepEqual(Object.fromEntries(new URLSearchParams(form)), {
    receipt,
    acknowledged: '1',
    acknowledged_at: String(seen.acknowledged_at),
    acknowledged_by: user,
    acknowledged_by_device: 'desk',
  });
  assert.equal(seen.called_back, 1);
  assert.ok((seen.called_back_at as number) >= (seen.acknowledged_at as number));
});

test('calls again after an error or a redirect, which it does not follow', async (t) => {
  calls.length = 0;
  t.after(soon());
  answers = [{ status: 500 }, { status: 302, headers: { location: 'http://alarms.example/elsewhere' } }];
  const { acknowledge, calledBack } = await emergency('http://alarms.example/flaky');

  await acknowledge();
  const seen = await calledBack();

  assert.equal(seen.called_back, 1);
  assert.deepEqual(
    calls.map(({ request }) => request.url),
    ['/flaky', '/flaky', '/flaky'],
  );
});

test('is tried for an hour, ever more rarely, and is a dead letter in the end', async () => {
  let now = refused.since * 1000;
  const waits: (number | undefined)[] = [];
  const dead: unknown[] = [];
  const deadLetters = { send: async (records: unknown[]) => dead.push(...records) } as unknown as Queue;
  const nobody = {} as unknown as Queue;
  const context = {
    deadLetters,
    reports: nobody,
    lookup: publicLookup,
    hold: 1_000,
    silences: new Silences(LANES.slow.silence, () => now),
    clock: () => now,
    log: () => undefined,
  };

  do {
    waits.push(await runCallback(refused, context));
    now += (waits.at(-1) ?? 0) * 1000;
  } while (waits.at(-1) !== undefined);

  assert.deepEqual(waits, [60, 60, 120, 240, 480, 900, 900, 900, undefined]);
  assert.deepEqual(dead, [{ ...refused, reason: 'not a public URL' }]);
});

test('what is given up is on the dead-letter queue', async () => {
  const { cloud } = peal;
  const { name } = cloud.queue('ReceiptsCallbackDeadLetters');

  await cloud.front.send('local-root', 'sqs', 'SendMessageBatch', {
    QueueUrl: cloud.queue('ReceiptsCallbackQueue').url,
    Entries: [{ Id: '0', MessageBody: JSON.stringify({ ...refused, since: 1 }) }],
  });
  await cloud.poller('ReceiptsCallbackWorker').drained();

  assert.equal(cloud.engine.queueState(name).ready, 1);
});

test('an acknowledgement that died before the callback was queued is made good by the next step', async (t) => {
  calls.length = 0;
  const url = peal.cloud.queue('ReceiptsCallbackQueue').url;
  const dead = peal.cloud.front.intercept(({ caller, input }) =>
    caller.name.startsWith('PealApi') && input.QueueUrl === url ? { before: 'drop' } : undefined,
  );
  const died = Promise.withResolvers<void>();
  t.after(hurry(peal, 2, (step) => (step === 1 ? undefined : died.promise)));
  const { acknowledge, calledBack } = await emergency('http://alarms.example/late');

  const { status } = await acknowledge();
  dead();
  died.resolve();
  const seen = await calledBack();

  assert.equal(status, 500);
  assert.equal(seen.called_back, 1);
  assert.equal(calls.length, 1);
});

test('repeating an acknowledgement calls nobody again', async () => {
  calls.length = 0;
  const { acknowledge, calledBack } = await emergency('http://alarms.example/once');

  await acknowledge();
  await calledBack();
  await acknowledge();
  await peal.cloud.poller('ReceiptsCallbackWorker').drained();

  assert.equal(calls.length, 1);
});

test('a worker that dies before it says that the callback was answered calls again', async (t) => {
  const { cloud } = peal;
  cloud.poller('ReceiptsCallbackWorker').repeatAtOnce();
  calls.length = 0;
  let died = 0;
  t.after(
    cloud.front.intercept(({ action, caller }) => {
      if (action !== 'SendMessageBatch' || died > 0 || !caller.name.includes('CallbackWorker'))
        return undefined;
      died++;
      cloud.functionNamed('ReceiptsCallbackWorker').kill();
      return { before: 'drop' };
    }),
  );
  const { acknowledge, calledBack } = await emergency('http://alarms.example/again');

  await acknowledge();
  const seen = await calledBack();

  assert.equal(died, 1);
  assert.equal(seen.called_back, 1);
  assert.deepEqual(
    calls.map(({ request }) => request.url),
    ['/again', '/again'],
  );
});

test('servers that never answer hold up no other sender’s callback, and are still called in the slow lane', async (t) => {
  calls.length = 0;
  t.after(soon());
  const attacks = [];
  // More batches than there are environments on this machine.
  for (let n = 0; n < 12; n++) attacks.push(await emergency(`http://${n}.silent.example/`));
  const innocent = await emergency('http://alarms.example/innocent');

  for (const { acknowledge } of attacks) await acknowledge();
  await innocent.acknowledge();
  await called(1);
  await peal.cloud.poller('ReceiptsCallbackWorker').drained();
  const { ready, inFlight } = peal.cloud.engine.queueState(
    peal.cloud.queue('ReceiptsCallbackSlowQueue').name,
  );
  const waitedFor = held.size;
  while (held.size > 0 || (await attacks.at(-1)!.view()).called_back !== 1) {
    for (const answer of held) answer();
    await sleep(20);
  }
  await peal.cloud.poller('ReceiptsCallbackWorker', 'ReceiptsCallbackSlow').drained();

  assert.ok(waitedFor > 0);
  assert.ok(ready + inFlight > 0);
  for (const { calledBack } of attacks) assert.equal((await calledBack()).called_back, 1);
});
