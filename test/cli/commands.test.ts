import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { EMAIL, PASSWORD, TOKEN, USER } from './fake-server.ts';
import { FakeMachine } from './run.ts';

/** A machine that is logged in. */
async function loggedIn(t: Parameters<typeof FakeMachine.create>[0]): Promise<FakeMachine> {
  const machine = await FakeMachine.create(t);
  machine.logInUser();
  return machine;
}

test('signs up with an invitation, and keeps the session for its owner alone', async (t) => {
  const machine = await FakeMachine.create(t);
  machine.env.PEAL_PASSWORD = PASSWORD;

  const result = await machine.run(['account', 'create', '--email', EMAIL, '--invitation', 'code', '--json']);

  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(JSON.parse(result.stdout), { server: machine.server.url, email: EMAIL, user: USER });
  assert.equal((await stat(machine.configFile)).mode & 0o777, 0o600);
  assert.equal((await stat(dirname(machine.configFile))).mode & 0o777, 0o700);
  assert.match(await readFile(machine.configFile, 'utf8'), /secret1x/);
});

test('tells when others can read the configuration, and closes it with the next change', async (t) => {
  const machine = await loggedIn(t);
  await chmod(machine.configFile, 0o644);

  const warned = await machine.run(['config', 'set', 'token', TOKEN]);
  const after = await machine.run(['config']);

  assert.match(warned.stderr, /chmod 600/);
  assert.equal(after.stderr, '');
});

test('logs out at the server and forgets the session', async (t) => {
  const machine = await loggedIn(t);

  const out = await machine.run(['account', 'logout']);
  const show = await machine.run(['account', 'show', '--json']);
  const list = await machine.run(['app', 'list']);

  assert.equal(out.code, 0, out.stderr);
  assert.equal(machine.server.secrets.size, 0);
  assert.equal(JSON.parse(show.stdout).loggedIn, false);
  assert.equal(list.code, 2);
  assert.match(list.stderr, /peal account login/);
});

test('says how to log in when the password is wrong, missing, or the session has ended', async (t) => {
  const machine = await loggedIn(t);
  machine.server.secrets.clear();

  const login = ['account', 'login', '--email', EMAIL, '--password-stdin'];
  const wrong = await machine.run(login, 'wrong');
  const missing = await machine.run(['account', 'login', '--email', EMAIL]);
  const ended = await machine.run(['device', 'list']);
  const right = await machine.run(login, `${PASSWORD}\n`);

  assert.deepEqual([wrong.code, missing.code, ended.code, right.code], [1, 2, 1, 0]);
  assert.match(wrong.stderr, /password is wrong/);
  assert.match(missing.stderr, /PEAL_PASSWORD/);
  assert.match(ended.stderr, /Log in again/);
});

test('never sends a session or token to another server than its own', async (t) => {
  const machine = await loggedIn(t);
  const other = await FakeMachine.create(t);
  await machine.run(['config', 'set', 'token', TOKEN]);

  const list = await machine.run(['app', 'list', '--server', other.server.url]);
  const send = await machine.run(['send', 'hi', '--user', USER, '--server', other.server.url]);

  assert.deepEqual([list.code, send.code], [2, 2]);
  assert.deepEqual(other.server.requests, []);
});

test('makes, lists, rotates and deletes applications', async (t) => {
  const machine = await loggedIn(t);

  const made = await machine.run(['app', 'create', 'back\u001bup', '--save', '--json']);
  const listed = await machine.run(['app', 'list']);
  const rotated = await machine.run(['app', 'rotate', 'app1']);
  const unasked = await machine.run(['app', 'delete', 'app1']);
  const deleted = await machine.run(['app', 'delete', 'app1', '--yes']);
  const sent = await machine.run(['send', 'with the token that was saved']);

  assert.deepEqual(JSON.parse(made.stdout), { id: 'app1', name: 'back\u001bup', token: TOKEN });
  assert.match(listed.stdout, /app1 {2}back␛up {2}2027-01-15/);
  assert.match(rotated.stdout, new RegExp(TOKEN));
  assert.equal(unasked.code, 2);
  assert.match(unasked.stderr, /--yes/);
  assert.equal(deleted.code, 0);
  assert.deepEqual(machine.server.apps, []);
  assert.equal(sent.code, 0, sent.stderr);
});

