import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { randomKey } from '../../lib/accounts/keys.ts';
import { INLINE_BYTES } from '../../lib/attachments/given.ts';
import type { MessageAttachment } from '../../lib/device/envelope.ts';
import { Mailbox } from '../../lib/mailbox/mailbox.ts';
import { IMAGE_TYPES, type ImageType, MAX_IMAGE_BYTES } from '../../lib/protocol/images.ts';
import type { Call } from '../../local/aws/call.ts';
import type { Intervention } from '../../local/aws/intercept.ts';
import { listObjects, readObject } from '../support/bucket.ts';
import { seedDeviceLists } from '../support/crowd.ts';
import { type DeviceKind, newDevice, type TestDevice } from '../support/devices.ts';
import { fill, tableOf } from '../support/directory.ts';
import { imageOf } from '../support/images.ts';
import { type Answer, get, newAccount, post, request, usePeal } from '../support/peal.ts';

/** The functions run on the real clock; the bucket's addresses and its purge on this one. */
const peal = usePeal({
  expectedErrors: /request failed|signal: killed|PayloadTooLarge|InternalServerError/,
});

const PNG = imageOf('image/png', 2048);

/** A sealed device that no carrier reaches, so that nothing is queued for it. */
const QUIET: DeviceKind = { platform: 'android' };
/** One for which a message is queued. */
const DESKTOP: DeviceKind = { platform: 'desktop' };

/** An account with a device, and ways to send. */
async function ready(kind: DeviceKind = {}) {
  const account = await newAccount(peal());
  const device = await newDevice(account, { ...QUIET, ...kind });
  const { token, user } = account;
  const send = (fields: Record<string, string | Blob>) => {
    const form = new FormData();
    for (const [name, value] of Object.entries({ token, user, message: 'look', ...fields }))
      form.append(name, value);
    return request(peal(), 'messages.json', { method: 'POST', body: form });
  };
  const sendJson = (fields: Record<string, unknown>) =>
    request(peal(), 'messages.json', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token, user, message: 'look', ...fields }),
    });
  return { ...account, device, send, sendJson };
}

let shared: ReturnType<typeof ready> | undefined;

/** The account of all tests whose device syncs whatever was sent to it. */
async function anybody() {
  shared ??= ready();
  const { device } = await shared;
  device.shown.length = 0;
  return shared;
}

type Account = Awaited<ReturnType<typeof newAccount>>;

/** Ids of what waits for a device, as sync says. */
async function pending({ api }: Account, device: TestDevice): Promise<number[]> {
  return ((await api.sync(device.id)).messages as { id: number }[]).map(({ id }) => id);
}

const locate = ({ secret }: Account, device: TestDevice, id: number): Promise<Answer> =>
  get(peal(), `messages/${id}/attachment.json`, { secret, device_id: device.id });

const report = ({ secret }: Account, device: TestDevice, id: number): Promise<Answer> =>
  post(peal(), `messages/${id}/attachment/downloaded.json`, { secret, device_id: device.id });

const acknowledge = ({ secret }: Account, device: TestDevice): Promise<Answer> =>
  post(peal(), `devices/${device.id}/update_highest_message.json`, {
    secret,
    message: String(Number.MAX_SAFE_INTEGER),
  });

/** Prepares an upload and posts an image. */
async function upload(token: string, bytes: Buffer) {
  const { body } = await post(peal(), 'attachments.json', { token });
  const { url, fields } = body.upload as { url: string; fields: Record<string, string> };
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', new Blob([new Uint8Array(bytes)]));
  const response = await fetch(url, { method: 'POST', body: form });
  return { id: body.id as string, status: response.status, text: await response.text() };
}

const blob = (bytes: Uint8Array, type?: string) =>
  new Blob([new Uint8Array(bytes)], type === undefined ? {} : { type });

/** The attachments that a device's messages have, opened, as the device keeps them; in the order of the messages. */
async function receivedAll({ store, shown }: TestDevice) {
  const all = new Map((await store.list()).map((kept) => [kept.id, kept]));
  return Promise.all(
    shown.map(async ({ id }) => {
      const kept = all.get(id);
      assert.equal(kept?.kind, 'message');
      return {
        state: kept.attachment,
        says: kept.message.attachment as MessageAttachment | undefined,
        bytes: await store.attachment(id),
      };
    }),
  );
}

/** The attachment that the newest message of a device has. */
const received = async (device: TestDevice) =>
  (await receivedAll(device)).at(-1) ?? assert.fail('nothing was shown');

