import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogLine } from '../../local/lambda/protocol.ts';
import { STAGING } from '../support/configs.ts';
import { seedDeviceLists } from '../support/crowd.ts';
import { fcmTarget, newDevice } from '../support/devices.ts';
import { tableOf } from '../support/directory.ts';
import { measuredIn, totalOf } from '../support/metrics.ts';
import { newAccount, post, type TestAccount, usePeal } from '../support/peal.ts';
import { SocketClient } from '../support/socket-client.ts';

const PATIENCE = 20_000;

const peal = usePeal({
  config: STAGING,
  expectedErrors: /given up|refuses our configuration/,
});

const send = ({ token, user }: TestAccount, fields: Record<string, string> = {}) =>
  post(peal(), 'messages.json', { token, user, message: 'hello', ...fields });

/** What a function logs from now on. */
function watch(prefix: string): () => LogLine[] {
  const { logs } = peal().cloud.functionNamed(prefix);
  const before = logs.length;
  return () => logs.slice(before);
}

/** An account with a phone that FCM reaches. */
async function withPhone() {
  const account = await newAccount(peal());
  const push = fcmTarget();
  const device = await newDevice(account, { platform: 'android', push });
  return { account, push, device };
}

test('a message is counted when it is accepted and when its carrier has it, with the time between', async () => {
  const { account } = await withPhone();
  const [accepting, pushing] = [watch('Send'), watch('FcmPush')];

  await send(account);
  await peal().carriers.journal.waitFor(1, PATIENCE);
  await peal().cloud.poller('FcmPush').drained();

  const [accepted] = measuredIn(accepting());
  assert.deepEqual(accepted, {
    name: 'Accepted',
    values: [1],
    unit: 'Count',
    dimensions: { Stage: 'staging' },
  });
  const measured = measuredIn(pushing());
  assert.ok(
    measured.every(({ dimensions }) => dimensions.Carrier === 'fcm' && dimensions.Stage === 'staging'),
  );
  assert.deepEqual(measured.map(({ name }) => name).sort(), ['Delivered', 'Latency']);
  const latency = totalOf(pushing(), 'Latency');
  assert.ok(latency >= 0 && latency < PATIENCE);
});

test('an invocation writes one line with metrics at most, and every line of a message says its request', async () => {
  const { account } = await withPhone();
  const [accepting, pushing] = [watch('Send'), watch('FcmPush')];

  const { body } = await send(account);
  await peal().carriers.journal.waitFor(2, PATIENCE);
  await peal().cloud.poller('FcmPush').drained();

  for (const lines of [accepting(), pushing()]) {
    assert.equal(lines.length, 1);
    assert.equal(lines[0]!.request, body.request);
  }
  assert.deepEqual([accepting()[0]!.message, pushing()[0]!.message], ['accepted', 'dispatched']);
});

test('a repeat under the same idempotency key is not counted again', async () => {
  const { account } = await withPhone();
  const accepting = watch('Send');

  for (const _ of ['first', 'again']) await send(account, { idempotency_key: 'once' });

  assert.equal(totalOf(accepting(), 'Accepted'), 1);
});

test('what a carrier refuses, puts off and misconfigures is counted by device', async () => {
  const { carriers, cloud } = peal();
  const [refused, put, misconfigured] = [await withPhone(), await withPhone(), await withPhone()];
  carriers.notes.set({ carrier: 'fcm', target: refused.push.token, deadSince: Date.now() + 60_000 });
  const strike = (token: string, status: number) =>
    carriers.faults.add({ carrier: 'fcm', target: token, times: 1, fault: { kind: 'status', status } });
  strike(put.push.token, 503);
  strike(misconfigured.push.token, 404);
  const pushing = watch('FcmPush');
  const already = carriers.journal.received.length;

  for (const { account } of [refused, put, misconfigured]) await send(account);
  await carriers.journal.waitFor(already + 1, PATIENCE);
  await cloud.poller('FcmPush').drained();

  for (const name of ['Refused', 'Retries', 'ConfigurationFault', 'Delivered'])
    assert.equal(totalOf(pushing(), name, 'fcm'), 1, name);
});

test('a desktop that is not connected is no refusal', async () => {
  const account = await newAccount(peal());
  await newDevice(account);
  const pushing = watch('DesktopPush');

  await send(account);
  await peal().cloud.poller('DesktopPush').drained();

  assert.match(JSON.stringify(pushing()), /not connected/);
  assert.deepEqual(measuredIn(pushing()), []);
});

test('a send that is answered 429 is counted', async () => {
  const account = await newAccount(peal());
  await newDevice(account, { platform: 'android' });
  const accepting = watch('Send');

  const statuses = new Set<number>();
  while (!statuses.has(429)) statuses.add((await send(account)).status);

  assert.equal(totalOf(accepting(), 'Throttled'), 1);
});

test('the copies of a message to very many devices are counted where they are stored', async () => {
  const account = await newAccount(peal());
  const size = { accounts: 21, devices: 10 };
  const people = await seedDeviceLists(tableOf(peal(), 'Directory'), size);
  const [accepting, fanning] = [watch('Send'), watch('FanOut')];

  const { body: answer } = await send(account, { user: people.map(({ user }) => user).join() });
  await peal().cloud.poller('FanOut').drained();

  assert.equal(totalOf(accepting(), 'Accepted'), 1);
  assert.equal(totalOf(fanning(), 'FanOutCopies'), size.accounts * size.devices);
  assert.ok(fanning().every(({ request }) => request === answer.request));
});

test('a login on the socket is counted, a heartbeat and a wrong login are not', async () => {
  const account = await newAccount(peal());
  const device = await newDevice(account);
  const answering = watch('Socket');
  using client = new SocketClient(peal().socket);

  await client.say(`login:${device.id}:${device.secret}\n`);
  await client.say('#');
  await client.say('login:nobody:nothing\n');
  await client.heard(3);

  assert.equal(answering().length, 1);
  assert.equal(totalOf(answering(), 'SocketLogins'), 1);
});
