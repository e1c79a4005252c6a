/** The operator's commands, as they are installed, against the whole of Peal. */

import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, type TestContext, test } from 'node:test';
import type { Command } from 'commander';
import type { Operator } from '../../cli/admin/operator.ts';
import { type SetupOptions, setUpAccount, setUpCarriers } from '../../cli/admin/setup.ts';
import type { Asker } from '../../cli/admin/setup-credentials.ts';
import { RefusedError } from '../../cli/errors.ts';
import { buildProgram } from '../../cli/program.ts';
import type { AdminCommand, AnswerOf, CommandName } from '../../functions/admin/index.ts';
import { QUOTA } from '../support/configs.ts';
import { newDevice } from '../support/devices.ts';
import { get, newAccount, post, usePeal } from '../support/peal.ts';
import { makeOperator } from './operator.ts';
import { Machine } from './run.ts';

const peal = usePeal({
  credentials: 'off',
  config: QUOTA,
});

const PASSWORD = 'correct horse';
/** The API as the stack knows it. */
const API = /^https:\/\/\w+\.execute-api\.[\w.-]+$/;

async function operatorMachine(t: TestContext): Promise<Machine> {
  const machine = await Machine.at(t, { url: peal().api, socket: peal().socket });
  makeOperator(machine, peal());
  machine.env.PEAL_PASSWORD = PASSWORD;
  return machine;
}