/** Whether an attachment's object is there. */
const isStored = async (id: string): Promise<boolean> =>
  (await listObjects(peal(), 'attachments/')).includes(`attachments/${id}`);

/** The item of an attachment. */
async function itemOf(id: string) {
  const { client, name } = tableOf(peal(), 'Mailbox');
  const Key = { pk: `attachment#${id}`, sk: 0 };
  return (await client.send(new GetCommand({ TableName: name, Key, ConsistentRead: true }))).Item;
}

/** The id of the attachment of a message, as its item in a mailbox says. */
async function attachmentOf(device: TestDevice, id: number): Promise<string> {
  const { client, name } = tableOf(peal(), 'Mailbox');
  const Key = { pk: device.id, sk: id };
  return (await client.send(new GetCommand({ TableName: name, Key, ConsistentRead: true }))).Item!.attachment;
}

/** A message with an image, and what its device knows of it. */
async function sent(account: Awaited<ReturnType<typeof ready>>, device = account.device) {
  assert.equal((await account.send({ attachment: blob(PNG) })).status, 200);
  const id = (await pending(account, device)).at(-1)!;
  return { id, attachment: await attachmentOf(device, id) };
}

/** Everything in the bucket that has a piece of the image in it. */
async function objectsWith(bytes: Buffer): Promise<string[]> {
  const piece = bytes.subarray(40, 72);
  const keys = await listObjects(peal());
  const found = await Promise.all(keys.map(async (key) => (await readObject(peal(), key)).includes(piece)));
  return keys.filter((_, n) => found[n]);
}

/** Posts a multipart body written by hand. */
function postRaw(parts: Buffer[]): Promise<Answer> {
  const body = Buffer.concat([
    ...parts.flatMap((part) => [Buffer.from('--b\r\n'), part, Buffer.from('\r\n')]),
    Buffer.from('--b--\r\n'),
  ]);
  const headers = { 'content-type': 'multipart/form-data; boundary=b' };
  return request(peal(), 'messages.json', { method: 'POST', headers, body: new Uint8Array(body) });
}

const part = (disposition: string, content: string | Buffer, type?: string) =>
  Buffer.concat([
    Buffer.from(`Content-Disposition: form-data; ${disposition}\r\n`),
    Buffer.from(type === undefined ? '\r\n' : `Content-Type: ${type}\r\n\r\n`),
    Buffer.from(content),
  ]);

test('an image of any type arrives at a sealed device, byte for byte', async () => {
  const { device, send } = await anybody();
  const types = Object.keys(IMAGE_TYPES) as ImageType[];

  for (const type of types) {
    const image = new Uint8Array(imageOf(type, 3000));
    const { status } = await send({ attachment: new File([image], 'x.txt', { type: 'text/plain' }) });
    assert.equal(status, 200, type);
  }
  await device.sync();

  const all = await receivedAll(device);
  assert.deepEqual(
    all.map(({ state, says }) => [state, says!.type, says!.size]),
    types.map((type) => ['stored', type, 3000]),
  );
  for (const [n, type] of types.entries()) assert.deepEqual(Buffer.from(all[n]!.bytes!), imageOf(type, 3000));
});

test('a file part arrives from any place, whatever its name and type, if it has any', async () => {
  const { token, user, device } = await anybody();
  const fields = Object.entries({ token, user, message: 'look' }).map(([name, value]) =>
    part(`name="${name}"`, value),
  );
  const file = (disposition: string, type?: string) => part(`name="attachment"${disposition}`, PNG, type);
  const files = [
    file('; filename="undefined"', 'application/octet-stream'),
    file('; filename="../../etc/passwd"', 'text/html'),
    file('; filename=""', 'image/gif'),
    file('; filename="attachment"'),
    file(''),
  ];

  for (const [n, one] of files.entries()) {
    const parts = [...fields];
    parts.splice(n % 4, 0, one);
    const { status, body } = await postRaw(parts);
    assert.equal(status, 200, JSON.stringify(body));
  }
  await device.sync();

  assert.equal(device.shown.length, files.length);
  for (const { bytes } of await receivedAll(device)) assert.deepEqual(Buffer.from(bytes!), PNG);
});

