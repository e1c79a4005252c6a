/** What an account sees of its devices beside their names: when they were here, and whether they are reached. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { DeviceRegistry } from '../../lib/accounts/device-registry.ts';
import { noteSeen } from '../../lib/accounts/device-use.ts';
import { devicesKey } from '../../lib/accounts/directory.ts';
import { createAccountApi } from '../../lib/device/account-api.ts';
import { createApi } from '../../lib/device/index.ts';
import { failure } from '../../local/aws/intercept.ts';
import { fcmTarget, newDevice } from '../support/devices.ts';
import { tableOf } from '../support/directory.ts';
import { newAccount, post, refusal, usePeal } from '../support/peal.ts';
import { SocketClient } from '../support/socket-client.ts';

const peal = usePeal({ expectedErrors: /InternalServerError|InternalFailure/ });

/** Milliseconds. */
const PATIENCE = 20_000;

const LONG_AGO = 1_700_000_000;

/** An account with a desktop that was registered long ago, and a phone. */
async function ready() {
  const account = await newAccount(peal());
  const desktop = await newDevice(account, { name: 'desk' });
  const push = fcmTarget();
  const phone = await newDevice(account, { name: 'phone', platform: 'android', push });
  const manage = createAccountApi({ url: peal().api, secret: account.secret });
  const seen = async () => (await account.api.listDevices()).find(({ id }) => id === desktop.id)!.seen_at;
  await age(account.user, desktop.id);
  return { ...account, desktop, phone, push, manage, seen };
}

/** Makes a device one that was registered, and last here, long ago. */
async function age(user: string, id: string): Promise<void> {
  const { client, name } = tableOf(peal(), 'Directory');
  await client.send(
    new UpdateCommand({
      TableName: name,
      Key: devicesKey(user),
      UpdateExpression: 'SET devices.#id.createdAt = :then REMOVE devices.#id.seenAt',
      ExpressionAttributeNames: { '#id': id },
      ExpressionAttributeValues: { ':then': LONG_AGO },
    }),
  );
}

const isNow = (time: number) => Math.abs(time - Date.now() / 1000) < 60;

/** Counts the notes of devices that are written while something is done. */
async function notes(work: () => Promise<unknown>): Promise<number> {
  let count = 0;
  const stop = peal().cloud.front.intercept(({ action, input }) => {
    if (action === 'UpdateItem' && JSON.stringify(input).includes('devices.#id.seenAt')) count++;
    return undefined;
  });
  await work();
  stop();
  return count;
}

test('a device was last here when it synced, which is written once a day', async () => {
  const { desktop, seen } = await ready();
  const before = await seen();

  const written = await notes(async () => {
    for (let n = 0; n < 3; n++) await desktop.sync();
  });

  assert.equal(before, LONG_AGO);
  assert.ok(isNow(await seen()));
  assert.equal(written, 1);
});

test('logging in on the socket counts as well', async () => {
  const { desktop, secret, seen } = await ready();
  using client = new SocketClient(peal().socket);

  const written = await notes(async () => {
    for (const n of [1, 2]) {
      await client.say(`login:${desktop.id}:${secret}`);
      await client.heard(n);
    }
  });

  assert.ok(isNow(await seen()));
  assert.equal(written, 1);
});

test('a note that fails fails neither sync nor login', async () => {
  const { desktop, secret, seen } = await ready();
  const stop = peal().cloud.front.intercept(({ action, input }) =>
    action === 'UpdateItem' && JSON.stringify(input).includes('devices.#id.seenAt')
      ? failure(500, 'InternalFailure', 'no')
      : undefined,
  );
  using client = new SocketClient(peal().socket);

  await desktop.sync();
  await client.say(`login:${desktop.id}:${secret}`);
  const greeting = await client.heard(1);
  stop();

  assert.deepEqual(greeting, ['#']);
  assert.equal(await seen(), LONG_AGO);
});

test('notes and changes of all devices at the same time undo nothing of one another', async () => {
  const { user, api, desktop, phone, seen } = await ready();
  const directory = tableOf(peal(), 'Directory');
  const registry = new DeviceRegistry(directory, Date.now);
  const [device] = (await registry.list(user)).devices.filter(({ id }) => id === desktop.id);
  const note = (day: number) => noteSeen(directory, user, device!, () => Date.now() + day * 86_400_000);

  await Promise.all([
    ...[0, 0, 0].map(note),
    ...['a', 'b', 'c', 'd'].map((name) => newDevice({ user, api, secret: desktop.secret }, { name })),
    api.updateDevice(phone.id, { name: 'renamed' }),
    api.updateDevice(desktop.id, { enabled: false }),
  ]);
  const list = await api.listDevices();

  assert.deepEqual(list.map(({ name }) => name).sort(), ['a', 'b', 'c', 'd', 'desk', 'renamed']);
  assert.equal(list.find(({ id }) => id === desktop.id)!.enabled, false);
  assert.ok(isNow(await seen()));
});

