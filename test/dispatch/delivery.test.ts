import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PushTarget } from '../../lib/device/index.ts';
import type { Received } from '../../local/carriers/index.ts';
import { apnsTarget, fcmTarget, newDevice, type TestDevice } from '../support/devices.ts';
import { newAccount, post, usePeal } from '../support/peal.ts';

const peal = usePeal({
  expectedErrors: /given up|signal: killed|record failed|credentials of the carrier cannot be read/,
});

/** Longest wait for something that is bound to happen. Milliseconds. */
const LIMIT = 20_000;

/** An account, a device a target, and a way to send. */
async function ready(targets: PushTarget[]) {
  const { carriers } = peal();
  carriers.faults.clear();
  carriers.notes.clear();
  carriers.journal.clear();
  const account = await newAccount(peal());
  const devices = await Promise.all(
    targets.map((push) => newDevice(account, { platform: push.type === 'apns' ? 'ios' : 'android', push })),
  );
  const send = async (message: string, more: Record<string, string> = {}) => {
    const { token, user } = account;
    const { status } = await post(peal(), 'messages.json', { token, user, message, ...more });
    assert.equal(status, 200);
  };
  return { ...account, devices, send };
}

const targetOf = (push: PushTarget) => ('token' in push ? push.token : '');
const receivedBy = (push: PushTarget) =>
  peal().carriers.journal.received.filter(({ target }) => target === targetOf(push));

/** Gives a device everything that its carrier took for it, as the carrier's last hop would, and lets it sync. */
async function deliver(device: TestDevice, push: PushTarget): Promise<void> {
  for (const { carrier, payload } of receivedBy(push)) {
    await device.inbox.receivePush(carrier === 'fcm' ? payload.data : payload);
  }
  await device.sync();
}

/** What the device knows a push by: APNs replaces what it shows by the header, the app of Android looks at the id. */
const identityOf = ({ carrier, headers, payload }: Received) =>
  carrier === 'apns' ? headers['apns-collapse-id'] : (payload.data as { id: string }).id;

const drained = async () => {
  await Promise.all(
    ['FcmPush', 'ApnsPush', 'DesktopPush'].map((name) => peal().cloud.poller(name).drained()),
  );
};

test('a push carries the sealed message to FCM and APNs', async () => {
  const targets = [fcmTarget(), apnsTarget()] as const;
  const { devices, send } = await ready([...targets]);

  await send('hello', { title: 'Title' });
  await peal().carriers.journal.waitFor(2, LIMIT);
  for (const [n, device] of devices.entries()) {
    const [received] = receivedBy(targets[n]!);
    const data = received!.carrier === 'fcm' ? received!.payload.data : received!.payload;
    assert.equal(await device.inbox.receivePush(data), 'new');
  }

  for (const device of devices) assert.deepEqual(device.texts(), ['hello']);
  assert.doesNotMatch(JSON.stringify(peal().carriers.journal.received), /hello|Title/);
});

test('a message that does not fit a push comes as a stub, and by sync', async () => {
  const targets = [fcmTarget(), apnsTarget()];
  const { devices, send } = await ready(targets);
  const long = '😀'.repeat(1024);

  await send(long);
  await peal().carriers.journal.waitFor(2, LIMIT);
  for (const [n, device] of devices.entries()) await deliver(device, targets[n]!);

  for (const device of devices) assert.deepEqual(device.texts(), [long]);
  const received = JSON.stringify(peal().carriers.journal.received);
  assert.match(received, /"sync":"1"/);
  assert.match(received, /"sync":1/);
});

test('a push Lambda that dies in the middle of a record loses nothing and shows nothing twice', async () => {
  const targets = Array.from({ length: 6 }, fcmTarget);
  const { devices, send } = await ready(targets);
  const { carriers, cloud } = peal();
  cloud.poller('FcmPush').repeatAtOnce();
  carriers.faults.add({ carrier: 'fcm', target: targetOf(targets[2]!), fault: { kind: 'silence' } });

  await send('alarm');
  await carriers.journal.waitFor(5, LIMIT);
  carriers.faults.clear();
  cloud.functionNamed('FcmPush').kill();
  await drained();
  for (const [n, device] of devices.entries()) await deliver(device, targets[n]!);

  assert.ok(targets.every((target) => receivedBy(target).length >= 1));
  for (const device of devices) assert.deepEqual(device.texts(), ['alarm']);
});