test('base64 arrives in a form and in JSON, in lines, unpadded, and whatever its type says', async () => {
  const { token, user, device, sendJson } = await anybody();
  const base64 = PNG.toString('base64');
  const lines = base64.replaceAll(/(.{76})/g, '$1\r\n');
  const form = { token, user, message: 'look' };
  const answers = [
    () => post(peal(), 'messages.json', { ...form, attachment_base64: base64, attachment_type: 'image/png' }),
    () => post(peal(), 'messages.json', { ...form, attachment_base64: lines, attachment_type: 'text/html' }),
    () => sendJson({ attachment_base64: base64.replace(/=+$/, '') }),
    () => sendJson({ attachment_base64: lines, attachment_type: 'image/jpeg' }),
  ];

  for (const answer of answers) assert.equal((await answer()).status, 200);
  await device.sync();

  assert.equal(device.shown.length, answers.length);
  for (const { says, bytes } of await receivedAll(device)) {
    assert.equal(says!.type, 'image/png');
    assert.deepEqual(Buffer.from(bytes!), PNG);
  }
});

test('what is no image is refused, naming the parameter, and sends nothing', async () => {
  const { device, send, sendJson } = await anybody();
  const before = await listObjects(peal());
  const markup = '<html><script>alert(1)</script>';
  const bad = [
    Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'),
    Buffer.from(markup),
    Buffer.concat([Buffer.from(markup), PNG]),
    Buffer.from(`GIF89a/*${markup}*/=1;`),
    Buffer.from('%PDF-1.7'),
    PNG.subarray(0, 8),
    PNG.subarray(1),
    Buffer.from([0xff, 0xd8, 0xff]),
  ];

  for (const bytes of bad) {
    const file = await send({ attachment: blob(bytes, 'image/png') });
    const base64 = await sendJson({
      attachment_base64: bytes.toString('base64'),
      attachment_type: 'image/png',
    });

    const reason = 'is not an image (PNG, JPEG, GIF, WebP or HEIC)';
    assert.deepEqual([file.status, file.body.attachment], [400, reason], bytes.toString('latin1'));
    assert.deepEqual([base64.status, base64.body.attachment_base64], [400, reason]);
  }
  const empty = await send({ attachment: new File([], 'empty.png') });
  assert.equal(empty.status, 400);
  await device.sync();
  assert.deepEqual([device.shown, await listObjects(peal())], [[], before]);
});

test('what cannot be read is refused, naming the parameter', async () => {
  const { send, sendJson, device } = await anybody();
  const base64 = PNG.toString('base64');

  const answers = [
    [await sendJson({ attachment_base64: '***' }), 'attachment_base64', 'is not valid base64'],
    [
      await sendJson({ attachment_base64: `${base64.slice(0, 8)} ${base64.slice(9)}` }),
      'attachment_base64',
      'is not valid base64',
    ],
    [await sendJson({ attachment_base64: 'AAAAA' }), 'attachment_base64', 'is not valid base64'],
    [await sendJson({ attachment_base64: { a: 1 } }), 'attachment_base64', 'must be text'],
    [await send({ attachment_base64: blob(PNG) }), 'attachment_base64', 'must be text'],
    [await sendJson({ attachment: { a: 1 } }), 'attachment', 'must be text, not a JSON object'],
    [
      await sendJson({ attachment: 'https://example.org/x.png' }),
      'attachment',
      'must be an image file, or the id of an upload',
    ],
    [
      await send({ attachment: blob(PNG), attachment_base64: base64 }),
      'attachment',
      'cannot be given with attachment_base64',
    ],
  ] as const;

  for (const [{ status, body }, field, reason] of answers)
    assert.deepEqual([status, body[field]], [400, reason]);
  await device.sync();
  assert.deepEqual(device.shown, []);
});

test('other faults are found before anything is done with the image', async () => {
  const { token, sendJson } = await anybody();

  const answers = [
    await sendJson({ attachment_base64: '***', priority: 7 }),
    await sendJson({ attachment_base64: '***', token: `x${token.slice(1)}` }),
    await sendJson({ attachment_base64: '***', user: randomKey('u') }),
  ];

  for (const { status, body } of answers) {
    assert.equal(status, 400);
    assert.equal(body.attachment_base64, undefined);
  }
});

