import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import type { DeviceStore } from '../../lib/device/index.ts';
import { createListener } from '../../lib/device/index.ts';
import { failure } from '../../local/aws/intercept.ts';
import { asList, isObject, type JsonObject } from '../../local/template/json.ts';
import { apnsTarget, fcmTarget, newDevice } from '../support/devices.ts';
import { newAccount, post, type TestPeal, usePeal } from '../support/peal.ts';

const peal = usePeal({
  // What the flow provokes: a send that cannot be queued, records that are given up, and their SDK's words.
  expectedErrors: /InternalServerError|InternalFailure|given up/,
});

/**
 * Granted, yet never used here. CDK's SqsEventSource gives them to every consumer of a queue; a mapping with
 * ReportBatchItemFailures does not need the first (Lambda's own poller changes no visibility under the function's
 * role), and Lambda knows the queue by its ARN.
 */
const EVENT_SOURCE = ['sqs:ChangeMessageVisibility', 'sqs:GetQueueUrl'];

/** Milliseconds. */
const PATIENCE = 30_000;

/** Roles by what is left of them that was never used, in words. */
function unused({ cloud }: TestPeal): string[] {
  return cloud.iam
    .unusedGrants()
    .filter(({ action }) => !EVENT_SOURCE.includes(action))
    .map(({ role, action, resource }) => `${role}: ${action} on ${resource}`);
}