test('lists, renames, disables and deletes devices by their names', async (t) => {
  const machine = await FakeMachine.create(t);
  await machine.register('desk');

  const results = [
    await machine.run(['device', 'rename', 'desk', 'old']),
    await machine.run(['device', 'disable', 'old', '--json']),
    await machine.run(['device', 'list']),
    await machine.run(['device', 'enable', 'desk']),
    await machine.run(['device', 'delete', 'old', '--yes']),
  ];

  assert.deepEqual(
    results.map(({ code }) => code),
    [0, 0, 0, 2, 0],
  );
  assert.deepEqual(JSON.parse(results[1]!.stdout).enabled, false);
  assert.match(results[2]!.stdout, /old +desktop +no +yes/);
  assert.match(results[3]!.stderr, /no device desk/);
  assert.deepEqual(machine.server.devices, []);
});

test('sends a message with everything that can be said of it', async (t) => {
  const machine = await FakeMachine.create(t);
  machine.env.PEAL_TOKEN = TOKEN;

  const result = await machine.run([
    ...[
      'send',
      'Disk',
      'full',
      '--user',
      'u1',
      '--user',
      'u2',
      '--title',
      'web1',
      '--priority',
      '-1',
      '--html',
    ],
    ...['--url', 'https://e.com', '--url-title', 'Log', '--sound', 'magic', '--device', 'a', '--device', 'b'],
    ...['--ttl', '2h', '--timestamp', '2027-01-15T08:00:00Z', '--json'],
  ]);

  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(JSON.parse(result.stdout), { status: 1, request: 'r-1' });
  assert.deepEqual(machine.server.sent, [
    {
      ...{
        token: TOKEN,
        user: 'u1,u2',
        message: 'Disk full',
        title: 'web1',
        device: 'a,b',
        url: 'https://e.com',
      },
      ...{
        url_title: 'Log',
        priority: '-1',
        sound: 'magic',
        timestamp: '1800000000',
        ttl: '7200',
        html: '1',
      },
    },
  ]);
});

test('sends what comes through a pipe, to the own account', async (t) => {
  const machine = await loggedIn(t);

  const result = await machine.run(['send', '--token', TOKEN, '--priority', 'high'], 'two\nlines ü\n');

  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(machine.server.sent, [
    { token: TOKEN, user: USER, message: 'two\nlines ü', priority: '1' },
  ]);
});

test('tries again while the server is in trouble, and only then', async (t) => {
  const machine = await FakeMachine.create(t);
  const send = (...more: string[]) => machine.run(['send', 'hi', '--user', USER, '--wait', '0', ...more]);
  machine.server.failures = [500, 503, 429, 502, 503];

  const twice = await send('--token', TOKEN, '--tries', '2');
  const saved = await send('--token', TOKEN, '--tries', '4');
  const refused = await send('--token', 'wrong', '--tries', '4');

  assert.deepEqual([twice.code, saved.code, refused.code], [3, 0, 1]);
  assert.match(twice.stderr, /in trouble \(503\)/);
  assert.match(refused.stderr, /application token is invalid, .*\n.*--token/);
  assert.equal(machine.server.requests.length, 2 + 4 + 1);
});

test('ends with 3 when there is no server', async (t) => {
  const machine = await FakeMachine.create(t);
  await machine.server.stop();

  const result = await machine.run([
    'send',
    'hi',
    '--user',
    USER,
    '--token',
    TOKEN,
    '--tries',
    '1',
    '--json',
  ]);

  assert.equal(result.code, 3);
  assert.match(JSON.parse(result.stderr).error, /cannot reach .*ECONNREFUSED/);
});

test('ends with 2 for what cannot be meant', async (t) => {
  const machine = await FakeMachine.create(t);
  const wrong = [
    ['frobnicate'],
    ['send', 'hi', '--user', USER],
    ['send', 'hi', '--token', TOKEN],
    ['send', '--token', TOKEN, '--user', USER],
    ['send', 'hi', '--priority', '3'],
    ['send', 'hi', '--ttl', 'soon'],
    ['send', 'hi', '--timestamp', 'noon'],
    ['send', 'hi', '--html', '--monospace'],
    ['send', 'hi', '--server', 'peal.example.com'],
    ['send', 'hi', '--local'],
    ['config', 'set', 'colour', 'red'],
    ['config', 'set', 'socket', 'https://e.com'],
    ['config', 'set', 'token', 'short'],
  ];

  const results = await Promise.all(wrong.map((args) => machine.run(args)));

  assert.deepEqual(
    results.map(({ code, stdout, stderr }) => [code, stdout, stderr !== '']),
    wrong.map(() => [2, '', true]),
  );
  assert.deepEqual(machine.server.requests, []);
});