test('an image comes with its message up to the limit; one byte more is told the way', async () => {
  const { device, send, sendJson } = await anybody();
  const most = imageOf('image/jpeg', INLINE_BYTES);
  const more = imageOf('image/jpeg', INLINE_BYTES + 1);

  const accepted = [
    await send({ attachment: blob(most) }),
    await sendJson({ attachment_base64: most.toString('base64') }),
  ];
  const refused = [
    [await send({ attachment: blob(more) }), 'attachment'],
    [await sendJson({ attachment_base64: more.toString('base64') }), 'attachment_base64'],
  ] as const;
  await device.sync();

  assert.deepEqual(
    accepted.map(({ status }) => status),
    [200, 200],
  );
  for (const [{ status, body }, field] of refused) {
    assert.equal(status, 413);
    assert.match(String(body[field]), /too large .*POST \/1\/attachments\.json/);
  }
  assert.equal(device.shown.length, 2);
  assert.deepEqual(Buffer.from((await received(device)).bytes!), most);
});

test('an upload brings up to 5 MiB, is used by its message, and is gone then', async () => {
  const { token, device, send, sendJson } = await anybody();
  const image = imageOf('image/webp', MAX_IMAGE_BYTES);

  const { id, status } = await upload(token, image);
  const accepted = await sendJson({ attachment: id });
  const again = await send({ attachment: id });
  await device.sync();

  assert.deepEqual([status, accepted.status, again.status], [204, 200, 400]);
  assert.match(String(again.body.attachment), /was used or has expired/);
  assert.deepEqual(Buffer.from((await received(device)).bytes!), image);
  assert.deepEqual(await listObjects(peal(), 'uploads/'), []);
});

test('an upload of a byte more than 5 MiB, or of none, is refused by the bucket', async () => {
  const { token } = await anybody();

  const [large, empty] = [
    await upload(token, imageOf('image/png', MAX_IMAGE_BYTES + 1)),
    await upload(token, Buffer.alloc(0)),
  ];

  assert.deepEqual([large.status, empty.status], [400, 400]);
  assert.match(large.text, /EntityTooLarge/);
  assert.match(empty.text, /EntityTooSmall/);
});

test('an upload that is no image, not there, or another app’s is refused', async () => {
  const { token, api, sendJson, send, device } = await anybody();
  const other = await api.createApp('Other');
  const page = await upload(token, Buffer.from('<html>'));
  const theirs = await upload(other.token, PNG);

  const answers = [
    await sendJson({ attachment: page.id }),
    await sendJson({ attachment: randomKey('a') }),
    await sendJson({ attachment: theirs.id }),
    await send({ attachment: theirs.id }),
  ];
  const own = await sendJson({ attachment: theirs.id, token: other.token });
  await device.sync();

  const missing = 'is not an upload of this application, or was used or has expired';
  assert.deepEqual(
    answers.map(({ status, body }) => [status, body.attachment]),
    [
      [400, 'is not an image (PNG, JPEG, GIF, WebP or HEIC)'],
      [400, missing],
      [400, missing],
      [400, missing],
    ],
  );
  assert.equal(own.status, 200);
  assert.equal(device.shown.length, 1);
});

test('only an app prepares an upload', async () => {
  const answers = [
    await post(peal(), 'attachments.json', {}),
    await post(peal(), 'attachments.json', { token: randomKey('a') }),
  ];

  for (const { status, body } of answers) assert.deepEqual([status, body.token], [400, 'invalid']);
});

test('for sealed devices the bucket never holds a piece of the image', async () => {
  const account = await anybody();
  const image = imageOf('image/png', 5000, 'unique to this test');

  await account.send({ attachment: blob(image) });
  const { id } = await upload(account.token, image);
  await account.send({ attachment: id });
  await account.device.sync();

  assert.equal(account.device.shown.length, 2);
  assert.deepEqual(await objectsWith(image), []);
});

test('a device without a key gets the image opened, and of its key and id nothing', async () => {
  const account = await ready({ platform: 'open' });
  const { device, secret, send } = account;
  await send({ attachment: blob(PNG) });

  const { body } = await get(peal(), 'messages.json', { secret, device_id: device.id });
  const [message] = body.messages as { id: number; attachment: object }[];
  const { body: where } = await locate(account, device, message!.id);
  const response = await fetch(where.url as string);
  await device.sync();

  assert.deepEqual(message!.attachment, { type: 'image/png', size: PNG.length });
  assert.equal(where.sealed, false);
  assert.equal(response.headers.get('content-type'), 'image/png');
  assert.equal(response.headers.get('content-disposition'), 'attachment; filename="attachment.png"');
  assert.deepEqual(Buffer.from(await response.arrayBuffer()), PNG);
  assert.deepEqual(Buffer.from((await received(device)).bytes!), PNG);
  const left = await listObjects(peal());
  assert.ok(
    !left.some((key) => where.url && String(where.url).includes(key)),
    'the acknowledgement deletes both',
  );
});

