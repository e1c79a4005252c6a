/** The command line, as it is installed, against the whole of Peal. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { createApi } from '../../lib/device/index.ts';
import { admin } from '../support/admin.ts';
import { INVITING } from '../support/configs.ts';
import { imageOf } from '../support/images.ts';
import { get, post, type TestAccount, usePeal } from '../support/peal.ts';
import { codeOf } from '../support/totp.ts';
import { makeOperator } from './operator.ts';
import { end, Lines, Machine } from './run.ts';

const PASSWORD = 'correct horse';

let users = 0;

/** A machine for a user who is not signed up yet. */
async function newMachine(t: TestContext): Promise<Machine & { email: string }> {
  users++;
  const email = `cli${users}@example.org`;
  const machine = await Machine.at(t, { url: peal().api, socket: peal().socket });
  Object.assign(machine.env, { PEAL_EMAIL: email, PEAL_PASSWORD: PASSWORD });
  return Object.assign(machine, { email });
}

/** Runs a command that must do well, and reads its JSON. */
async function ask(machine: Machine, ...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await machine.run([...args, '--json']);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

/** The text of a printed message. */
function textOf(line: string | undefined): unknown {
  return JSON.parse(line ?? 'null')?.message;
}

const peal = usePeal({
  config: INVITING,
  expectedErrors: /unknown access key|may not lambda/,
});

/** An account of the operator's making, with an app. */
async function makeAccount() {
  const credentials = { email: `ready${++users}@example.org`, password: PASSWORD };
  await admin(peal(), { command: 'create-account', ...credentials });
  const open = createApi({ url: peal().api });
  const { user, secret } = await open.login(credentials);
  const api = open.withSecret(secret);
  const { token } = await api.createApp('Tests');
  return { ...credentials, user, secret, api, token };
}

describe('a user', () => {
  /** A machine whose user has an account and an app, and which is registered as the device `desk`. */
  async function ready(t: TestContext) {
    const account = await makeAccount();
    const machine = await machineOf(t, account, 'desk');
    const { token, user } = account;
    const send = async (message: string) => {
      const { status } = await post(peal(), 'messages.json', { token, user, message });
      assert.equal(status, 200);
    };
    return { account, machine, send };
  }

  /** A machine that is registered as a device of an account. */
  async function machineOf(t: TestContext, account: TestAccount, name: string): Promise<Machine> {
    const machine = await Machine.at(t, { url: peal().api, socket: peal().socket });
    machine.env.PEAL_TOKEN = account.token;
    machine.logIn(account);
    await machine.registerAs(account, name);
    return machine;
  }

  test('what is sent with an E2EE key is shown where the same key is, and as ciphertext elsewhere', async (t) => {
    const { machine, account } = await ready(t);
    const other = await machineOf(t, account, 'other');
    const file = join(machine.folder, 'key');
    await writeFile(file, `${'0123456789abcdef'.repeat(4)}\n`, { mode: 0o600 });
    const withKey = ['--e2ee-key-file', file];
    const key = { PEAL_E2EE_KEY: 'f'.repeat(64) };

    await ask(machine, 'send', 'very secret', '--title', 'Title', ...withKey);
    Object.assign(machine.env, key);
    await ask(machine, 'send', 'also secret', '--title', 'Headline');
    const { stdout } = await machine.run(['listen', '--once', ...withKey]);
    // A command that is run for a message is told what was not opened, and never the key.
    Object.assign(other.env, key);
    const show = 'echo "$PEAL_MESSAGE|$PEAL_ENCRYPTED|$PEAL_E2EE_KEY"';
    const told = await other.run(['listen', '--once', '--exec', show]);

    assert.match(
      stdout,
      /^.* Tests: Title\n {2}very secret\n.*\(encrypted, not opened\)\n {2}[A-Za-z0-9+/=]{108,}\n$/,
    );
    assert.doesNotMatch(stdout, /also secret|Headline/);
    assert.match(told.stdout, /^[A-Za-z0-9+/=]{108,}\|1\|\nalso secret\|\|\n$/);
  });

  test('signs up with an invitation of the operator, logs in anew and shows who it is', async (t) => {
    const machine = await newMachine(t);
    const operator = await newMachine(t);
    makeOperator(operator, peal());

    const { invitation } = await ask(operator, 'admin', 'invite');
    const without = await machine.run(['account', 'create']);
    const created = await ask(machine, 'account', 'create', '--invitation', String(invitation));
    await ask(machine, 'account', 'logout');
    await ask(machine, 'account', 'login');
    const shown = await ask(machine, 'account', 'show');

    assert.equal(without.code, 1);
    assert.match(without.stderr, /invitation is required/);
    assert.match(String(created.user), /^u[A-Za-z0-9]{29}$/);
    assert.deepEqual(shown, {
      server: peal().api,
      loggedIn: true,
      email: machine.email,
      user: created.user,
    });
  });

  test('registers itself, and lists the applications and devices that it made', async (t) => {
    const machine = await newMachine(t);
    const { email, password } = await makeAccount();
    Object.assign(machine.env, { PEAL_EMAIL: email, PEAL_PASSWORD: password });

    const registered = await machine.run(['listen', '--once', '--name', 'desk']);
    await ask(machine, 'app', 'create', 'Backup');
    const apps = await ask(machine, 'app', 'list');
    await ask(machine, 'device', 'rename', 'desk', 'table');
    const devices = await ask(machine, 'device', 'list');
    await ask(machine, 'device', 'disable', 'table');
    const disabled = await machine.run(['listen']);

    assert.equal(registered.code, 0, registered.stderr);
    assert.deepEqual(
      Object.values(apps)
        .map((app) => Object(app).name)
        .toSorted(),
      ['Backup', 'Tests'],
    );
    assert.deepEqual(
      Object.values(devices).map((device) => [Object(device).name, Object(device).platform]),
      [['table', 'desktop']],
    );
    assert.equal(disabled.code, 1);
    assert.match(disabled.stderr, /table is disabled\n.*peal device enable table/);
  });

  test('goes on with a new token when the application gets one, and not without the application', async (t) => {
    const { machine } = await ready(t);
    const { id } = await ask(machine, 'app', 'create', 'Backup', '--save');
    machine.env.PEAL_TOKEN = '';

    await ask(machine, 'app', 'rotate', String(id), '--save');
    const rotated = await machine.run(['send', 'with the new one']);
    await ask(machine, 'app', 'delete', String(id), '--yes');
    const deleted = await machine.run(['send', 'with none']);

    assert.deepEqual([rotated.code, deleted.code], [0, 1], rotated.stderr);
    assert.match(deleted.stderr, /application token is invalid/);
  });

  test('sends images, small and large, and says where they are kept', async (t) => {
    const { machine, account } = await ready(t);
    const other = await machineOf(t, account, 'other');
    const folder = await mkdtemp(join(tmpdir(), 'peal-images-'));
    t.after(() => rm(folder, { recursive: true }));
    const images = { 'small.png': imageOf('image/png', 2000), 'large.gif': imageOf('image/gif', 4_700_000) };
    for (const [name, bytes] of Object.entries(images)) await writeFile(join(folder, name), bytes);
    await writeFile(join(folder, 'page.png'), '<html>');

    for (const name of Object.keys(images)) await ask(machine, 'send', name, '--attach', join(folder, name));
    const refused = await machine.run(['send', 'no', '--attach', join(folder, 'page.png')]);
    const received = await machine.run(['listen', '--once', '--json']);
    const shown = await other.run(['listen', '--once']);

    const kept = received.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /page\.png is not an image/);
    assert.deepEqual(
      kept.map(({ message, attachment: { path, ...rest } }) => [message, extname(path), rest]),
      [
        ['small.png', '.png', { type: 'image/png', size: 2000 }],
        ['large.gif', '.gif', { type: 'image/gif', size: 4_700_000 }],
      ],
    );
    for (const { message, attachment } of kept) {
      assert.deepEqual(await readFile(attachment.path), images[message as keyof typeof images]);
    }
    assert.match(shown.stdout, /small\.png\n {2}\[.*\/attachments\/\d+\.png\]/);
  });

  test('sends arguments and pipes, and prints them elsewhere', async (t) => {
    const { machine, account } = await ready(t);

    await ask(machine, 'send', 'two', 'words', '--title', 'Über', '--priority', 'high');
    const piped = await machine.run(['send'], 'line 1\nline 2 😀\n');
    const received = await machine.run(['listen', '--once', '--json']);
    const [device] = await account.api.listDevices();
    const { messages } = await account.api.sync(device!.id);

    const [first, second, ...rest] = received.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(piped.code, 0, piped.stderr);
    assert.deepEqual([first.message, first.title, first.priority], ['two words', 'Über', 1]);
    assert.equal(second.message, 'line 1\nline 2 😀');
    assert.deepEqual(rest, []);
    // What was printed is acknowledged.
    assert.deepEqual(messages, []);
  });

  test('acknowledges an emergency, which is not repeated then', async (t) => {
    const { machine } = await ready(t);
    const emergency = ['--priority', 'emergency', '--retry', '30', '--expire', '10m'];
    const { receipt } = await ask(machine, 'send', 'fire', ...emergency);

    const heard = await machine.run(['listen', '--once']);
    const acknowledged = await machine.run(['acknowledge', String(receipt)]);

    const { body } = await get(peal(), `receipts/${receipt}.json`, { token: machine.env.PEAL_TOKEN! });
    assert.match(heard.stdout, new RegExp(`fire\\n +peal acknowledge ${receipt}`));
    assert.equal(acknowledged.code, 0, acknowledged.stderr);
    assert.equal(body.acknowledged, 1);
  });

  test('a listener loses and repeats nothing across kill -9', async (t) => {
    const { machine, send } = await ready(t);
    const first = machine.start(['listen', '--json']);
    const before = new Lines(first);
    await send('one');
    const printed = [textOf(await before.next())];
    await send('two');
    printed.push(textOf(await before.next()));
    await machine.noted();

    await end(first, 'SIGKILL');
    const rest = await before.next();
    await send('while it was dead');
    const second = machine.start(['listen', '--json']);
    const after = new Lines(second);
    printed.push(textOf(await after.next()));
    await send('after');
    printed.push(textOf(await after.next()));
    const code = await end(second, 'SIGINT');

    assert.equal(rest, undefined);
    assert.deepEqual(printed, ['one', 'two', 'while it was dead', 'after']);
    assert.equal(await after.next(), undefined);
    assert.equal(code, 0);
  });

  test('runs a command for each message as it comes', async (t) => {
    const { machine, send } = await ready(t);
    const child = machine.start(['listen', '--exec', 'echo "$PEAL_APP: $PEAL_MESSAGE"']);
    const lines = new Lines(child);

    await send('it is "quoted"; $(touch hacked)');
    const line = await lines.next();
    await end(child, 'SIGTERM');

    assert.equal(line, 'Tests: it is "quoted"; $(touch hacked)');
  });

  test('a second listener is refused in the same folder, and takes over from a copy of it', async (t) => {
    const { machine, send } = await ready(t);
    const copy = await Machine.at(t, { url: peal().api, socket: peal().socket });
    await cp(machine.folder, copy.folder, { recursive: true });
    const first = machine.start(['listen', '--json']);
    const ended = once(first, 'exit');
    const told: string[] = [];
    first.stderr.on('data', (data) => told.push(String(data)));
    await send('for the first');
    await new Lines(first).next();

    const sameFolder = await machine.run(['listen', '--once']);
    const second = copy.start(['listen', '--json']);
    const lines = new Lines(second);
    const [code] = await ended;
    await send('for the second');
    const line = await lines.next();
    await end(second, 'SIGTERM');

    assert.equal(sameFolder.code, 3);
    assert.match(sameFolder.stderr, /in use by process/);
    assert.equal(code, 1);
    assert.match(told.join(''), /another program listens as this device/);
    assert.equal(textOf(line), 'for the second');
  });
});

