import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { newDevice } from '../support/devices.ts';
import { newAccount, post, usePeal } from '../support/peal.ts';

const peal = usePeal();

/** A logged-in desktop: its socket, the id of its connection, and the time of each signal. */
async function desktop(account: Awaited<ReturnType<typeof newAccount>>) {
  const device = await newDevice(account);
  const open = () =>
    peal()
      .cloud.socket!.connections()
      .map(({ connectionId }) => connectionId);
  const before = new Set(open());
  const socket = new WebSocket(peal().socket);
  const signals: number[] = [];
  await once(socket, 'open');
  socket.send(`login:${device.id}:${account.secret}\n`);
  await once(socket, 'message');
  socket.on('message', () => signals.push(performance.now()));
  const connection = open().find((id) => !before.has(id))!;
  const signalled = async () => {
    while (signals.length === 0) await once(socket, 'message');
    return signals[0]!;
  };
  return { device, connection, signals, signalled, close: () => socket.terminate() };
}

const send = (account: Awaited<ReturnType<typeof newAccount>>) =>
  post(peal(), 'messages.json', { token: account.token, user: account.user, message: 'hello' });

test('one slow connection never holds up the others', async () => {
  const account = await newAccount(peal());
  const slow = await desktop(account);
  const others = [await desktop(account), await desktop(account), await desktop(account)];
  peal().cloud.socket!.slow(slow.connection, 3_000);

  await send(account);
  const times = await Promise.all(others.map(({ signalled }) => signalled()));
  const heard = slow.signals.length;
  const late = await slow.signalled();
  for (const { close } of [slow, ...others]) close();

  assert.equal(heard, 0);
  assert.ok(times.every((time) => time < late - 1_000));
});

test('429 is not taken for gone: the connection is kept and signalled again', async () => {
  const account = await newAccount(peal());
  const busy = await desktop(account);
  peal().cloud.socket!.failOnce(busy.connection, 429);

  await send(account);
  await busy.signalled();
  await peal().cloud.poller('DesktopPush').drained();
  await send(account);
  await peal().cloud.poller('DesktopPush').drained();
  const { length } = busy.signals;
  busy.close();

  assert.equal(length, 2);
});

test('a signal that API Gateway fails to post is tried again', async () => {
  const account = await newAccount(peal());
  const unlucky = await desktop(account);
  peal().cloud.socket!.failOnce(unlucky.connection, 500);

  await send(account);
  await unlucky.signalled();
  unlucky.close();

  assert.equal(unlucky.signals.length, 1);
});