test('nobody but a recipient device finds an attachment', async () => {
  const account = await ready({ name: 'phone' });
  const stranger = await ready();
  const other = await newDevice(account, { ...QUIET, name: 'tablet' });
  await account.send({ attachment: blob(PNG), device: 'phone' });
  const [id] = await pending(account, account.device);

  const answers = [
    await locate(stranger, stranger.device, id!),
    await locate(account, other, id!),
    await report(account, other, id!),
    await locate(account, account.device, id! + 1),
    await get(peal(), 'messages/none/attachment.json', {
      secret: account.secret,
      device_id: account.device.id,
    }),
  ];
  const noDevice = await get(peal(), `messages/${id}/attachment.json`, { secret: account.secret });
  const foreign = await locate({ ...stranger, secret: stranger.secret }, account.device, id!);
  const noSecret = await get(peal(), `messages/${id}/attachment.json`, { device_id: account.device.id });
  const recipient = await locate(account, account.device, id!);

  for (const { status, body } of answers) assert.deepEqual([status, body.attachment], [404, 'not found']);
  assert.deepEqual([noDevice.status, noDevice.body.device_id], [400, 'is invalid']);
  assert.deepEqual([foreign.status, foreign.body.device_id], [400, 'is invalid']);
  assert.deepEqual([noSecret.status, noSecret.body.secret], [400, 'invalid']);
  assert.equal(recipient.status, 200);
});

test('a message without an attachment has none to fetch, and costs no request of the bucket and no write more', async () => {
  const account = await ready();
  peal().cloud.meter.reset();
  await account.send({});
  const [id] = await pending(account, account.device);
  await acknowledge(account, account.device);
  const meter = Object.entries(peal().cloud.meter.read());

  await account.send({});
  const [next] = await pending(account, account.device);
  const { status } = await locate(account, account.device, next!);

  const units = (name: string) => meter.find(([who]) => who.includes(name))![1];
  assert.ok(id);
  assert.equal(status, 404);
  // The copy, the entry in the history, the count; the record of what was served, the deletion and the note of it.
  assert.equal(units('Send')['dynamodb.wru'], 3);
  assert.equal(units('Sync')['dynamodb.wru'], 3);
  assert.ok(meter.every(([, counts]) => counts['s3.put'] === undefined && counts['s3.get'] === undefined));
});

test('costs an object, two requests more of the device, and four small writes', async () => {
  const account = await ready();
  peal().cloud.meter.reset();

  await account.send({ attachment: blob(PNG) });
  await account.device.sync();

  const meter = Object.entries(peal().cloud.meter.read());
  const counts = (name: string) => {
    const found = meter.find(([who]) => who.includes(name))![1];
    return ['dynamodb.wru', 's3.put', 's3.get'].map((item) => found[item] ?? 0);
  };
  // A message alone: its copy, its entry in the history and the count; the record of what was served, the deletion and
  // the note of it.
  assert.deepEqual(counts('Send'), [4, 1, 0]);
  assert.deepEqual(counts('Attachments'), [1, 0, 1]);
  assert.deepEqual(counts('Sync'), [5, 0, 0]);
});

test('it is marked when all devices have reported, and deleted when one of them acknowledges', async () => {
  const account = await ready();
  const second = await newDevice(account, QUIET);
  const { id, attachment } = await sent(account);
  await pending(account, second);

  await report(account, account.device, id);
  await report(account, account.device, id);
  const one = await itemOf(attachment);
  await report(account, second, id);
  const both = await itemOf(attachment);
  const beforeAcknowledging = await isStored(attachment);
  await acknowledge(account, second);

  assert.deepEqual([one!.devices, one!.reported.size, both!.reported.size], [2, 1, 2]);
  assert.equal(beforeAcknowledging, true);
  assert.equal(await isStored(attachment), false);
  assert.equal(await itemOf(attachment), undefined);
  assert.equal((await locate(account, account.device, id)).status, 410);
});

test('an acknowledgement without a report counts as one, and leaves the attachment to the others', async () => {
  const account = await ready();
  const second = await newDevice(account, QUIET);
  const { id, attachment } = await sent(account);
  await pending(account, second);

  await acknowledge(account, account.device);
  const first = await locate(account, account.device, id);
  const other = await locate(account, second, id);
  await acknowledge(account, second);
  await acknowledge(account, second);

  assert.deepEqual([first.status, other.status], [404, 200]);
  assert.equal(await isStored(attachment), false);
  assert.equal(await itemOf(attachment), undefined);
});