describe('an operator', () => {
  test('makes accounts', async (t) => {
    const machine = await newMachine(t);
    makeOperator(machine, peal());

    const made = await ask(machine, 'admin', 'account', 'create', machine.email);
    const taken = await machine.run(['admin', 'account', 'create', machine.email]);
    const login = await ask(machine, 'account', 'login');

    assert.deepEqual(made, { email: machine.email, user: login.user });
    assert.equal(taken.code, 1);
    assert.match(taken.stderr, /email has already been taken/);
  });

  test('sets a new password, and takes the second factor away only when told', async (t) => {
    const machine = await newMachine(t);
    makeOperator(machine, peal());
    const { email } = machine;
    await admin(peal(), { command: 'create-account', email, password: PASSWORD });
    const open = createApi({ url: peal().api });
    const { user, secret } = await open.login({ email, password: PASSWORD });
    machine.logIn({ email, user, secret });
    const { body } = await post(peal(), 'users/twofa.json', { secret, password: PASSWORD });
    await post(peal(), 'users/twofa/confirm.json', { secret, twofa: codeOf(String(body.secret)) });
    const code = () => codeOf(String(body.secret), 1);
    const login = (password: string, ...more: string[]) =>
      machine.run(['account', 'login', '--password-stdin', ...more], password);

    const generated = await ask(machine, 'admin', 'reset-password', email, '--generate');
    const ended = await machine.run(['app', 'list']);
    const old = await post(peal(), 'users/login.json', { email, password: PASSWORD });
    const asked = await login(String(generated.password));
    const coded = await login(String(generated.password), '--twofa', code());
    const given = await machine.run(['admin', 'reset-password', email, '--disable-twofa']);
    const plain = await post(peal(), 'users/login.json', { email, password: PASSWORD });

    assert.deepEqual([generated.email, generated.user], [email, user]);
    assert.match(String(generated.password), /^[A-Za-z0-9]{20}$/);
    assert.deepEqual(
      [ended, asked, coded, given].map(({ code }) => code),
      [1, 1, 0, 0],
      coded.stderr + given.stderr,
    );
    assert.deepEqual([old.status, plain.status], [400, 200]);
    assert.match(asked.stderr, /--twofa/);
    assert.match(given.stdout, /password of .* is changed, and all sessions .* are ended\.$/m);
    assert.doesNotMatch(given.stdout, new RegExp(PASSWORD));
  });

  test('sees the queues and puts dead letters back', async (t) => {
    const machine = await newMachine(t);
    makeOperator(machine, peal());

    const shown = await machine.run(['admin', 'status']);
    const done = await ask(machine, 'admin', 'redrive', 'fcm');
    const canary = await machine.run(['admin', 'canary']);

    assert.match(shown.stdout, /^fcm +on +0 +0 +0$/m);
    assert.match(shown.stdout, /^desktop +needs none +0 +0 +0$/m);
    assert.match(shown.stdout, /^Canary: +off \(peal\.config\.ts\)$/m);
    assert.deepEqual(done, { records: 0, expired: 0, unreadable: 0 });
    assert.equal(canary.code, 1);
    assert.match(canary.stderr, /no canary is deployed/);
  });

  test('has a password made up', async (t) => {
    const machine = await newMachine(t);
    makeOperator(machine, peal());

    const { stdout } = await machine.run(['admin', 'account', 'create', machine.email, '--generate']);
    const [, password = ''] = /^Its password: ([A-Za-z0-9]{20})$/m.exec(stdout) ?? [];
    const { status } = await post(peal(), 'users/login.json', { email: machine.email, password });

    assert.equal(status, 200);
  });

  test('is told what is lacking', async (t) => {
    const machine = await newMachine(t);
    makeOperator(machine, peal());
    const right = { ...machine.env };
    const invite = (env: Record<string, string>) => {
      Object.assign(machine.env, right, env);
      return machine.run(['admin', 'invite']);
    };

    const stranger = await invite({ AWS_ACCESS_KEY_ID: 'stranger' });
    const unknown = await invite({ PEAL_ADMIN_FUNCTION: 'nothing' });
    const down = await invite({ AWS_ENDPOINT_URL: 'http://127.0.0.1:9' });
    const unnamed = await invite({ PEAL_ADMIN_FUNCTION: '' });
    const nobody = await invite({ AWS_ACCESS_KEY_ID: '', AWS_EC2_METADATA_DISABLED: 'true' });

    assert.deepEqual(
      [stranger, unknown, down, unnamed, nobody].map(({ code }) => code),
      [1, 1, 3, 2, 2],
    );
    assert.match(stranger.stderr, /lambda:InvokeFunction/);
    assert.match(unknown.stderr, /no function nothing\n.*AdminFunction/);
    assert.match(unnamed.stderr, /AdminFunction/);
    assert.match(nobody.stderr, /AWS_PROFILE/);
  });
});
