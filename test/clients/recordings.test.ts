import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { createApi } from '../../lib/device/index.ts';
import { newDevice, type TestDevice } from '../support/devices.ts';
import { newAccount, post, usePeal } from '../support/peal.ts';
import { exchange, type RawAnswer } from '../support/raw-http.ts';
import { readRecording, type Values } from './recording.ts';

type Json = Record<string, unknown>;

/** What the Open Clients of the recordings log in with. */
const LOGIN = { email: 'someone@example.org', password: 'correct horse & battery' };
const LINK = { url: 'https://example.org/?a=b&c=d', url_title: 'Link' };
const ANY_ID = '1'.repeat(16);

const peal = usePeal();
/** Every request that was replayed, as `client: name`. */
const replayed = new Set<string>();

let values: Values & { token: string; user: string };
let phone: TestDevice;

/** Sends one request of a client as it was recorded. */
function replay(client: string, name: string, more: Values = {}): Promise<RawAnswer> {
  replayed.add(`${client}: ${name}`);
  return exchange(peal(), readRecording(client).request(name, { ...values, ...more }));
}

const json = ({ body }: RawAnswer): Json => JSON.parse(body.toString());

/** Each client's own idea of success, by what it says or returns when it is content. */
const content = {
  /** Any 2xx: axios, Grafana, .NET's EnsureSuccessStatusCode, Alertmanager. */
  with2xx: ({ status }: RawAnswer) => assert.equal(Math.floor(status / 100), 2),
  /** Exactly 200: shoutrrr, Apprise, nbrownus. */
  with200: ({ status }: RawAnswer) => assert.equal(status, 200),
  below400: ({ status }: RawAnswer) => assert.ok(status < 400),
  withStatus1: (answer: RawAnswer) => assert.equal(json(answer).status, 1),
  /** pushover-notifications calls `onerror` for an `errors` that is truthy, be it an empty list. */
  withoutErrors(answer: RawAnswer) {
    assert.ok(!json(answer).errors);
    content.withStatus1(answer);
  },
  /** gregdel/pushover fails unless each limit is there once, as an integer. */
  withLimitsOnce(answer: RawAnswer) {
    content.withStatus1(answer);
    for (const name of ['limit', 'remaining', 'reset']) {
      const [value, ...others] = answer.headers[`x-limit-app-${name}`] ?? [];
      assert.match(value ?? '', /^\d+$/);
      assert.deepEqual(others, []);
    }
  },
  /** FHEM matches the limits' names with these capitals. */
  withLimitsInCapitals(answer: RawAnswer) {
    content.withStatus1(answer);
    for (const name of ['Limit', 'Remaining', 'Reset']) {
      assert.match(answer.head, new RegExp(`^X-Limit-App-${name}:[ \\t]*\\d+\\r?$`, 'm'));
    }
  },
};

/** The message that has just come to wait in the phone's mailbox has the fields. */
async function assertWaits(fields: Json): Promise<void> {
  const seen = phone.shown.length;
  await phone.sync();

  const [stored, ...others] = phone.shown.slice(seen);
  assert.deepEqual(others, []);
  assert.equal(stored?.kind, 'message');
  assert.partialDeepStrictEqual(stored.message, { app: 'Tests', ...fields });
}

/** Sends a recorded message; the client is content and the message waits. Gives the answer. */
async function sends(
  client: string,
  name: string,
  satisfied: (answer: RawAnswer) => void,
  fields: Json,
): Promise<Json> {
  const answer = await replay(client, name);

  satisfied(answer);
  await assertWaits(fields);
  return json(answer);
}

/** The receipt's fields as gregdel/pushover, Rust's crate and others insist on them. */
function assertReceipt(answer: RawAnswer): void {
  const fields = json(answer);
  for (const name of ['status', 'acknowledged', 'expired', 'called_back']) {
    assert.ok(fields[name] === 0 || fields[name] === 1, name);
  }
  for (const name of ['acknowledged_at', 'last_delivered_at', 'expires_at', 'called_back_at']) {
    assert.ok(Number.isInteger(fields[name]) && (fields[name] as number) < 2 ** 32, name);
  }
  for (const name of ['acknowledged_by', 'acknowledged_by_device']) {
    assert.equal(typeof fields[name], 'string', name);
  }
}

