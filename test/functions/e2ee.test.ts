import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { e2eeKey, openE2ee, sealE2ee } from '../../lib/device/index.ts';
import { fcmTarget, newDevice } from '../support/devices.ts';
import { get, newAccount, post, usePeal } from '../support/peal.ts';

const peal = usePeal();

/** Longest wait for something that is bound to happen. Milliseconds. */
const LIMIT = 20_000;

const key = await e2eeKey(randomBytes(32).toString('hex'));

/** A text of characters that take four bytes each, as random as they get: gzip makes little of it. */
const wild = (length: number) =>
  Array.from({ length }, () =>
    String.fromCodePoint(0x10000 + (randomBytes(4).readUInt32BE() % 0x20000)),
  ).join('');

/** An account with an Android, and an Open Client. */
async function ready() {
  const account = await newAccount(peal());
  const push = fcmTarget();
  const phone = await newDevice(account, { platform: 'android', push });
  const classic = await newDevice(account, { platform: 'open' });
  const { token, user } = account;
  const send = (fields: Record<string, string>) => post(peal(), 'messages.json', { token, user, ...fields });
  /** What an Open Client reads, as it is answered. */
  const row = async () => {
    const { body } = await get(peal(), 'messages.json', { secret: account.secret, device_id: classic.id });
    return (body.messages as Record<string, unknown>[]).at(-1)!;
  };
  return { phone, push, classic, send, row };
}

/** The one message that a device has shown. */
function shown({ shown: [message] }: Awaited<ReturnType<typeof ready>>['phone']) {
  return message?.kind === 'message' ? message.message : assert.fail('nothing was shown');
}

const asText = (fields: object) =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));

test('ciphertext is passed on unread and marked, and nothing is filled in that would not open', async () => {
  const { phone, send, row } = await ready();
  const sealed = await sealE2ee({ message: 'Fire <b>now</b>' }, key);

  const { status } = await send({ ...asText(sealed), html: '1' });
  await phone.sync();
  const opened = await openE2ee(shown(phone), key);
  const plain = await row();

  assert.equal(status, 200);
  assert.equal(shown(phone).message, sealed.message);
  assert.equal(shown(phone).title, undefined);
  assert.equal(opened.message.message, 'Fire <b>now</b>');
  assert.deepEqual([opened.message.html, opened.closed], [1, []]);
  assert.deepEqual([plain.message, plain.encrypted, 'title' in plain], [sealed.message, 1, false]);
});

test('every field that is at its limit fits encrypted, and comes by sync where a push is too small', async () => {
  const { phone, push, send } = await ready();
  const fields = { message: wild(1024), title: wild(250), url: wild(512), url_title: wild(100) };
  const sealed = await sealE2ee(fields, key);

  const { status } = await send(asText(sealed));
  const received = await peal().carriers.journal.waitFor(1, LIMIT);
  await phone.sync();
  const { message, closed } = await openE2ee(shown(phone), key);

  assert.equal(status, 200);
  assert.ok(sealed.message.length > 1024 && sealed.url_title.length > 100);
  const data = received.find(({ target }) => target === push.token)?.payload.data as Record<string, string>;
  assert.deepEqual([data.sync, data.sealed], ['1', undefined]);
  const { message: text, title, url, url_title } = message;
  assert.deepEqual({ message: text, title, url, url_title }, fields);
  assert.deepEqual(closed, []);
});

for (const [name, limit] of Object.entries({ message: 5632, title: 1496, url: 2904, url_title: 704 })) {
  test(`${name} may have ${limit} characters encrypted, and its own limit without`, async () => {
    const { send, row } = await ready();
    const fields = { message: 'x', encrypted: '1' };

    const fits = await send({ ...fields, [name]: 'x'.repeat(limit) });
    const stored = await row();
    const above = await send({ ...fields, [name]: 'x'.repeat(limit + 1) });
    const off = await send({ ...fields, [name]: 'x'.repeat(limit), encrypted: '0' });

    assert.deepEqual([fits.status, above.status, off.status], [200, 400, 400]);
    assert.equal(String(stored[name]).length, limit);
    assert.equal(above.body[name], `is too long (maximum is ${limit} characters)`);
    assert.equal((await row()).id, stored.id);
  });
}

test('a message that is marked, but of which only a part is encrypted, is taken as it is', async () => {
  const { phone, send } = await ready();

  const { status } = await send({ message: 'disk.png', title: '', encrypted: '1' });
  await phone.sync();
  const { message, closed } = await openE2ee(shown(phone), key);

  assert.equal(status, 200);
  assert.deepEqual([message.message, message.encrypted, closed], ['disk.png', 1, ['message']]);
});
