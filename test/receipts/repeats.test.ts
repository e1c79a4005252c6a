import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { crowd } from '../support/crowd.ts';
import { fcmTarget, newDevice, type TestDevice } from '../support/devices.ts';
import { tableOf } from '../support/directory.ts';
import { get, newAccount, post, usePeal } from '../support/peal.ts';
import { hurry } from './hurry.ts';

const peal = usePeal({ expectedErrors: /Runtime.ExitError|signal: killed|InternalFailure/ });

const PATIENCE = 20_000;

/** An account with a phone, and what sends it emergencies. */
async function household() {
  const account = await newAccount(peal());
  const push = fcmTarget();
  const phone = await newDevice(account, { platform: 'android', push });
  const send = async (more: Record<string, string> = {}) => {
    const { token, user } = account;
    const fields = { token, user, message: 'fire', priority: '2', retry: '600', expire: '10800', ...more };
    const { status, body } = await post(peal(), 'messages.json', fields);
    assert.equal(status, 200);
    return body.receipt as string;
  };
  const acknowledge = (receipt: string) =>
    post(peal(), `receipts/${receipt}/acknowledge.json`, { secret: account.secret });
  const cancel = (receipt: string) =>
    post(peal(), `receipts/${receipt}/cancel.json`, { token: account.token });
  const view = async (receipt: string) =>
    (await get(peal(), `receipts/${receipt}.json`, { token: account.token })).body;
  /** Lets the steps of the phone's chain come as soon as it has got what came before; of others', at once. */
  const fast = (upTo: number, before: (step: number) => Promise<void> | void = () => {}) =>
    hurry(peal(), upTo, async (step, { to }) => {
      if (!to.some(([user]) => user === account.user)) return;
      await pushed(push.token, step);
      await before(step);
    });
  return { ...account, phone, target: push.token, send, acknowledge, cancel, view, fast };
}

/** What FCM has accepted for a target: the data of each push. */
const pushes = (target: string) =>
  peal()
    .carriers.journal.received.filter((one) => one.target === target)
    .map(({ payload }) => payload.data as { id: string; sealed?: string; sync?: string });

/** Waits until FCM has accepted so many pushes for a target. */
async function pushed(target: string, count: number): Promise<void> {
  const signal = AbortSignal.timeout(PATIENCE);
  while (pushes(target).length < count) await once(peal().carriers.journal, 'received', { signal });
}

/** Resolves when a function has logged this about a message of the test. */
async function logged(message: string, since: number): Promise<void> {
  const end = Date.now() + PATIENCE;
  const found = () =>
    peal()
      .lines.slice(since)
      .some((line) => JSON.stringify(line).includes(message));
  while (!found()) {
    assert.ok(Date.now() < end, `never logged: ${message}`);
    await sleep(5);
  }
}

/** Connects to the socket as a device. @returns how many signals it got */
async function listen(t: { after(done: () => void): void }, device: TestDevice) {
  const socket = new WebSocket(peal().socket);
  t.after(() => socket.close());
  await once(socket, 'open');
  let signals = 0;
  const greeted = once(socket, 'message');
  socket.send(`login:${device.id}:${device.secret}\n`);
  await greeted;
  socket.addEventListener('message', ({ data }) => {
    if (data === '!') signals++;
  });
  return {
    async signals(count: number) {
      const signal = AbortSignal.timeout(PATIENCE);
      while (signals < count) await once(socket, 'message', { signal });
      return signals;
    },
  };
}

test('repeats to every device, phone and desktop, although the first push is marked as delivered', async (t) => {
  const { send, target, view, fast, ...account } = await household();
  const desktop = await newDevice(account);
  const socket = await listen(t, desktop);
  const stop = fast(3);

  const receipt = await send();
  await pushed(target, 4);
  const signals = await socket.signals(4);
  stop();

  const all = pushes(target);
  assert.equal(all.length, 4);
  assert.equal(new Set(all.map(({ id }) => id)).size, 1);
  assert.equal(new Set(all.map(({ sealed }) => sealed)).size, 1);
  assert.ok(all[0]?.sealed);
  assert.equal(signals, 4);
  assert.ok(((await view(receipt)).last_delivered_at as number) > 0);
  for (const push of all) await account.phone.inbox.receivePush({ peal: '1', ...push });
  assert.deepEqual(account.phone.texts(), ['fire']);
});