describe('recorded requests of senders', () => {
  before(async () => {
    const account = await newAccount(peal());
    phone = await newDevice(account, { name: 'phone' });
    values = { token: account.token, user: account.user };
  });

  test('pushover-notifications: the glued boundary, and a file without a name', async () => {
    const first = {
      message: 'from pushover-notifications 👋',
      title: 'Node-RED',
      sound: 'magic',
      priority: 1,
    };
    await sends('pushover-notifications', 'message', content.withoutErrors, { ...first, ...LINK });
    await sends('pushover-notifications', 'message with a file', content.withoutErrors, {
      message: 'with a file, ünïcode',
      title: 'ioBroker',
    });
  });

  test('grafana: fields behind the file part', async () => {
    await sends('grafana', 'message with a file', content.with2xx, {
      message: '**Firing**\n\nValue: A=22, C=1\nLabels:\n - alertname = High load',
      title: '[FIRING:1] DatasourceNoData (ünïcode)',
      url: 'http://grafana.example.org/alerting/list',
      url_title: 'Show alert rule',
      priority: 1,
      sound: 'siren',
      html: 1,
    });
  });

  test('pushover_complete: forms on POST and on GET; what Home Assistant reads', async () => {
    await sends('pushover_complete', 'message', content.withStatus1, {
      message: 'Front door opened · 21,5 °C',
      title: 'Home Assistant',
      url: 'https://example.org/lovelace',
      url_title: 'Open',
      sound: 'magic',
      priority: 0,
    });
    await sends('pushover_complete', 'message with a file', content.withStatus1, { message: 'with a file' });
    const { receipt } = await sends('pushover_complete', 'emergency', content.withStatus1, { priority: 2 });
    assert.match(String(receipt), /^[A-Za-z0-9]{30}$/);
    const ids = { receipt: String(receipt) };
    assertReceipt(await replay('pushover_complete', 'receipt', ids));
    content.withStatus1(await replay('pushover_complete', 'cancel', ids));
    assert.equal((json(await replay('pushover_complete', 'sounds')).sounds as Json).magic, 'Magic');
    content.withStatus1(await replay('pushover_complete', 'validate'));
    const nobody = json(await replay('pushover_complete', 'validate nobody'));
    assert.match((nobody.errors as string[]).join(': '), /user key is invalid/);
    const stranger = await replay('pushover_complete', 'sounds', { token: `a${'x'.repeat(29)}` });
    assert.match((json(stranger).errors as string[]).join(': '), /application token is invalid/);
    const { body } = await post(peal(), 'groups.json', { token: values.token, name: 'House' });
    const group = { group: String(body.group) };
    content.withStatus1(await replay('pushover_complete', 'add to group', group));
    const members = json(await replay('pushover_complete', 'group', group)).users as Json[];
    assert.deepEqual(members, [{ user: values.user, device: null, memo: null, disabled: false }]);
  });

  test('uptime-kuma: JSON with numbers as text, retry and expire at any priority', async () => {
    await sends('uptime-kuma', 'message', content.with2xx, {
      message: '[Home] [🔴 Down] connect ECONNREFUSED\n<b>Time (UTC)</b>:2026-11-25 03:30:00',
      title: 'Uptime Kuma',
      sound: 'pushover',
      priority: 0,
      html: 1,
    });
  });

  test('gatus: JSON with a number', async () => {
    await sends('gatus', 'message', content.below400, {
      message: 'TRIGGERED: core/front-end - health check failed <3 & more',
      title: 'Gatus',
      priority: 0,
    });
  });

  test('overseerr: JSON with HTML', async () => {
    await sends('overseerr', 'message', content.with2xx, {
      message:
        '<b>Amélie (2001)</b><small>\nA film.</small><small>\n\n<b>Requested By:</b> ann</small>' +
        '<small>\n<b>Request Status:</b> Pending Approval</small>',
      title: 'New Movie Request',
      html: 1,
    });
  });

  test('healthchecks: cancels by tag before it says that all is well', async () => {
    const title = 'Backup is DOWN';
    await sends('healthchecks', 'down', content.with2xx, { title, priority: 2, html: 1 });
    const cancelled = await replay('healthchecks', 'cancel by tag');
    content.with2xx(cancelled);
    assert.equal(json(cancelled).canceled, 1);
    await sends('healthchecks', 'up', content.with2xx, {
      title: 'Backup is UP',
      priority: 0,
      url: 'https://hc.example.org/cloaked/1b4f/',
    });
    const refused = await replay('healthchecks', 'up for nobody');
    assert.equal(refused.status, 400);
    // Then it gives up for good.
    assert.equal(json(refused).user, 'invalid');
  });

  test('gregdel: limits once, the file part first, a receipt without nulls', async () => {
    await sends('gregdel', 'message', content.withLimitsOnce, {
      message: 'from gregdel/pushover 👋',
      title: 'Go',
      ...LINK,
      priority: -1,
      date: 1_700_000_000,
      sound: 'magic',
      html: 1,
    });
    await sends('gregdel', 'message with a file', content.withLimitsOnce, { message: 'file part first' });
    const { receipt } = await sends('gregdel', 'emergency', content.withLimitsOnce, { priority: 2 });
    const ids = { receipt: String(receipt) };
    assertReceipt(await replay('gregdel', 'receipt', ids));
    content.withStatus1(await replay('gregdel', 'cancel', ids));
    assert.deepEqual(json(await replay('gregdel', 'validate')).devices, ['phone']);
  });

  test('rust-pushover: everything in the query; limits that fit 32 bits', async () => {
    await sends('rust-pushover', 'message', content.withStatus1, {
      message: 'from the Rust crate 👋',
      title: 'Rust',
      ...LINK,
      sound: 'magic',
      priority: 1,
    });
    const { receipt } = await sends('rust-pushover', 'emergency', content.withStatus1, { priority: 2 });
    const ids = { receipt: String(receipt) };
    assertReceipt(await replay('rust-pushover', 'receipt', ids));
    content.withStatus1(await replay('rust-pushover', 'cancel', ids));
    const limits = json(await replay('rust-pushover', 'limits'));
    for (const name of ['limit', 'remaining', 'reset']) {
      assert.ok(Number.isInteger(limits[name]) && (limits[name] as number) < 2 ** 32, name);
    }
    content.withStatus1(await replay('rust-pushover', 'validate'));
  });

  test('pushover-sdk: multipart by fetch', async () => {
    const limited = content.withLimitsOnce;
    const first = { message: 'from pushover-sdk 👋', title: 'SDK', sound: 'magic', priority: 1, html: 1 };
    await sends('pushover-sdk', 'message', limited, { ...first, ...LINK });
    await sends('pushover-sdk', 'message with a file', limited, { message: 'with a file' });
    const { receipt } = await sends('pushover-sdk', 'emergency', limited, { priority: 2 });
    assertReceipt(await replay('pushover-sdk', 'receipt', { receipt: String(receipt) }));
    assert.equal(json(await replay('pushover-sdk', 'cancel by tag')).canceled, 1);
    for (const name of ['validate', 'sounds', 'limits']) {
      content.withStatus1(await replay('pushover-sdk', name));
    }
  });

  test('sonarr: an empty device is all devices', async () => {
    await sends('sonarr', 'message', content.with2xx, {
      message: 'Dark – 3x08 – Das Paradies [WEBDL-1080p]',
      title: 'Sonarr - Episode Grabbed',
      sound: 'magic',
    });
  });

  test('shoutrrr: an empty device is all devices', async () => {
    await sends('shoutrrr', 'message', content.with200, {
      message: 'from shoutrrr: 3 containers updated ✔',
      title: 'Watchtower',
    });
  });

  test('fhem: reads the limits by their capitals', async () => {
    await sends('fhem', 'message', content.withLimitsInCapitals, {
      message: 'Waschmaschine läuft seit 2 h',
      title: 'FHEM & Co',
      sound: 'magic',
    });
    const { receipt } = await sends('fhem', 'emergency', content.withLimitsInCapitals, { priority: 2 });
    content.withStatus1(await replay('fhem', 'cancel', { receipt: String(receipt) }));
    content.withStatus1(await replay('fhem', 'validate'));
  });

  test('openhab: multipart in chunks, every value with a type', async () => {
    const satisfied = (answer: RawAnswer) => {
      content.with200(answer);
      content.withStatus1(answer);
    };
    await sends('openhab', 'message', satisfied, {
      message: 'Fenster im Büro ist offen',
      title: 'openHAB',
      priority: 1,
      url: 'https://example.org/',
      url_title: 'Link',
      sound: 'magic',
      html: 1,
    });
    await sends('openhab', 'message with a file', satisfied, { message: 'with a file' });
    const { receipt } = await sends('openhab', 'emergency', satisfied, { priority: 2 });
    satisfied(await replay('openhab', 'cancel', { receipt: String(receipt) }));
    satisfied(await replay('openhab', 'validate'));
    const sounds = Object.values(json(await replay('openhab', 'sounds')).sounds as Json);
    assert.ok(sounds.length > 0 && sounds.every((label) => typeof label === 'string'));
  });

  test('pushover-php: multipart by curl', async () => {
    await sends('pushover-php', 'message', content.withStatus1, {
      message: 'from pushover-php ünïcode',
      title: 'PHP',
      ...LINK,
      priority: 1,
      date: 1_700_000_000,
      sound: 'magic',
      html: 1,
    });
    await sends('pushover-php', 'message with a file', content.withStatus1, { message: 'with a file' });
    const { receipt } = await sends('pushover-php', 'emergency', content.withStatus1, { priority: 2 });
    assertReceipt(await replay('pushover-php', 'receipt', { receipt: String(receipt) }));
    content.withStatus1(await replay('pushover-php', 'validate'));
    assert.match(String(json(await replay('pushover-php', 'create group')).group), /^[A-Za-z0-9]{30}$/);
  });

  test('alertmanager: parameters in the query, an empty body of text/plain', async () => {
    await sends('alertmanager', 'message', content.with2xx, {
      message: 'High load on db1 — 97 %',
      title: 'FIRING & more',
      url: 'http://prometheus.example.org/graph?g0.expr=up',
      url_title: 'Prometheus',
      priority: 1,
    });
  });

  test('apprise: a device of its own invention is all devices', async () => {
    await sends('apprise', 'message', content.with200, {
      message: 'from Apprise: ünïcode 👋',
      title: 'Apprise & title',
      sound: 'magic',
      priority: 1,
    });
    await sends('apprise', 'message with a file', content.with200, { message: 'with a file' });
  });
});

