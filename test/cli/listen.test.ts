import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { EMAIL, PASSWORD } from './fake-server.ts';
import { end, FakeMachine, Lines } from './run.ts';

/** A machine that can log in by itself. */
async function machineOf(t: TestContext): Promise<FakeMachine> {
  const machine = await FakeMachine.create(t);
  Object.assign(machine.env, { PEAL_EMAIL: EMAIL, PEAL_PASSWORD: PASSWORD, TZ: 'UTC' });
  return machine;
}

/** A machine whose device is registered. */
async function registered(t: TestContext): Promise<FakeMachine> {
  const machine = await machineOf(t);
  await machine.register('desk');
  return machine;
}

test('registers this machine once, with a key, in files for its owner alone', async (t) => {
  const machine = await machineOf(t);

  const first = await machine.run(['listen', '--once']);
  const second = await machine.run(['listen', '--once']);

  assert.deepEqual([first.code, second.code], [0, 0], first.stderr + second.stderr);
  assert.equal(machine.server.devices.length, 1);
  assert.match(machine.server.devices[0]!.name, /^[A-Za-z0-9_-]{1,25}$/);
  assert.equal(machine.server.devices[0]!.platform, 'desktop');
  const folder = join(machine.folder, 'data', 'devices');
  const [account = ''] = await readdir(folder);
  assert.equal((await stat(join(folder, account))).mode & 0o777, 0o700);
  assert.equal((await stat(join(folder, account, 'identity.json'))).mode & 0o777, 0o600);
});

test('fetches what waits, prints it and acknowledges it', async (t) => {
  const machine = await registered(t);
  machine.server.store(1, 'first\nsecond \u001b[31m', { title: 'Done', url: 'https://e.com', priority: 1 });
  machine.server.store(2, '<b>1 &lt; 2</b> <a href="https://e.com">log</a>', { html: 1 });

  const once = await machine.run(['listen', '--once']);
  const again = await machine.run(['listen', '--once']);

  assert.equal(
    once.stdout,
    '2027-01-15 08:00:00  Backup: Done  (high)\n  first\n  second ␛[31m\n  https://e.com\n' +
      '2027-01-15 08:00:00  Backup\n  1 < 2 log (https://e.com)\n',
  );
  assert.deepEqual(machine.server.mailbox, []);
  assert.equal(again.stdout, '');
});

test('prints messages as they come, across a lost connection, and ends cleanly by SIGINT', async (t) => {
  const machine = await registered(t);
  const child = machine.start(['listen', '--json']);
  const lines = new Lines(child);
  machine.server.store(1, 'waiting');

  const waiting = await lines.next();
  machine.server.store(2, 'pushed');
  machine.server.signal('!');
  const pushed = await lines.next();
  machine.server.store(3, 'while away');
  machine.server.disconnect();
  const away = await lines.next();
  const code = await end(child, 'SIGINT');

  assert.deepEqual(
    [waiting, pushed, away].map((line) => JSON.parse(line ?? '').message),
    ['waiting', 'pushed', 'while away'],
  );
  assert.equal(code, 0);
  assert.equal(await lines.next(), undefined);
});

test('prints each message once although it is killed after each', async (t) => {
  const machine = await registered(t);
  const printed: string[] = [];

  for (let id = 1; id <= 3; id += 1) {
    // What was printed comes again, as if its acknowledgement had been lost.
    machine.server.mailbox.length = 0;
    for (let sent = 1; sent <= id; sent += 1) machine.server.store(sent, `message ${sent}`);
    const child = machine.start(['listen', '--json']);
    const lines = new Lines(child);
    printed.push(JSON.parse((await lines.next()) ?? '').message);
    await machine.noted();
    await end(child, 'SIGKILL');
    for (let line = await lines.next(); line !== undefined; line = await lines.next()) printed.push(line);
  }

  assert.deepEqual(printed, ['message 1', 'message 2', 'message 3']);
});