test('of devices that report and acknowledge all at once, one finds it marked and deletes it', async () => {
  const account = await ready();
  const devices = [account.device, await newDevice(account, QUIET), await newDevice(account, QUIET)];
  const { id, attachment } = await sent(account);
  for (const device of devices) await pending(account, device);

  const answers = await Promise.all(
    devices.flatMap((device) => [report(account, device, id), acknowledge(account, device)]),
  );

  // A report may come after its own device's acknowledgement.
  assert.ok(answers.every(({ status }) => status === 200 || status === 404));
  assert.equal(await isStored(attachment), false);
  assert.equal(await itemOf(attachment), undefined);
});

test('a thousand attachments fit the record of a page, and the next page brings the rest', async () => {
  const { device, user } = await ready();
  const table = tableOf(peal(), 'Mailbox');
  const ttl = Math.floor(Date.now() / 1000) + 600;
  const common = { umid: 1, user, priority: 0, ttl, request: 'r', sealed: Buffer.from('box') };
  const attachment = (n: number) => `id${n}`.padEnd(30, 'x');
  const ids = Array.from({ length: 1001 }, (_, n) => n + 1);
  await fill(
    table,
    ids.map((sk) => ({ ...common, pk: device.id, sk, attachment: attachment(sk) })),
  );
  const mailbox = new Mailbox(table, Date.now);
  const reported: string[] = [];
  const reports = {
    report: async (id: string) => reported.push(id) > 0 && id === attachment(1001),
    remove: async (marked: string[]) => void assert.deepEqual(marked, [attachment(1001)]),
  };

  const first = await mailbox.page(device.id, 0, 1e6);
  const second = await mailbox.page(device.id, first.messages.at(-1)!.id, 1e6);
  const deleted = await mailbox.acknowledge(device.id, Number.MAX_SAFE_INTEGER, reports);

  assert.deepEqual([first.messages.length, first.more], [1000, true]);
  assert.deepEqual([second.messages.length, second.more], [1, false]);
  assert.equal(deleted, 1001);
  assert.deepEqual(reported.sort(), ids.map(attachment).sort());
});

test('an acknowledgement of some messages leaves the attachments of the others', async () => {
  const account = await ready();
  const first = await sent(account);
  const second = await sent(account);
  const { secret, device } = account;

  const path = `devices/${device.id}/update_highest_message.json`;
  await post(peal(), path, { secret, message: String(first.id) });

  assert.deepEqual([await isStored(first.attachment), await isStored(second.attachment)], [false, true]);
  assert.equal((await locate(account, device, second.id)).status, 200);
});

test('an acknowledgement whose deletions fail deletes when it is repeated', async () => {
  const account = await ready();
  const { attachment } = await sent(account);
  const stop = failing(
    ({ caller, service, method }) => caller.name.includes('Sync') && service === 's3' && method === 'DELETE',
  );

  const failed = await acknowledge(account, account.device);
  stop();
  const kept = await isStored(attachment);
  const repeated = await acknowledge(account, account.device);

  assert.deepEqual([failed.status, kept, repeated.status], [500, true, 200]);
  assert.equal(await isStored(attachment), false);
});

test('after three days it cannot be fetched, and no address outlives it', async () => {
  const account = await ready();
  const { id, attachment } = await sent(account);
  const now = Math.floor(Date.now() / 1000);
  const { ttl } = (await itemOf(attachment))!;

  await expireAt(attachment, now + 60);
  const soon = await locate(account, account.device, id);
  await expireAt(attachment, now);
  const late = await locate(account, account.device, id);

  assert.ok(Math.abs(ttl - now - 3 * 86_400) < 60);
  assert.equal(soon.body.expires, now + 60);
  assert.ok(Number(new URL(soon.body.url as string).searchParams.get('X-Amz-Expires')) <= 60);
  assert.deepEqual([late.status, late.body.attachment], [410, 'is no longer there']);
  assert.equal(await isStored(attachment), true);
});

test('a message that ends sooner takes its attachment with it', async () => {
  const account = await ready();

  await account.send({ attachment: blob(PNG), ttl: '600' });
  const [id] = await pending(account, account.device);

  const { ttl } = (await itemOf(await attachmentOf(account.device, id!)))!;
  assert.ok(ttl <= Math.ceil(Date.now() / 1000) + 600);
});

