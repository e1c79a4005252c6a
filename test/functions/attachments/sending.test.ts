import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomKey } from '../../../lib/accounts/keys.ts';
import { INLINE_BYTES } from '../../../lib/attachments/given.ts';
import { IMAGE_TYPES, type ImageType } from '../../../lib/protocol/images.ts';
import { listObjects } from '../../support/bucket.ts';
import { imageOf } from '../../support/images.ts';
import { post } from '../../support/peal.ts';
import { blob, PNG, part, received, receivedAll, useAttachments } from './use-attachments.ts';

const { peal, anybody, postRaw } = useAttachments();

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