describe('recorded requests of open clients', () => {
  let token: string;
  let user: string;
  let secret: string;

  before(async () => {
    const open = createApi({ url: peal().api });
    ({ user, secret } = await open.signUp(LOGIN));
    ({ token } = await open.withSecret(secret).createApp('Tests'));
  });

  /** Logs in and registers as the client does. */
  async function enrols(name: string): Promise<Values> {
    const login = json(await replay(name, 'login'));
    assert.equal(login.status, 1);
    assert.equal(login.id, user);
    const session = { secret: String(login.secret) };
    const registered = json(await replay(name, 'register', session));
    assert.equal(registered.status, 1);
    assert.match(String(registered.id), /^[A-Za-z0-9]{40}$/);
    return { ...session, device: String(registered.id) };
  }

  /** Sends a message; the client's sync has it, with what all of them read. */
  async function syncs(name: string, ids: Values, more: Record<string, string> = {}): Promise<Json> {
    const fields = { token, user, message: `for ${name}`, title: 'Title', ...more };
    assert.equal((await post(peal(), 'messages.json', fields)).status, 200);

    const answer = await replay(name, 'sync', ids);

    content.with200(answer);
    content.withStatus1(answer);
    const [message, ...others] = json(answer).messages as Json[];
    assert.deepEqual(others, []);
    assert.equal(message!.message, fields.message);
    assert.equal(message!.title, 'Title');
    assert.equal(message!.app, 'Tests');
    for (const key of ['id', 'umid', 'aid', 'date', 'priority', 'acked']) {
      assert.ok(Number.isSafeInteger(message![key]), key);
    }
    assert.equal(message!.id_str, String(message!.id));
    assert.ok('icon' in message! && typeof message.icon === 'string');
    return message!;
  }

  /** Deletes up to a message as the client does; nothing waits then. */
  async function deletes(name: string, ids: Values, message: Json): Promise<void> {
    const answer = await replay(name, 'delete', { ...ids, message: String(message.id) });

    content.with200(answer);
    content.withStatus1(answer);
    assert.deepEqual(json(await replay(name, 'sync', ids)).messages, []);
  }

  for (const [name, what] of [
    ['pullover', 'multipart, and a form as the body of a GET'],
    ['iacchus', 'forms by requests'],
    ['bahamas10', 'deletes by the query of a POST without a body'],
    ['lemon', 'multipart by curl with a code that nobody asked for'],
    ['pushover-winui3', 'forms by .NET'],
    ['jonogreenz', 'forms by requests'],
    ['pushover-toolkit', 'forms by reqwest'],
    ['rust-pushover', 'forms without a type'],
  ] as const) {
    const recorded = readRecording(name).names;
    test(`${name}: logs in and gets its messages: ${what}`, async () => {
      const ids = await enrols(name);
      const emergency = recorded.includes('acknowledge');

      const message = await syncs(name, ids, emergency ? { priority: '2', retry: '60', expire: '600' } : {});

      if (emergency) {
        const receipt = String(message.receipt);
        content.withStatus1(await replay(name, 'acknowledge', { ...ids, receipt }));
        const { body } = await post(peal(), `receipts/${receipt}/acknowledge.json`, {
          secret: String(ids.secret),
        });
        assert.equal(body.status, 1);
      }
      if (recorded.includes('delete')) await deletes(name, ids, message);
    });
  }

  test('nbrownus: a form without a type, in chunks, with a line end', async () => {
    const api = createApi({ url: peal().api }).withSecret(secret);
    const { body } = await post(peal(), 'devices.json', { secret, name: 'nbrownus', os: 'O' });
    const ids = { secret, device: String(body.id) };

    const message = await syncs('nbrownus', ids);
    await deletes('nbrownus', ids, message);

    await api.deleteDevice(ids.device);
  });

  test('a stranger is refused as each open client expects it', async () => {
    const ids = { secret: 'x'.repeat(60), device: 'x'.repeat(40), message: ANY_ID, receipt: 'x'.repeat(30) };

    for (const name of ['pullover', 'bahamas10', 'iacchus', 'lemon', 'rust-pushover', 'pushover-winui3']) {
      const answers = [await replay(name, 'sync', ids), await replay(name, 'delete', ids)];

      for (const answer of answers) {
        assert.ok(answer.status >= 400 && answer.status < 500, name);
        assert.equal(json(answer).status, 0, name);
        assert.ok(Array.isArray(json(answer).errors), name);
      }
      const refused = json(await replay(name, 'register', ids));
      assert.ok(Array.isArray((refused.errors as Json).secret), name);
    }
  });
});

test('every recorded request is replayed, and every file says how it was made', () => {
  const folder = new URL('recordings/', import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith('.http'));

  const all = files.flatMap((file) => {
    const client = file.replace('.http', '');
    return readRecording(client).names.map((name) => `${client}: ${name}`);
  });

  assert.deepEqual([...replayed].sort(), all.sort());
  for (const file of files)
    assert.match(readFileSync(new URL(file, folder), 'utf8'), /^# (Captured|Derived): /);
});