test('a carrier’s answer that is lost makes it push again, as the same notification', async () => {
  const targets = [fcmTarget(), apnsTarget()];
  const { devices, send } = await ready(targets);
  const { carriers } = peal();
  carriers.faults.add({ carrier: 'fcm', times: 1, fault: { kind: 'reset-after' } });
  carriers.faults.add({ carrier: 'apns', times: 1, fault: { kind: 'reset-after' } });

  await send('once');
  await carriers.journal.waitFor(4, LIMIT);
  await drained();
  for (const [n, device] of devices.entries()) await deliver(device, targets[n]!);

  for (const target of targets) {
    const [first, second] = receivedBy(target);
    assert.equal(identityOf(first!), identityOf(second!));
  }
  for (const device of devices) assert.deepEqual(device.texts(), ['once']);
});

test('a phone that was away gets every one of its messages pushed, and one word to sync for all stubs', async () => {
  const push = fcmTarget();
  const { devices, send } = await ready([push]);
  const { carriers } = peal();
  const texts = ['one', 'two', 'three', 'four', 'five'];
  carriers.leave(targetOf(push));

  for (const text of texts) await send(text);
  for (const _ of ['first', 'second']) await send('😀'.repeat(1024));
  await carriers.journal.waitFor(7, LIMIT);
  const { messages, deleted } = carriers.comeBack(targetOf(push));
  for (const { payload } of messages) await devices[0]!.inbox.receivePush(payload.data);

  const stubs = messages.filter(({ payload }) => (payload.data as { sync?: string }).sync);
  const shown = devices[0]!.texts().filter((text) => texts.includes(text));
  assert.equal(deleted, false);
  assert.equal(stubs.length, 1);
  assert.deepEqual(shown.sort(), texts.toSorted());
});

test('of a record only what failed is repeated, and a dead target is retired', async () => {
  const [good, dead, busy] = [fcmTarget(), fcmTarget(), fcmTarget()];
  const { api, devices, send } = await ready([good, dead, busy]);
  const { carriers } = peal();
  carriers.notes.set({ carrier: 'fcm', target: dead.token, deadSince: Date.now() });
  carriers.faults.add({
    carrier: 'fcm',
    target: busy.token,
    times: 2,
    fault: { kind: 'status', status: 503, reason: 'UNAVAILABLE' },
  });

  await send('mixed');
  await carriers.journal.waitFor(2, LIMIT);
  await drained();
  const targets = (await api.listDevices()).map(({ id, push }) => [id, push?.type]);
  for (const [n, device] of devices.entries()) await deliver(device, [good, dead, busy][n]!);

  assert.equal(receivedBy(good).length, 1);
  assert.equal(receivedBy(busy).length, 1);
  assert.deepEqual(new Map(targets as [string, string][]).get(devices[1]!.id), undefined);
  assert.deepEqual(targets.filter(([, type]) => type === 'fcm').length, 2);
  for (const device of devices) assert.deepEqual(device.texts(), ['mixed']);
});

test('one record that fails does not repeat the rest of its batch', async () => {
  const targets = [fcmTarget()];
  const { devices, send } = await ready(targets);
  const queue = peal().cloud.queue('FcmQueue').url;

  await peal().cloud.front.send('local-root', 'sqs', 'SendMessageBatch', {
    QueueUrl: queue,
    Entries: [{ Id: '0', MessageBody: 'not a record' }],
  });
  await send('beside');
  await peal().carriers.journal.waitFor(1, LIMIT);
  await deliver(devices[0]!, targets[0]!);

  assert.equal(receivedBy(targets[0]!).length, 1);
  assert.deepEqual(devices[0]!.texts(), ['beside']);
  await peal().cloud.front.send('local-root', 'sqs', 'PurgeQueue', { QueueUrl: queue });
});

test('a function that cannot read its secret tries its records on until it can, and gives none up', async (t) => {
  const targets = Array.from({ length: 4 }, fcmTarget);
  const { devices, send } = await ready(targets);
  const { carriers, cloud } = peal();
  const queue = cloud.queue('FcmQueue').url;
  const tries = Promise.withResolvers<void>();
  let refused = 0;
  // Another process: this one has read it already.
  cloud.functionNamed('FcmPush').kill();
  const mend = cloud.front.intercept(({ action, caller }) => {
    if (action !== 'GetSecretValue' || !caller.name.includes('FcmPush')) return undefined;
    if (++refused === 12) tries.resolve();
    return { status: 400, body: { __type: 'AccessDeniedException', message: 'not now' } };
  });
  // What is to wait for its next try comes at once.
  t.after(
    cloud.front.intercept(({ action, input }) => {
      if (action !== 'SendMessageBatch' || input.QueueUrl !== queue) return undefined;
      const entries = input.Entries as Record<string, string>[];
      return { input: { ...input, Entries: entries.map((entry) => ({ ...entry, DelaySeconds: 0 })) } };
    }),
  );

  await send('first');
  await send('second');
  await tries.promise;
  mend();
  await drained();
  for (const [n, device] of devices.entries()) await deliver(device, targets[n]!);

  assert.equal(carriers.journal.received.length, 8);
  for (const device of devices) assert.deepEqual(device.texts().sort(), ['first', 'second']);
  assert.equal(cloud.engine.queueState(cloud.queue('FcmDeadLetters').name).ready, 0);
});