test('a message to very many devices brings its image, which goes by its expiry alone', async () => {
  const account = await ready();
  const others = await seedDeviceLists(tableOf(peal(), 'Directory'), { accounts: 19, devices: 11 });
  const users = [...others, account].map(({ user }) => user);

  const { status } = await account.send({ attachment: blob(PNG), user: users.join() });
  await peal().cloud.poller('FanOutWorker').drained();
  const [id] = await pending(account, account.device);
  const attachment = await attachmentOf(account.device, id!);
  await account.device.sync();

  assert.equal(status, 200);
  assert.deepEqual(Buffer.from((await received(account.device)).bytes!), PNG);
  assert.equal(await isStored(attachment), true);
  const { pk: _, sk: __, ttl, ...rest } = (await itemOf(attachment))!;
  assert.ok(ttl > Date.now() / 1000);
  assert.deepEqual(rest, { v: 1 });
});

test('whatever call fails while a message is sent, nothing of it is left', async () => {
  const account = await ready(DESKTOP);
  const { id: uploaded } = await upload(account.token, PNG);
  const before = await listObjects(peal(), 'attachments/');
  const steps: Record<string, (call: Call) => boolean> = {
    'reading the upload': ({ service, method }) => service === 's3' && method === 'GET',
    'storing the object': ({ service, method }) => service === 's3' && method === 'PUT',
    'storing its item': ({ action, input }) =>
      action === 'UpdateItem' && JSON.stringify(input).includes('attachment#'),
    'storing the copy': ({ action }) => action === 'PutItem',
    queueing: ({ action }) => action === 'SendMessageBatch',
  };
  const items: string[] = [];
  const watch = peal().cloud.front.intercept(({ action, input }) => {
    const pk = /"(attachment#\w+)"/.exec(JSON.stringify(input))?.[1];
    if (action === 'UpdateItem' && pk) items.push(pk.slice('attachment#'.length));
    return undefined;
  });

  for (const [step, matches] of Object.entries(steps)) {
    for (const how of [{ status: 500, body: '' }, { after: 'drop' as const }]) {
      const stop = failing((call) => call.caller.name.includes('Send') && matches(call), how);
      const { status } = await account.send({ attachment: uploaded });
      stop();

      assert.equal(status, 500, step);
      assert.deepEqual(await pending(account, account.device), [], step);
      assert.deepEqual(await listObjects(peal(), 'attachments/'), before, step);
    }
  }
  watch();

  assert.ok(items.length > 0);
  for (const id of items) assert.equal(await itemOf(id), undefined);
  assert.equal((await account.send({ attachment: uploaded })).status, 200);
});

test('what a sender leaves that dies is found by nobody, and swept', async () => {
  const account = await ready();
  const { cloud } = peal();
  const dying: Record<string, (call: Call) => boolean> = {
    'after the object': ({ action, input }) =>
      action === 'UpdateItem' && JSON.stringify(input).includes('attachment#'),
    'after the item': ({ action }) => action === 'PutItem',
  };
  const before = (await listObjects(peal())).length;

  for (const [when, matches] of Object.entries(dying)) {
    const stop = cloud.front.intercept((call) => {
      if (call.caller.name.includes('Send') && matches(call)) {
        cloud.functionNamed('Send').kill();
        return { before: 'drop' };
      }
      return undefined;
    });
    const { status } = await account.send({ attachment: blob(PNG) });
    stop();

    assert.ok(status >= 500, when);
    assert.deepEqual(await pending(account, account.device), [], when);
  }
  const left = (await listObjects(peal())).length - before;
  await cloud.engine.sweep(Date.now() + 5 * 86_400_000);

  assert.equal(left, 2);
  assert.deepEqual(await listObjects(peal(), 'attachments/'), []);
});

test('an upload that cannot be deleted is no reason to refuse its message', async () => {
  const account = await anybody();
  const { id } = await upload(account.token, PNG);
  const stop = failing(
    ({ service, method, url }) => service === 's3' && method === 'DELETE' && url.includes('uploads'),
  );

  const { status } = await account.send({ attachment: id });
  stop();
  await account.device.sync();

  assert.equal(status, 200);
  assert.deepEqual(Buffer.from((await received(account.device)).bytes!), PNG);
});

