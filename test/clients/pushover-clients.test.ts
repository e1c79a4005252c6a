import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { NetworkRules } from '../../local/network/redirect.ts';
import { imageOf } from '../support/images.ts';
import { usePeal } from '../support/peal.ts';
import { type ClientReport, runClient } from './client-process.ts';
import { type Household, openHousehold } from './household.ts';

const TOKEN_ERROR = 'application token is invalid, see https://pushover.net/api';
const WRONG_TOKEN = `a${'x'.repeat(29)}`;
const FIELDS = {
  title: 'Grüße',
  url: 'https://example.org/?a=b&c=d',
  url_title: 'Link',
  priority: 1,
  sound: 'magic',
};

const peal = usePeal();
let folder: string;
let network: NetworkRules;
let household: Household;

/** Sends with a client; the message goes to the household's user. */
function send(source: string, message: Record<string, unknown>, token = household.token) {
  return runClient(network, source, { user: household.user, token, message });
}

/** What a call that went well reported. */
function succeeded(report: ClientReport): unknown {
  assert.ok('succeeded' in report, `the client failed: ${JSON.stringify(report)}`);
  return report.succeeded;
}

/** What a call that failed reported. */
function failed(report: ClientReport): unknown {
  assert.ok('failed' in report, `the client did not fail: ${JSON.stringify(report)}`);
  return report.failed;
}

/** Waits until every device has shown the message, and checks what each shows of it. */
async function assertArrived(message: string, fields: Record<string, unknown>): Promise<void> {
  const shown = await household.arrival(message);

  assert.deepEqual(Object.keys(shown).sort(), household.names.sort());
  for (const [name, stored] of Object.entries(shown)) {
    assert.equal(stored.kind, 'message', name);
    const { id: _, umid, aid, app, icon, date, received, expires, ...rest } = stored.message;
    assert.ok(umid > 0 && aid > 0 && date > 0, name);
    if (rest.attachment) rest.attachment = { type: rest.attachment.type, size: rest.attachment.size };
    assert.deepEqual({ app, icon, ...rest }, { app: 'Tests', icon: 'default', message, ...fields }, name);
  }
}

/** Each client: how it sends `input.message`, and how it reports. */
const NOTIFICATIONS = `
  const Pushover = require('pushover-notifications');
  const { user, token, message } = input;
  let refused = false;
  const onerror = (error) => { refused = true; fail(error); };
  if (message.file?.base64) message.file.data = Buffer.from(message.file.base64, 'base64');
  new Pushover({ user, token, onerror }).send(message, (error, result) => {
    if (error) fail(error);
    else if (!refused) succeed(JSON.parse(result));
  });`;

const JS = `
  const { Pushover } = require('pushover-js');
  const { title, message, sound, priority, url, url_title, attachment } = input.message;
  const client = new Pushover(input.user, input.token);
  if (sound) client.setSound(sound);
  if (attachment) client.setAttachment(attachment.name, attachment.path);
  if (priority) client.setPriority(priority);
  if (url) client.setUrl(url, url_title);
  client.send(title, message).then(succeed, fail);`;

const CLIENT = `
  const Pushover = require('node-pushover-client');
  const { user, token, message: { url_title: urlTitle, ...message } } = input;
  new Pushover({ user, token }).send({ ...message, ...(urlTitle && { urlTitle }) }).then(succeed, fail);`;