test('keeps addresses for each server, and shows them', async (t) => {
  const machine = await FakeMachine.create(t);
  machine.env.PEAL_SERVER = '';
  machine.env.PEAL_SOCKET = '';

  const set = await machine.run(['config', 'set', 'server', 'https://Peal.example.com/1/']);
  const derived = await machine.run(['config', '--json']);
  await machine.run(['config', 'set', 'socket', 'wss://push.example.com/push']);
  const kept = await machine.run(['config', 'show', '--json']);
  await machine.run(['config', 'unset', 'socket']);
  const unset = await machine.run(['config', '--json']);

  assert.equal(set.stdout, 'server is https://peal.example.com\n');
  assert.equal(JSON.parse(derived.stdout).socket, 'wss://peal.example.com/push');
  assert.equal(JSON.parse(kept.stdout).socket, 'wss://push.example.com/push');
  assert.equal(JSON.parse(unset.stdout).socket, 'wss://peal.example.com/push');
});

test('says so when the configuration is damaged, and leaves it as it is', async (t) => {
  const machine = await FakeMachine.create(t);
  await mkdir(dirname(machine.configFile), { recursive: true });
  await writeFile(machine.configFile, '{"server":', { mode: 0o600 });

  const result = await machine.run(['config', 'set', 'server', 'https://e.com']);

  assert.equal(result.code, 2);
  assert.match(result.stderr, /is not a configuration of Peal.*\n.*delete it/);
  assert.equal(await readFile(machine.configFile, 'utf8'), '{"server":');
});

test('works with the local cloud of the folder without any setting', async (t) => {
  const machine = await FakeMachine.create(t);
  const demo = { email: EMAIL, password: PASSWORD, user: USER, token: TOKEN };
  await mkdir(join(machine.folder, '.local'));
  await writeFile(
    join(machine.folder, '.local', 'state.json'),
    JSON.stringify({ api: machine.server.url, socket: machine.server.socket, demo }),
  );
  machine.env.PEAL_SERVER = 'http://127.0.0.1:9';

  const sent = await machine.run(['send', 'hi', '--local']);
  const first = await machine.run(['app', 'create', 'one', '--local']);
  machine.server.secrets.clear();
  const afterRestart = await machine.run(['app', 'create', 'two', '--local']);

  assert.deepEqual([sent.code, first.code, afterRestart.code], [0, 0, 0], afterRestart.stderr);
  assert.deepEqual(machine.server.sent, [{ token: TOKEN, user: USER, message: 'hi' }]);
  assert.equal(machine.server.apps.length, 2);
});

test('ends quietly when nobody reads on', async (t) => {
  const machine = await FakeMachine.create(t);

  const child = machine.start(['--help']);
  child.stdout.destroy();
  const code = await new Promise((resolve) => child.once('exit', resolve));

  assert.equal(code, 0);
});

test('an E2EE key that is none is refused without being shown, and a file that others can read is told', async (t) => {
  const machine = await loggedIn(t);
  const file = join(machine.folder, 'key');
  await writeFile(file, 'e'.repeat(64));
  await chmod(file, 0o644);

  const send = ['send', 'hi', '--token', TOKEN];
  const missing = await machine.run([...send, '--e2ee-key-file', `${file}.not`]);
  const open = await machine.run([...send, '--e2ee-key-file', file]);
  machine.env.PEAL_E2EE_KEY = 'not-a-key';
  const bad = await machine.run(send);

  assert.deepEqual([missing.code, open.code, bad.code], [2, 0, 2]);
  assert.match(missing.stderr, /cannot read the E2EE key/);
  assert.match(open.stderr, /chmod 600/);
  assert.match(bad.stderr, /PEAL_E2EE_KEY holds no E2EE key/);
  assert.doesNotMatch(bad.stderr, /not-a-key/);
});
