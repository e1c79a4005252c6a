import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { newDevice } from '../support/devices.ts';
import { newAccount, post, usePeal } from '../support/peal.ts';
import { SocketClient } from '../support/socket-client.ts';

const peal = usePeal();

class Client extends SocketClient {
  constructor() {
    super(peal().socket);
  }
}

async function ready() {
  const account = await newAccount(peal());
  const device = await newDevice(account);
  const send = (message: string) =>
    post(peal(), 'messages.json', { token: account.token, user: account.user, message });
  return { ...account, device, send, login: `login:${device.id}:${account.secret}\n` };
}

test('a login without a backlog is answered #, a new message !', async () => {
  const { login, send } = await ready();
  using client = new Client();

  await client.say(login);
  await client.heard(1);
  await send('hello');

  assert.deepEqual(await client.heard(2), ['#', '!']);
});

test('a login with a backlog is answered !, with or without a line end', async () => {
  const { login, send } = await ready();
  await send('hello');
  // Else its own signal may come on top of the answer.
  await peal().cloud.poller('DesktopPush').drained();
  using client = new Client();

  await client.say(login.trim());

  assert.deepEqual(await client.heard(1), ['!']);
});

test('a heartbeat is answered, before and after the login', async () => {
  const { login } = await ready();
  using client = new Client();

  await client.say('#');
  await client.heard(1);
  await client.say(login);
  await client.heard(2);
  await client.say('#');

  assert.deepEqual(await client.heard(3), ['#', '#', '#']);
});

test('a second login of a device tells the first A, and gets the signals', async () => {
  const { login, send } = await ready();
  using first = new Client();
  using second = new Client();
  await first.say(login);
  await first.heard(1);

  await second.say(login);
  await first.heard(2);
  await send('hello');

  assert.deepEqual(await second.heard(2), ['#', '!']);
  assert.deepEqual(first.frames, ['#', 'A']);
});

test('the same connection may log in again', async () => {
  const { login } = await ready();
  using client = new Client();

  await client.say(login);
  await client.heard(1);
  await client.say(login);

  assert.deepEqual(await client.heard(2), ['#', '#']);
});

test('a wrong login is answered E, and nothing else is', async () => {
  const mine = await ready();
  const theirs = await ready();
  const off = await ready();
  await off.api.updateDevice(off.device.id, { enabled: false });
  using client = new Client();
  const wrong = [
    'login:',
    'login::',
    'login:a:b',
    `login:${mine.device.id}:${'x'.repeat(60)}`,
    `login:${theirs.device.id}:${mine.secret}`,
    `login:${mine.device.id}:${mine.secret}:more`,
    `login:${'\0'.repeat(40)}:${'é'.repeat(60)}`,
    off.login,
  ];

  for (const [n, frame] of wrong.entries()) {
    await client.say(frame);
    await client.heard(n + 1);
  }
  for (const frame of ['', 'hello', '{"action":"x"}', 'LOGIN:x:y', '!', 'x'.repeat(32_000)])
    await client.say(frame);
  await client.say('#');

  assert.deepEqual(await client.heard(wrong.length + 1), [...wrong.map(() => 'E'), '#']);
});

test('binary frames and huge ones close the socket', async () => {
  const closed = async (frame: Buffer | string) => {
    using client = new Client();
    await client.say(frame);
    const [code] = await once(client.socket, 'close');
    return code;
  };

  assert.equal(await closed(Buffer.from('login:')), 1003);
  assert.equal(await closed('x'.repeat(129 * 1024)), 1009);
});

test('a connection that is gone is forgotten with the next message, which waits for sync', async () => {
  const { login, send, device } = await ready();
  using client = new Client();
  await client.say(login);
  await client.heard(1);
  const connectionOf = async () => {
    const { Item } = (await peal().cloud.engine.front.send('local-root', 'dynamodb', 'GetItem', {
      TableName: peal().cloud.tableName('Directory'),
      Key: { pk: { S: `device#${device.id}` }, sk: { S: 'connection' } },
    })) as { Item?: { ttl: { N: string } } };
    return Item;
  };
  const before = await connectionOf();

  client.socket.terminate();
  await once(client.socket, 'close');
  await send('hello');
  await peal().cloud.poller('DesktopPush').drained();
  await device.sync();

  assert.ok(Number(before?.ttl.N) > Date.now() / 1000);
  assert.equal(await connectionOf(), undefined);
  assert.deepEqual(device.texts(), ['hello']);
});