test('a device that holds the message already is reminded by its id alone', async () => {
  const { send, target, phone, fast } = await household();
  const stored = Promise.withResolvers<void>();
  const stop = fast(2, async (step) => {
    if (step === 2) await stored.promise;
  });

  await send();
  await pushed(target, 2);
  await phone.sync();
  stored.resolve();
  await pushed(target, 3);
  stop();

  const [first, , last] = pushes(target);
  assert.deepEqual(phone.texts(), ['fire']);
  assert.equal(last?.id, first?.id);
  assert.equal(last?.sealed, undefined);
  assert.equal(last?.sync, '1');
});

for (const [end, message] of [
  ['acknowledge', 'acknowledged, no more repetitions'],
  ['cancel', 'no more repetitions'],
] as const) {
  test(`stops at once on ${end}`, async () => {
    const house = await household();
    const { lines } = peal();
    const since = lines.length;
    const ended = Promise.withResolvers<void>();
    const stop = house.fast(50, async (step) => {
      if (step === 2) await ended.promise;
    });

    const receipt = await house.send();
    await pushed(house.target, 2);
    await house[end](receipt);
    ended.resolve();
    await logged(message, since);
    stop();
    await peal().cloud.poller('FcmPush').drained();

    assert.equal(pushes(house.target).length, 2);
  });
}

test('an expired receipt repeats nothing', async () => {
  const house = await household();
  const since = peal().lines.length;
  const stop = house.fast(1);

  // The hurried chain comes at once, before the second is over; so the receipt ends now.
  const ending = peal().cloud.front.intercept(({ action, input }) => {
    const item = input.Item as { expiresAt?: { N: string } } | undefined;
    if (action !== 'PutItem' || !item?.expiresAt) return undefined;
    return { input: { ...input, Item: { ...item, expiresAt: { N: '1' } } } as typeof input };
  });
  await house.send();
  await logged('no more repetitions', since);
  stop();
  ending();
  await peal().cloud.poller('FcmPush').drained();

  assert.equal(pushes(house.target).length, 1);
});

test('ends after fifty repetitions, whatever the pace, and only looks once more when the receipt has expired', {
  timeout: PATIENCE,
}, async () => {
  const house = await household();
  const { cloud } = peal();
  const end = Promise.withResolvers<number>();
  const overhear = cloud.front.intercept(({ action, input }) => {
    if (action !== 'SendMessageBatch' || input.QueueUrl !== cloud.queue('ReceiptsRepeatQueue').url)
      return undefined;
    for (const { DelaySeconds, MessageBody } of input.Entries as {
      DelaySeconds: number;
      MessageBody: string;
    }[]) {
      if (JSON.parse(MessageBody).step === 51) end.resolve(DelaySeconds);
    }
    return undefined;
  });
  // The second repetition is taken for the 48th: those in between are like it.
  const LEFT_OUT = 46;
  const stop = hurry(peal(), 50, async (step, record) => {
    if (!record.to.some(([user]) => user === house.user)) return;
    await pushed(house.target, step > 2 ? step - LEFT_OUT : step);
    if (step === 2) record.step += LEFT_OUT;
  });

  await house.send({ retry: '30' });
  await pushed(house.target, 51 - LEFT_OUT);
  const wait = await end.promise;
  await cloud.poller('FcmPush').drained();
  stop();
  overhear();

  assert.equal(pushes(house.target).length, 51 - LEFT_OUT);
  assert.equal(wait, 900);
});