/** Runs a command that must do well, and reads its JSON. */
async function ask(machine: Machine, ...args: string[]) {
  const { code, stdout, stderr } = await machine.run(['admin', ...args, '--json']);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

beforeEach(async () => {
  peal().carriers.faults.clear();
  for (const secret of ['FcmCredentials', 'ApnsCredentials', 'WebPushCredentials'])
    await peal().cloud.putSecret(secret, '{}');
});

/** Credentials as Google and Apple give them: files. */
async function files({ folder }: Machine) {
  const { serviceAccount, apns } = peal().credentials;
  const fcm = join(folder, 'service-account.json');
  const key = join(folder, `AuthKey_${apns.keyId}.p8`);
  await writeFile(fcm, JSON.stringify(serviceAccount));
  await writeFile(key, apns.privateKey);
  return { fcm, key, team: apns.teamId };
}

describe('setting up by options', () => {
  test('sets the carriers and makes the first account, and does nothing a second time', async (t) => {
    const machine = await operatorMachine(t);
    const { fcm, key, team } = await files(machine);
    const email = 'first@example.org';
    const options = [
      ...['setup', '--fcm', fcm, '--apns-key', key, '--apns-team', team, '--apns-topic', 'org.example.app'],
      ...['--vapid-subject', 'mailto:ops@peal.example', '--email', email],
    ];

    const first = await ask(machine, ...options);
    const second = await machine.run(['admin', ...options]);
    const { queues } = await ask(machine, 'status');

    const results = first.carriers.map(({ carrier, result, good }: Record<string, unknown>) => [
      carrier,
      result,
      good,
    ]);
    assert.deepEqual(results, [
      ['fcm', 'stored', true],
      ['apns', 'stored', true],
      ['webpush', 'stored', true],
    ]);
    assert.deepEqual([first.account.email, first.account.made], [email, true]);
    assert.match(first.api, API);
    assert.equal(second.code, 0, second.stderr);
    assert.match(second.stderr, /Firebase \(Android\): is set already .* Checked: FCM takes messages/);
    assert.match(second.stdout, new RegExp(`Account ${email} is there.*\n\nWhat comes next:`));
    assert.ok(second.stdout.includes(`curl -d token=APP_TOKEN -d user=${first.account.user}`));
    assert.equal(queues.length, 7);
    assert.deepEqual(
      queues.slice(0, 3).map(({ credentials }: { credentials: string }) => credentials),
      ['on', 'on', 'on'],
    );
  });

  test('with wrong credentials stores none, does the rest, and fails', async (t) => {
    const machine = await operatorMachine(t);
    const wrong = JSON.stringify({ ...peal().credentials.serviceAccount, project_id: 'another' });

    const { code, stdout, stderr } = await machine.run(
      ['admin', 'setup', '--fcm', '-', '--vapid-subject', 'https://peal.example/contact', '--json'],
      wrong,
    );

    const { carriers } = JSON.parse(stdout);
    assert.equal(code, 1);
    assert.deepEqual(
      carriers.map(({ result }: { result: string }) => result),
      ['refused', 'skipped', 'stored'],
    );
    assert.match(stderr, /Firebase \(Android\): NOT set, they are wrong: FCM 403 PERMISSION_DENIED/);
    assert.match(stderr, /"error":"not set: fcm"/);
  });

  test('with a carrier that cannot be reached fails so that it is tried again', async (t) => {
    const machine = await operatorMachine(t);
    const { fcm } = await files(machine);
    peal().carriers.faults.add({ carrier: 'fcm', fault: { kind: 'status', status: 503 } });

    const cautious = await machine.run(['admin', 'setup', '--fcm', fcm]);
    const daring = await machine.run(['admin', 'setup', '--fcm', fcm, '--unchecked']);

    assert.deepEqual([cautious.code, daring.code], [3, 0], cautious.stderr + daring.stderr);
    assert.match(cautious.stderr, /NOT set, since it could not be asked.*--unchecked/);
    assert.match(daring.stderr, /set \(project peal-local/);
  });

  test('says what is missing or cannot be', async (t) => {
    const machine = await operatorMachine(t);
    const { fcm, key } = await files(machine);
    const runs = [
      ['--apns-key', key],
      ['--fcm', join(machine.folder, 'nothing.json')],
      ['--fcm', '-', '--password-stdin'],
      ['--replace', 'sms'],
      ['--fcm', fcm, '--apns-environment', 'moon'],
    ];

    const results = await Promise.all(runs.map((run) => machine.run(['admin', 'setup', ...run])));

    assert.deepEqual(
      results.map(({ code }) => code),
      [2, 2, 2, 2, 2],
    );
    const told = results.map(({ stderr }) => stderr);
    assert.match(told[0]!, /needs --apns-team/);
    assert.match(told[1]!, /cannot read the credentials.*nothing\.json/);
    assert.match(told[2]!, /standard input can be only one/);
    assert.match(told[3]!, /Can only be fcm, apns, webpush/);
    assert.match(told[4]!, /production, sandbox/);
  });

  test('replaces a VAPID key only when told twice', async (t) => {
    const machine = await operatorMachine(t);
    const options = ['setup', '--vapid-subject', 'mailto:ops@peal.example', '--replace', 'webpush'];
    const first = await ask(machine, ...options);

    const unasked = await machine.run(['admin', ...options]);
    const sure = await ask(machine, ...options, '--yes');

    const about = ({ carriers }: { carriers: { about: string }[] }) => carriers[2]!.about;
    assert.equal(unasked.code, 2);
    assert.match(unasked.stderr, /browsers have to subscribe anew/);
    assert.notEqual(about(sure), about(first));
  });
});

describe('setting up by asking', () => {
  /** A person who answers in order, and what they were told. */
  function person(answers: string[]): Asker & { told: string[] } {
    const told: string[] = [];
    return {
      told,
      interactive: true,
      ask: async (question) => {
        told.push(question);
        return answers.shift() ?? assert.fail(`nobody has an answer to: ${question}`);
      },
      readInput: async () => assert.fail('nothing is read from the standard input'),
      note: (text) => void told.push(text),
    };
  }

  /** The operator, without a process of its own. */
  const operator: Operator = {
    json: false,
    async ask<Name extends CommandName>(command: AdminCommand<Name>): Promise<AnswerOf<Name>> {
      const { payload } = await peal().cloud.functionNamed('Admin').invoke(command);
      const { errors } = Object(payload);
      if (errors) throw new RefusedError(errors.join('; '), []);
      return payload as AnswerOf<Name>;
    },
    apiAt: (address) => address,
    print: async () => undefined,
  };

  const run = (options: SetupOptions, asker: Asker) => setUpCarriers(operator, options, asker);

  test('asks again for what was wrong, takes the key’s id from its file, and skips on Enter', async (t) => {
    const machine = await operatorMachine(t);
    const { key, team } = await files(machine);
    const asker = person([
      '',
      ...[key, '', 'WRONGTEAM1', 'org.example.app', ''],
      ...[key, '', team, 'org.example.app', ''],
      'mailto:ops@peal.example',
    ]);

    const outcomes = await run({}, asker);

    assert.deepEqual(
      outcomes.map(({ result }) => result),
      ['skipped', 'stored', 'stored'],
    );
    assert.ok(asker.told.some((text) => /APNs \(iPhone\): NOT set.*InvalidProviderToken/.test(text)));
    assert.ok(asker.told.some((text) => text.includes(`Key id [${peal().credentials.apns.keyId}]`)));
  });

  test('asks nothing about what is set, and warns before a VAPID key is replaced', async (t) => {
    const machine = await operatorMachine(t);
    const { fcm } = await files(machine);
    await run({ fcm, vapidSubject: 'mailto:ops@peal.example' }, person(['']));
    const asker = person(['', 'n']);

    const outcomes = await run({ replace: ['webpush'] }, asker);

    assert.deepEqual(
      outcomes.map(({ result }) => result),
      ['kept', 'skipped', 'kept'],
    );
    assert.ok(asker.told.some((text) => /subscribe anew.*\nReplace it\?/.test(text)));
  });

  test('makes the account that is wanted, once', async () => {
    const email = 'asked@example.org';
    let chosen = 0;
    const choose = async () => {
      chosen++;
      return { password: PASSWORD, generated: {} };
    };

    const made = await setUpAccount(operator, { email }, person([]), choose);
    const again = await setUpAccount(operator, { email }, person([]), choose);
    const none = await setUpAccount(operator, {}, person([]), choose);

    assert.deepEqual([made?.made, again?.made, chosen], [true, false, 1]);
    assert.equal(again?.user, made?.user);
    assert.equal(none, undefined);
  });
});

describe('accounts', () => {
  test('are listed and shown', async (t) => {
    const machine = await operatorMachine(t);
    const account = await newAccount(peal());
    await newDevice(account, { name: 'desk' });

    const listed = await ask(machine, 'account', 'list');
    const some = await ask(machine, 'account', 'list', '--limit', '1');
    const shown = await machine.run(['admin', 'account', 'show', account.email]);
    const json = await ask(machine, 'account', 'show', account.email);
    const nobody = await machine.run(['admin', 'account', 'show', 'nobody@example.org']);

    const mine = listed.find(({ email }: { email: string }) => email === account.email);
    assert.equal(mine.user, account.user);
    assert.equal(some.length, 1);
    assert.match(shown.stdout, new RegExp(`User key: +${account.user}`));
    assert.match(shown.stdout, /^desk +desktop +on +\d{4}-\d\d-\d\d$/m);
    assert.deepEqual([json.devices.length, json.apps.length, json.sessions], [1, 1, 1]);
    assert.equal(nobody.code, 1);
    assert.match(nobody.stderr, /email has no account/);
  });

  test('are only deleted by who means it', async (t) => {
    const machine = await operatorMachine(t);
    const { email, user, password } = await newAccount(peal());

    const unasked = await machine.run(['admin', 'account', 'delete', email]);
    const still = await post(peal(), 'users/login.json', { email, password });
    const deleted = await ask(machine, 'account', 'delete', email, '--yes');
    const gone = await post(peal(), 'users/login.json', { email, password });

    assert.deepEqual([unasked.code, still.status], [2, 200]);
    assert.match(unasked.stderr, /for good.*nobody to ask/);
    assert.deepEqual(deleted, { email, user, deleted: true });
    assert.equal(gone.status, 400);
  });

  test('are exported into a file for its owner alone, or to the standard output', async (t) => {
    const machine = await operatorMachine(t);
    const account = await newAccount(peal());
    await newDevice(account, { name: 'old', platform: 'open' });
    await post(peal(), 'messages.json', { token: account.token, user: account.user, message: 'readable' });
    const file = join(machine.folder, 'export.json');

    const done = await ask(machine, 'account', 'export', account.email, '--output', file);
    const again = await machine.run(['admin', 'account', 'export', account.email, '--output', file]);
    const piped = await machine.run(['admin', 'account', 'export', account.email]);

    const text = await readFile(file, 'utf8');
    const { account: entries, messages, devices } = JSON.parse(text);
    assert.deepEqual(done, { email: account.email, file });
    assert.equal(entries[0].email, account.email);
    assert.equal(devices[0].name, 'old');
    assert.equal(messages[0].message.message, 'readable');
    assert.equal(again.code, 2);
    assert.match(again.stderr, /is there already/);
    assert.equal(piped.stdout, text);
  });

  test('whose owner has lost a token get another, and lose an app', async (t) => {
    const machine = await operatorMachine(t);
    const { email, token } = await newAccount(peal());
    const [{ id }] = await ask(machine, 'apps', email);

    const rotated = await ask(machine, 'apps', 'rotate', email, id);
    const good = await get(peal(), 'apps/limits.json', { token: rotated.token });
    const old = await get(peal(), 'apps/limits.json', { token });
    const unasked = await machine.run(['admin', 'apps', 'delete', email, id]);
    const deleted = await ask(machine, 'apps', 'delete', email, id, '--yes');
    const { stdout } = await machine.run(['admin', 'apps', email]);

    assert.deepEqual([good.status, old.status, unasked.code], [200, 400, 2]);
    assert.deepEqual(deleted, { id });
    assert.match(stdout, /has no applications/);
  });

  test('have a quota of their own, none, or that of all', async (t) => {
    const machine = await operatorMachine(t);
    const { email, token } = await newAccount(peal());
    const limit = async () => (await get(peal(), 'apps/limits.json', { token })).body.limit;

    const shown = await ask(machine, 'quota', email);
    const own = await ask(machine, 'quota', email, '50000');
    const limited = await limit();
    const none = await machine.run(['admin', 'quota', email, 'none']);
    const back = await ask(machine, 'quota', email, 'default');
    const wrong = await machine.run(['admin', 'quota', email, 'lots']);

    assert.deepEqual(shown, { email, limit: 100, own: false, remaining: 100 });
    assert.deepEqual(own, { email, limit: 50_000, own: true, remaining: 50_000 });
    assert.equal(limited, 50_000);
    assert.match(none.stdout, /none \(its own\)/);
    assert.deepEqual(back, shown);
    assert.equal(wrong.code, 2);
  });
});

test('invitations are listed with their notes, and taken back', async (t) => {
  const machine = await operatorMachine(t);
  const { id } = await ask(machine, 'invite', '--note', 'for Ann');

  const listed = await ask(machine, 'invitations');
  const table = await machine.run(['admin', 'invitations', 'list']);
  const revoked = await ask(machine, 'invitations', 'revoke', id);
  const { stdout } = await machine.run(['admin', 'invitations']);

  assert.deepEqual([listed[0].id, listed[0].note], [id, 'for Ann']);
  assert.match(table.stdout, new RegExp(`^${id} .* for Ann$`, 'm'));
  assert.deepEqual(revoked, { id });
  assert.match(stdout, /No invitations are open/);
});

test('the status says versions, sign-up and quota', async (t) => {
  const machine = await operatorMachine(t);
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));

  const status = await ask(machine, 'status');
  const { stdout } = await machine.run(['admin', 'status']);

  assert.deepEqual(
    [status.version, status.command_version, status.sign_up, status.quota],
    [version, version, 'open', 100],
  );
  assert.match(status.api, API);
  assert.match(stdout, new RegExp(`^Version: +${version} deployed$`, 'm'));
  assert.match(stdout, /^Quota: +100 a month and account$/m);
});

test('the local cloud of a folder is asked without credentials', async (t) => {
  const machine = await Machine.at(t, { url: peal().api, socket: peal().socket });
  const { cloud, api, socket } = peal();
  const operator = { function: cloud.functionNamed('Admin').spec.name, endpoint: cloud.front.url };
  await mkdir(join(machine.folder, '.local'));
  await writeFile(join(machine.folder, '.local', 'state.json'), JSON.stringify({ api, socket, operator }));

  const status = await ask(machine, 'status', '--local');

  assert.equal(status.api, api);
});

test('every command says what it does', async (t) => {
  const machine = await operatorMachine(t);
  const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)];
  const commands = all(buildProgram());

  const { code, stdout } = await machine.run(['admin', 'account', 'export', '--help']);

  assert.equal(code, 0);
  assert.match(stdout, /^Usage: peal admin account export/);
  assert.ok(commands.length > 30);
  for (const command of commands) {
    assert.notEqual(command.description(), '', command.name());
    assert.match(command.helpInformation(), /^Usage: peal /);
  }
});
