import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listObjects } from '../../support/bucket.ts';
import { newDevice } from '../../support/devices.ts';
import { imageOf } from '../../support/images.ts';
import { get } from '../../support/peal.ts';
import { blob, PNG, QUIET, received, useAttachments } from './use-attachments.ts';

const {
  peal,
  ready,
  anybody,
  pending,
  locate,
  report,
  acknowledge,
  upload,
  sent,
  objectsWith,
  failing,
  expireAt,
} = useAttachments();

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
  // The copy, the entry in the history, the count; the deletion and the note of it.
  assert.equal(units('Send')['dynamodb.wru'], 3);
  assert.equal(units('Sync')['dynamodb.wru'], 2);
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
  // A message alone: its copy, its entry in the history and the count; the deletion and the note of it.
  assert.deepEqual(counts('Send'), [4, 1, 0]);
  assert.deepEqual(counts('Attachments'), [1, 0, 1]);
  assert.deepEqual(counts('Sync'), [4, 0, 0]);
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
