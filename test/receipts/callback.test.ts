import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { newDevice } from '../support/devices.ts';
import { get, newAccount, openPeal, post, type TestPeal } from '../support/peal.ts';
import { hurry } from './hurry.ts';

const PATIENCE = 20_000;

/** A sender's server: what it was told, and how it answers the next calls. */
const calls: { request: IncomingMessage; body: string }[] = [];
const arrived = new EventEmitter<{ call: [] }>();
let answers: { status: number; headers?: Record<string, string> }[] = [];

const server = createServer(async (request, response) => {
  const body = await text(request);
  const { status, headers } = answers.shift() ?? { status: 200 };
  response.writeHead(status, headers).end('nobody reads this');
  calls.push({ request, body });
  arrived.emit('call');
});
let peal: TestPeal;

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address);
  peal = await openPeal({ hosts: { 'alarms.example:80': address.port } });
});

after(async () => {
  await peal.close();
  server.close();
  const errors = peal.lines.filter(({ level }) => level === 'error');
  assert.ok(errors.every((line) => /callback given up|request failed|signal: killed/.test(line.message)));
});

async function called(count: number): Promise<void> {
  const signal = AbortSignal.timeout(PATIENCE);
  while (calls.length < count) await once(arrived, 'call', { signal });
}

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

/** What the callback queue holds back for a minute and more comes back at once. */
function soon(): () => void {
  const url = peal.cloud.queue('ReceiptsCallbackQueue').url;
  return peal.cloud.front.intercept(({ action, input }) => {
    if (action !== 'SendMessageBatch' || input.QueueUrl !== url) return undefined;
    const Entries = (input.Entries as { Id: string; MessageBody: string }[]).map((entry) => ({
      ...entry,
      DelaySeconds: 0,
    }));
    return { input: { ...input, Entries } };
  });
}

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

test('gives up in the end, with a dead letter', async (t) => {
  calls.length = 0;
  t.after(soon());
  answers = Array(20).fill({ status: 404 });
  t.after(() => {
    answers = [];
  });
  const { acknowledge, view } = await emergency('http://alarms.example/gone');

  await acknowledge();
  await called(8);
  await peal.cloud.poller('ReceiptsCallbackWorker').drained();

  const { name } = peal.cloud.queue('ReceiptsCallbackDeadLetters');
  assert.equal(calls.length, 8);
  assert.equal(peal.cloud.engine.queueState(name).ready, 1);
  assert.equal((await view()).called_back, 0);
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