for (const way of ['inline', 'uploaded']) {
  test(`a repeat after its sender died stores the same object, ${way}`, async () => {
    const account = await ready(DESKTOP);
    const { cloud } = peal();
    const attachment = way === 'inline' ? blob(PNG) : (await upload(account.token, PNG)).id;
    const send = () => account.send({ attachment, idempotency_key: `dies-${way}` });
    const put: string[] = [];
    const stops = [
      cloud.front.intercept(({ caller, service, method, url, action, input }) => {
        if (!caller.name.includes('Send')) return undefined;
        if (service === 's3' && method === 'PUT') put.push(url.split('?')[0]!);
        if (action === 'SendMessageBatch') cloud.functionNamed('Send').kill();
        // No lease: the repeat takes over at once.
        const { Item } = input as { Item?: { pk: { S: string } } };
        if (action !== 'PutItem' || !Item?.pk.S.startsWith('once#')) return undefined;
        return { input: { ...input, Item: { ...Item, leaseUntil: { N: '0' } } } };
      }),
    ];
    const died = await send();
    for (const stop of stops) stop();
    const watch = cloud.front.intercept(({ caller, service, method, url }) => {
      if (caller.name.includes('Send') && service === 's3' && method === 'PUT') put.push(url.split('?')[0]!);
      return undefined;
    });

    const repeated = await send();
    const again = await send();
    watch();
    await account.device.sync();

    assert.ok(died.status >= 500);
    assert.deepEqual([repeated.status, again.status], [200, 200]);
    assert.equal(put.length, 2);
    assert.equal(put[0], put[1]);
    assert.equal(account.device.shown.length, 1);
    assert.deepEqual(Buffer.from((await received(account.device)).bytes!), PNG);
  });
}

test('another image under the same idempotency key is refused', async () => {
  const account = await anybody();
  const send = (bytes: Buffer) => account.send({ attachment: blob(bytes), idempotency_key: 'one image' });

  const first = await send(PNG);
  const other = await send(imageOf('image/png', PNG.length, 'another'));
  await account.device.sync();

  assert.deepEqual([first.status, other.status], [200, 400]);
  assert.match(String(other.body.idempotency_key), /was used for another message/);
  assert.equal(account.device.shown.length, 1);
});

test('a device that cannot get an attachment keeps its message, and gets it with the next sync', async () => {
  const account = await ready();
  await account.send({});
  await account.send({ attachment: blob(PNG) });
  const stop = failing(({ caller, service }) => caller.name.includes('Attachments') && service === 's3');

  await assert.rejects(account.device.sync(), /download: answered with status 500/);
  stop();
  const waiting = await pending(account, account.device);
  const before = await received(account.device);
  await account.device.sync();

  assert.equal(waiting.length, 1);
  assert.deepEqual([before.state, before.bytes], [undefined, undefined]);
  assert.equal(account.device.shown.length, 2);
  assert.deepEqual(Buffer.from((await received(account.device)).bytes!), PNG);
  assert.deepEqual(await pending(account, account.device), []);
});

test('a device that comes too late notes that the attachment is gone', async () => {
  const account = await ready();
  const { attachment } = await sent(account);
  await expireAt(attachment, 1);

  await account.device.sync();

  const { state, bytes } = await received(account.device);
  assert.deepEqual([state, bytes], ['gone', undefined]);
  assert.deepEqual(await pending(account, account.device), []);
});

test('a browser of any origin may upload and fetch', async () => {
  const account = await ready();
  const { id } = await sent(account);
  const origin = 'https://app.example';
  const { body: form } = await post(peal(), 'attachments.json', { token: account.token });
  const { body: where } = await locate(account, account.device, id);

  const preflight = await fetch((form.upload as { url: string }).url, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST' },
  });
  const refused = await fetch(where.url as string, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'DELETE' },
  });
  const got = await fetch(where.url as string, { headers: { origin } });

  assert.deepEqual([preflight.status, refused.status, got.status], [200, 403, 200]);
  assert.equal(preflight.headers.get('access-control-allow-origin'), '*');
  assert.equal(got.headers.get('access-control-allow-origin'), '*');
});

/** Fails the calls that match, until the returned function is called. */
function failing(
  matches: (call: Call) => boolean,
  how: Intervention = { status: 500, body: '' },
): () => void {
  return peal().cloud.front.intercept((call) => (matches(call) ? how : undefined));
}

async function expireAt(attachment: string, at: number): Promise<void> {
  const { client, name } = tableOf(peal(), 'Mailbox');
  await client.send(
    new UpdateCommand({
      TableName: name,
      Key: { pk: `attachment#${attachment}`, sk: 0 },
      UpdateExpression: 'SET #ttl = :at',
      ExpressionAttributeNames: { '#ttl': 'ttl' },
      ExpressionAttributeValues: { ':at': at },
    }),
  );
}