describe('the clients that npm has for Pushover', () => {
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'peal-clients-'));
    const ca = join(folder, 'ca.pem');
    writeFileSync(ca, peal().cloud.authority.pem);
    network = { hosts: { 'api.pushover.net:443': peal().cloud.api!.httpsPort }, ca, deny: true };
    household = await openHousehold(peal());
  });

  after(async () => {
    await household.stop();
    rmSync(folder, { recursive: true });
  });

  test('pushover-notifications: its callback gets the answer, and all four kinds of device the message', async () => {
    const message = 'from pushover-notifications 👋 & more';

    const report = await send(NOTIFICATIONS, { message, ...FIELDS });

    const answer = succeeded(report) as Record<string, unknown>;
    assert.equal(answer.status, 1);
    assert.match(String(answer.request), /^[0-9a-f-]{36}$/);
    await assertArrived(message, FIELDS);
  });

  test('pushover-notifications: a message without any other field arrives', async () => {
    const message = 'the closing boundary sticks to me';

    const report = await send(NOTIFICATIONS, { message });

    assert.equal((succeeded(report) as Record<string, unknown>).status, 1);
    await assertArrived(message, { priority: 0 });
  });

  for (const [how, file] of [
    ['a file with a type', { name: 'dot.png', type: 'image/png' }],
    ['a file without a type', { name: 'dot.bin' }],
  ] as const) {
    test(`pushover-notifications: a message with ${how} arrives with its image`, async () => {
      const message = `with ${how}`;
      const boundary = Buffer.from('\r\n--p5j\r\n');
      const base64 = Buffer.concat([imageOf('image/png', 2048), boundary, Buffer.from('more')]).toString(
        'base64',
      );

      const report = await send(NOTIFICATIONS, { message, ...FIELDS, file: { ...file, base64 } });

      assert.equal((succeeded(report) as Record<string, unknown>).status, 1);
      const attachment = { type: 'image/png', size: 2048 + boundary.length + 4 };
      await assertArrived(message, { ...FIELDS, attachment });
    });
  }

  test('pushover-js: its promise resolves, and all four kinds of device get the message', async () => {
    const message = 'from pushover-js 👋 & more';

    const report = await send(JS, { message, ...FIELDS });

    const { statusCode, data, headers } = succeeded(report) as Record<string, unknown>;
    assert.equal(statusCode, 200);
    assert.equal(JSON.parse(String(data)).status, 1);
    assert.match((headers as Record<string, string>)['x-limit-app-remaining'] ?? '', /^\d+$/);
    await assertArrived(message, FIELDS);
  });

  test('pushover-js: a message with a file arrives with its image', async () => {
    const message = 'from pushover-js with a file';
    const path = join(folder, 'dot.png');
    writeFileSync(path, imageOf('image/jpeg', 3000));

    const report = await send(JS, {
      message,
      title: 'Title',
      sound: 'magic',
      attachment: { name: 'dot.png', path },
    });

    assert.equal((succeeded(report) as Record<string, unknown>).statusCode, 200);
    const attachment = { type: 'image/jpeg', size: 3000 };
    await assertArrived(message, { title: 'Title', sound: 'magic', priority: 0, attachment });
  });

  test('node-pushover-client: its promise resolves, and all four kinds of device get the message', async () => {
    const message = 'from node-pushover-client 👋 & more';

    const report = await send(CLIENT, { message, ...FIELDS });

    assert.equal((succeeded(report) as Record<string, unknown>).status, 1);
    await assertArrived(message, FIELDS);
  });

  test('each client reports a token that is refused, and no device gets a message', async () => {
    const before = household.counts();

    const [notifications, js, client] = await Promise.all(
      [NOTIFICATIONS, JS, CLIENT].map((source) => send(source, { title: 'no', message: 'no' }, WRONG_TOKEN)),
    );

    assert.equal(failed(notifications!), TOKEN_ERROR);
    const { name, statusCode, message } = failed(js!) as Record<string, unknown>;
    const { request: _, ...refused } = JSON.parse(String(message));
    assert.deepEqual([name, statusCode], ['Response error', 400]);
    assert.deepEqual(refused, { token: 'invalid', errors: [TOKEN_ERROR], status: 0 });
    const error = failed(client!) as Record<string, unknown>;
    assert.deepEqual(
      [error.message, error.token, error.errors],
      ['Failed to send message', 'invalid', [TOKEN_ERROR]],
    );
    assert.deepEqual(household.counts(), before);
  });

  test('the clients reach nothing but api.pushover.net', async () => {
    const requests = await runClient({ ...network, hosts: {} }, CLIENT, {
      user: household.user,
      token: household.token,
      message: { message: 'nowhere' },
    });

    assert.match(JSON.stringify(failed(requests)), /knows no host api\.pushover\.net:443/);
  });
});