test('a device that was removed a moment ago does not come back by a note', async () => {
  const { user, api, desktop } = await ready();
  const directory = tableOf(peal(), 'Directory');
  const registry = new DeviceRegistry(directory, Date.now);
  const [device] = (await registry.list(user)).devices.filter(({ id }) => id === desktop.id);
  await api.deleteDevice(desktop.id);

  await noteSeen(directory, user, device!, Date.now);

  assert.deepEqual(
    (await api.listDevices()).map(({ name }) => name),
    ['phone'],
  );
});

test('a dead push target shows as retired until the device registers another', async () => {
  const { api, token, user, phone, push } = await ready();
  const { carriers, cloud } = peal();
  carriers.notes.set({ carrier: 'fcm', target: push.token, deadSince: Date.now() + 60_000 });
  const state = async () => (await api.listDevices()).find(({ id }) => id === phone.id)!;
  const before = await state();

  await post(peal(), 'messages.json', { token, user, message: 'to the dead' });
  await cloud.poller('FcmPush').drained();
  const retired = await state();
  await api.updateDevice(phone.id, { push: fcmTarget() });
  const again = await state();

  assert.deepEqual([before.push, before.push_retired_at], [{ type: 'fcm' }, null]);
  assert.equal(retired.push, null);
  assert.ok(isNow(retired.push_retired_at!));
  assert.deepEqual([again.push, again.push_retired_at], [{ type: 'fcm' }, null]);
});

test('a test message goes to the one device, sealed, stored and pushed as any other, and makes no app', async () => {
  const { api, manage, desktop, phone, push } = await ready();
  const { length } = peal().carriers.journal.received;

  await manage.testDevice(phone.id);
  await peal().carriers.journal.waitFor(length + 1, PATIENCE);
  for (const device of [phone, desktop]) await device.sync();

  const [pushed] = peal().carriers.journal.received.slice(length);
  const [stored] = phone.shown;
  assert.equal(stored?.kind === 'message' && stored.message.app, 'Peal');
  assert.deepEqual(phone.texts(), ['This message was sealed for phone alone.']);
  assert.deepEqual(desktop.texts(), []);
  assert.match(JSON.stringify(pushed), new RegExp(push.token));
  assert.doesNotMatch(JSON.stringify(pushed), /sealed for phone/);
  assert.deepEqual(
    (await api.listApps()).map(({ name }) => name),
    ['Tests'],
  );
});

test('a test of a disabled or another account’s device is refused by name and reaches nobody', async () => {
  const { api, manage, desktop, phone } = await ready();
  const other = await ready();
  await api.updateDevice(phone.id, { enabled: false });

  const disabled = await refusal(manage.testDevice(phone.id));
  const theirs = await refusal(manage.testDevice(other.phone.id));
  const nobodys = await refusal(manage.testDevice('x'.repeat(40)));
  const without = await refusal(createAccountApi({ url: peal().api }).testDevice(phone.id));
  for (const device of [desktop, phone, other.phone]) await device.sync();

  assert.deepEqual([disabled.status, disabled.fields.device_id], [400, 'is disabled']);
  assert.deepEqual(theirs.fields, { device_id: 'is invalid' });
  assert.deepEqual(nobodys.fields, theirs.fields);
  assert.equal(without.fields.secret, 'invalid');
  assert.deepEqual([...desktop.texts(), ...phone.texts(), ...other.phone.texts()], []);
});

test('test messages have a limit of their own', async () => {
  const account = await newAccount(peal());
  const { id } = await newDevice(account, { platform: 'open', name: 'open' });
  const manage = createAccountApi({ url: peal().api, secret: account.secret });

  let sent = 0;
  const refused = await refusal(
    (async () => {
      // Twice the limit, in case that a window ends meanwhile.
      for (; sent <= 60; sent++) await manage.testDevice(id);
    })(),
  );
  const { user, secret } = await newAccount(peal());
  const elsewhere = await newDevice({
    ...account,
    user,
    secret,
    api: createApi({ url: peal().api, secret }),
  });
  await createAccountApi({ url: peal().api, secret }).testDevice(elsewhere.id);

  assert.ok(sent >= 30);
  assert.deepEqual([refused.status, refused.fields.device_id], [429, 'was tried too often']);
  assert.ok(refused.retryAfter! > 0);
});