test('what a queue delivers again, late and out of order, pushes nothing again', async () => {
  const house = await household();
  const { cloud } = peal();
  const queues = ['FcmQueue', 'ReceiptsRepeatQueue'].map((name) => cloud.queue(name).url);
  const sent: { QueueUrl: string; MessageBody: string }[] = [];
  const overhear = cloud.front.intercept(({ action, input }) => {
    if (action !== 'SendMessageBatch' || !queues.includes(String(input.QueueUrl))) return undefined;
    for (const { MessageBody } of input.Entries as { MessageBody: string }[]) {
      sent.push({ QueueUrl: String(input.QueueUrl), MessageBody });
    }
    return undefined;
  });
  const stop = house.fast(2);

  await house.send();
  await pushed(house.target, 3);
  await cloud.poller('FcmPush').drained();
  stop();
  overhear();
  const since = peal().lines.length;
  // The first step as it was when it was due.
  const again = sent.flatMap(({ QueueUrl, MessageBody }) => {
    const record = JSON.parse(MessageBody) as { step?: number };
    const due = record.step === 1 && { acceptedAt: Date.now() - 600_000 };
    return record.step === undefined || due
      ? [{ QueueUrl, MessageBody: JSON.stringify({ ...record, ...due }) }]
      : [];
  });
  for (const { QueueUrl, MessageBody } of again) {
    const Entries = [{ Id: '0', MessageBody }];
    await cloud.front.send('local-root', 'sqs', 'SendMessageBatch', { QueueUrl, Entries });
  }
  await logged('left to another record', since);
  await cloud.poller('FcmPush').drained();

  assert.equal(again.length, 4);
  assert.equal(pushes(house.target).length, 3);
});

test('a worker that dies before the next step is queued does its step again, and pushes nothing twice', async (t) => {
  const house = await household();
  const { cloud } = peal();
  cloud.poller('ReceiptsRepeatWorker').repeatAtOnce();
  let died = 0;
  t.after(
    cloud.front.intercept(({ action, input, caller }) => {
      const next = action === 'SendMessageBatch' && JSON.stringify(input).includes('\\"step\\":2');
      if (!next || died > 0 || !caller.name.includes('RepeatWorker')) return undefined;
      died++;
      cloud.functionNamed('ReceiptsRepeatWorker').kill();
      return { before: 'drop' };
    }),
  );

  const stop = house.fast(3);
  await house.send();
  await pushed(house.target, 4);
  await cloud.poller('FcmPush').drained();
  stop();

  assert.equal(died, 1);
  assert.equal(pushes(house.target).length, 4);
});

test('an emergency to a large group is repeated to its members until one of them acknowledges', async () => {
  const house = await household();
  const since = peal().lines.length;
  const created = await post(peal(), 'groups.json', { token: house.token, name: 'Everybody' });
  const group = created.body.group as string;
  // Of two devices each: more than the 200 up to which a message is stored at once.
  await crowd(tableOf(peal(), 'Directory'), { key: group, owner: house.user }, 110);
  await post(peal(), `groups/${group}/add_user.json`, { token: house.token, user: house.user });
  const acknowledged = Promise.withResolvers<void>();
  const stop = house.fast(4, async (step) => {
    if (step === 3) await acknowledged.promise;
  });

  const receipt = await house.send({ user: group });
  await pushed(house.target, 3);
  const { status } = await house.acknowledge(receipt);
  acknowledged.resolve();
  await logged('acknowledged, no more repetitions', since);
  stop();
  await peal().cloud.poller('FcmPush').drained();

  assert.equal(status, 200);
  assert.equal(pushes(house.target).length, 3);
});

test('what fails for now is left to the next repetition, and is no dead letter', async () => {
  const house = await household();
  const { carriers, cloud } = peal();
  const since = peal().lines.length;
  const stop = house.fast(1);
  const refuse = carriers.journal.once('received', () => {
    carriers.faults.add({
      carrier: 'fcm',
      fault: { kind: 'status', status: 429, headers: { 'retry-after': '700' } },
    });
  });

  await house.send();
  await logged('left to the next repetition', since);
  stop();
  refuse.removeAllListeners('received');
  carriers.faults.clear();

  assert.equal(cloud.engine.queueState(cloud.queue('FcmDeadLetters').name).ready, 0);
});

test('waits in hops of a quarter of an hour at most, and is due to the second', async () => {
  const house = await household();
  const delays: number[] = [];
  const url = peal().cloud.queue('ReceiptsRepeatQueue').url;
  const stop = peal().cloud.front.intercept(({ action, input }) => {
    if (action !== 'SendMessageBatch' || input.QueueUrl !== url) return undefined;
    for (const entry of input.Entries as { DelaySeconds: number }[]) delays.push(entry.DelaySeconds);
    return undefined;
  });

  await house.send({ retry: '30' });
  await house.send({ retry: '3600' });
  stop();

  assert.deepEqual(delays, [30, 900]);
});