test('runs a command for each message, with the message in its environment and input', async (t) => {
  const machine = await registered(t);
  machine.server.store(1, 'a "quoted" $(touch hacked)', { title: 'T' });
  machine.server.store(2, 'b');
  machine.env.PEAL_TITLE = 'from outside';

  const result = await machine.run([
    ...['listen', '--once', '--exec'],
    'echo "[$PEAL_ID|$PEAL_TITLE|$PEAL_MESSAGE|$PEAL_PASSWORD]"; cat; test "$PEAL_ID" = 2',
  ]);

  const lines = result.stdout.trim().split('\n');
  assert.equal(lines[0], '[1|T|a "quoted" $(touch hacked)|]');
  assert.equal(JSON.parse(lines[1] ?? '').title, 'T');
  assert.equal(lines[2], '[2||b|]');
  assert.match(result.stderr, /the command for message 1 ended with 1/);
  assert.equal(result.code, 0);
  assert.deepEqual((await readdir(machine.folder)).sort(), ['config', 'data']);
});

test('registers again when the device was deleted at the server', async (t) => {
  const machine = await registered(t);
  machine.server.devices.length = 0;

  const result = await machine.run(['listen', '--once', '--name', 'desk2']);

  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(
    machine.server.devices.map(({ name }) => name),
    ['desk2'],
  );
});

test('takes the next free name when another machine has the same', async (t) => {
  const machine = await machineOf(t);
  const other = await machineOf(t);
  other.env.PEAL_SERVER = machine.server.url;

  await machine.run(['listen', '--once']);
  await other.run(['listen', '--once']);

  const [first, second] = machine.server.devices.map(({ name }) => name);
  assert.equal(second, `${first!.slice(0, 23)}-2`);
});

test('goes on as the same device after a new login', async (t) => {
  const machine = await registered(t);
  machine.server.secrets.clear();
  await machine.run(['account', 'login']);
  machine.server.store(1, 'after');

  const result = await machine.run(['listen', '--once', '--json']);

  assert.equal(JSON.parse(result.stdout).message, 'after');
  assert.equal(machine.server.devices.length, 1);
});

test('tells what to do when the session has ended or another program has taken over', async (t) => {
  const machine = await registered(t);
  machine.server.loginFrame = 'E';
  const refused = await machine.run(['listen']);
  machine.server.loginFrame = 'A';
  const replaced = await machine.run(['listen']);

  assert.deepEqual([refused.code, replaced.code], [1, 1]);
  assert.match(refused.stderr, /peal account login/);
  assert.match(replaced.stderr, /another program/);
});

test('tells when the device was deleted while it listened', async (t) => {
  const machine = await registered(t);
  const child = machine.start(['listen', '--json']);
  const told = text(child.stderr);
  const ended = once(child, 'exit');
  machine.server.store(1, 'listening');
  await new Lines(child).next();

  machine.server.devices.length = 0;
  machine.server.loginFrame = 'E';
  machine.server.disconnect();
  const [code] = await ended;

  assert.equal(code, 1);
  assert.match(await told, /was deleted at the server.*peal listen/);
});

test('does not listen twice in one folder', async (t) => {
  const machine = await registered(t);
  const child = machine.start(['listen', '--json']);
  machine.server.store(1, 'listening');
  await new Lines(child).next();

  const second = await machine.run(['listen', '--once']);
  await end(child, 'SIGTERM');

  assert.equal(second.code, 3);
  assert.match(second.stderr, /in use by process/);
});

test('starts without the server once it is registered, and ends with 3 if it is to fetch only once', async (t) => {
  const machine = await registered(t);
  await machine.server.stop();

  const fetched = await machine.run(['listen', '--once']);
  const child = machine.start(['listen']);
  const [told] = await once(child.stderr, 'data');
  const code = await end(child, 'SIGTERM');

  assert.equal(fetched.code, 3);
  assert.match(String(told), /as soon as it can be reached/);
  assert.equal(code, 0);
});