/** Waits until a condition holds; looks again after every AWS call of a function. */
async function until({ cloud }: TestPeal, condition: () => boolean): Promise<void> {
  const events = new EventEmitter<{ call: [] }>();
  // The call is let go on first, so that what it does to the grants is known when the condition is looked at.
  const stop = cloud.front.intercept(() => void setImmediate(() => events.emit('call')));
  const signal = AbortSignal.timeout(PATIENCE);
  try {
    while (!condition()) await once(events, 'call', { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
    // The time is over: the caller asserts, and says what is missing.
  } finally {
    stop();
  }
}

/** Listens on the socket; resolves once it is connected. `ended` resolves to why it was sent away. */
async function listen(
  device: { store: DeviceStore },
  api: Parameters<typeof createListener>[0]['api'],
  shown: () => void = () => {},
) {
  const connected = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<string>();
  const listener = createListener({
    api,
    socket: peal().socket,
    store: device.store,
    onMessage: shown,
    onError: connected.reject,
    onEnd: ended.resolve,
    onState: ({ state }) => {
      if (state === 'connected') connected.resolve();
    },
  });
  await listener.start();
  await connected.promise;
  return { ended: ended.promise, stop: () => listener.stop() };
}

/** Makes every record that is queued from now on an old one, so that its first failure exhausts its budget. */
function ageRecords({ cloud }: TestPeal): () => void {
  return cloud.front.intercept((call) => {
    if (call.service !== 'sqs' || !call.caller.name.includes('Send') || call.action !== 'SendMessageBatch')
      return undefined;
    const entries = asList(call.input.Entries)
      .filter(isObject)
      .map((entry): JsonObject => {
        const record = { ...JSON.parse(String(entry.MessageBody)), acceptedAt: 1 };
        return { ...entry, MessageBody: JSON.stringify(record) };
      });
    return { input: { ...call.input, Entries: entries } };
  });
}

test('every grant of every role is used, so that none is wider than what Peal does', async (t) => {
  const { cloud, carriers } = peal();
  const { front } = cloud;
  const account = await newAccount(peal());
  const { api, token, user } = account;
  const send = (message: string, more: Record<string, string> = {}) =>
    post(peal(), 'messages.json', { token, user, message, ...more });
  const android = fcmTarget();
  const iphone = apnsTarget();
  const phones = [
    await newDevice(account, { platform: 'android', push: android }),
    await newDevice(account, { platform: 'ios', push: iphone }),
  ];
  const desktop = await newDevice(account);
  const devices = [...phones, desktop, await newDevice(account, { platform: 'open' })];

  await t.test('delivery to each kind of device, sync and acknowledge', async () => {
    const arrived = Promise.withResolvers<void>();
    const listener = await listen(desktop, api, arrived.resolve);
    assert.equal((await send('one')).status, 200);
    await arrived.promise;
    await carriers.journal.waitFor(2, PATIENCE);
    for (const device of devices) await device.sync();
    // More than are worth forgetting in silence: the acknowledgement writes the record of served messages anew.
    await send('first of two', { device: 'nobody' });
    await send('second of two');
    const page = await api.sync(devices[3]!.id);
    await api.acknowledge(devices[3]!.id, (page.messages[0] as { id: number }).id);

    const second = await listen(desktop, api);
    assert.equal(await listener.ended, 'replaced');
    await second.stop();
  });

  await t.test('a connection that is gone', async () => {
    const listener = await listen(desktop, api);
    const [{ connectionId } = assert.fail('nobody is connected')] = cloud.socket!.connections().slice(-1);
    const forgotten = until(peal(), () => !unused(peal()).some((grant) => /Desktop.*DeleteItem/.test(grant)));
    const closed = new Promise<void>((resolve) => {
      cloud
        .socket!.connections()
        .find((one) => one.connectionId === connectionId)!
        .socket.once('close', () => resolve());
    });
    await listener.stop();
    await closed;
    await send('to nobody there');
    await forgotten;
  });

  await t.test('what fails for now, and what is given up', async () => {
    for (const round of ['again', 'never']) {
      const stop = round === 'never' ? ageRecords(peal()) : () => {};
      const listener = await listen(desktop, api);
      const [{ connectionId } = assert.fail('nobody is connected')] = cloud.socket!.connections().slice(-1);
      cloud.socket!.failOnce(connectionId, 500);
      carriers.faults.add({ carrier: 'fcm', times: 1, fault: { kind: 'status', status: 503 } });
      carriers.faults.add({ carrier: 'apns', times: 1, fault: { kind: 'status', status: 503 } });
      const queue = round === 'never' ? 'DeadLetters' : 'Queue';
      assert.equal((await send(round)).status, 200);
      await until(
        peal(),
        () =>
          !unused(peal()).some((grant) =>
            new RegExp(`sqs:SendMessage on .*(Fcm|Apns|Desktop)${queue}`).test(grant),
          ),
      );
      stop();
      await listener.stop();
    }
  });

  await t.test('targets that are dead', async () => {
    const later = Date.now() + 60_000;
    carriers.notes.set({ carrier: 'fcm', target: android.token, deadSince: later });
    carriers.notes.set({ carrier: 'apns', target: iphone.token, deadSince: later });
    await send('to the dead');
    await until(peal(), () => !unused(peal()).some((grant) => /Push.*UpdateItem/.test(grant)));
  });

  await t.test('a message that cannot be queued is withdrawn', async () => {
    const stop = front.intercept((call) =>
      call.service === 'sqs' && call.action === 'SendMessageBatch'
        ? failure(500, 'InternalFailure', 'no')
        : undefined,
    );
    assert.equal((await send('never')).status, 500);
    stop();
  });

  await t.test('the rest of an account’s life', async () => {
    const email = 'second@example.org';
    const command = { command: 'create-account', email, password: 'correct horse' };
    const created = await cloud.functionNamed('Admin').invoke(command);
    assert.match(JSON.stringify(created.payload), /"id":"u/);
    const other = api.withSecret((await api.login({ email, password: 'correct horse' })).secret);
    await api.updateDevice(desktop.id, { name: 'renamed', enabled: false });
    await api.listDevices();
    await api.deleteDevice(phones[0]!.id);
    const [app] = await api.listApps();
    await api.rotateApp(app!.id);
    await api.deleteApp(app!.id);
    await other.logout();
  });

  await until(peal(), () => unused(peal()).length === 0);

  assert.deepEqual(unused(peal()), []);
  const ofEventSources = cloud.iam.unusedGrants().map(({ role, action }) => `${role} ${action}`);
  assert.equal(ofEventSources.length, cloud.engine.pollers.length * EVENT_SOURCE.length);
});