test('a record that nobody can read is a dead letter of every queue after fifteen deliveries, and not before', async () => {
  const { cloud } = peal();
  const carriers = ['Fcm', 'Apns', 'Webpush', 'Desktop'].map((name) => [`${name}Push`, `${name}DeadLetters`]);
  const others = [
    ['FanOutWorker', 'FanOutDeadLetters'],
    ['ReceiptsRepeatWorker', 'ReceiptsRepeatDeadLetters'],
    ['ReceiptsCallbackWorker', 'ReceiptsCallbackDeadLetters'],
  ];
  for (const [worker, letters] of [...carriers, ...others] as [string, string][]) {
    const { name, url } = cloud.queue(letters);
    const before = cloud.engine.queueState(name).ready;
    const eventSourceARN = cloud.poller(worker).mapping.queue.arn;
    const deliver = async (count: number) => {
      const attributes = { ApproximateReceiveCount: String(count) };
      // The second one is a record of later code.
      const bodies = ['nonsense', '{"v":2}'];
      const common = { receiptHandle: 'r', attributes, eventSourceARN };
      const Records = bodies.map((body, n) => ({ messageId: `m${n}`, body, ...common }));
      const { payload } = await cloud.functionNamed(worker).invoke({ Records });
      return (payload as { batchItemFailures: unknown[] }).batchItemFailures.length;
    };

    const answers = [await deliver(14), await deliver(15)];

    assert.deepEqual(answers, [2, 0], worker);
    assert.equal(cloud.engine.queueState(name).ready - before, 2, worker);
    await cloud.front.send('local-root', 'sqs', 'PurgeQueue', { QueueUrl: url });
  }
});

test('a record that is delivered twice is shown once', async () => {
  const targets = [apnsTarget()];
  const { devices, send } = await ready(targets);
  peal().cloud.poller('ApnsPush').deliverTwice();

  await send('twice');
  await drained();
  await deliver(devices[0]!, targets[0]!);

  assert.deepEqual(devices[0]!.texts(), ['twice']);
});

test('a message that was acknowledged meanwhile is not pushed', async () => {
  const targets = [fcmTarget()];
  const { devices, send } = await ready(targets);
  peal().carriers.faults.add({
    carrier: 'fcm',
    times: 1,
    fault: { kind: 'status', status: 503, reason: 'UNAVAILABLE', headers: { 'retry-after': '1' } },
  });
  const failed = new Promise((resolve) => peal().carriers.journal.once('handled', resolve));

  await send('read elsewhere');
  await failed;
  await devices[0]!.sync();
  await drained();

  assert.deepEqual(receivedBy(targets[0]!), []);
  assert.deepEqual(devices[0]!.texts(), ['read elsewhere']);
});

test('a message that expires before its carrier may be asked again ends as a dead letter with its reason', async () => {
  const targets = [apnsTarget()];
  const { send } = await ready(targets);
  const { carriers, cloud } = peal();
  carriers.faults.add({
    carrier: 'apns',
    fault: { kind: 'status', status: 503, reason: 'ServiceUnavailable', headers: { 'retry-after': '600' } },
  });

  await send('too late', { ttl: '300' });
  await drained();
  const { Messages = [] } = (await cloud.front.send('local-root', 'sqs', 'ReceiveMessage', {
    QueueUrl: cloud.queue('ApnsDeadLetters').url,
    WaitTimeSeconds: 5,
  })) as { Messages?: { Body: string }[] };

  const record = JSON.parse(Messages[0]!.Body);
  assert.match(record.reasons[0], /ServiceUnavailable/);
  assert.equal(record.to.length, 1);
  assert.doesNotMatch(Messages[0]!.Body, /too late/);
});

test('a target that was registered anew is not retired by a late word about the old one', async () => {
  const target = apnsTarget();
  const { api, send } = await ready([target]);
  peal().carriers.notes.set({ carrier: 'apns', target: targetOf(target), deadSince: Date.now() - 3_600_000 });

  await send('still there');
  await drained();
  const [device] = await api.listDevices();

  assert.equal(device!.push?.type, 'apns');
});
