import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomKey } from '../../../lib/accounts/keys.ts';
import { MAX_IMAGE_BYTES } from '../../../lib/protocol/images.ts';
import { listObjects } from '../../support/bucket.ts';
import { imageOf } from '../../support/images.ts';
import { post } from '../../support/peal.ts';
import { PNG, received, useAttachments } from './use-attachments.ts';

const { peal, ready, anybody, locate, upload, sent, failing } = useAttachments();

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
