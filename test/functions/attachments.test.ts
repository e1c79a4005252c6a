import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toBase64 } from '../../lib/device/index.ts';
import { INLINE_BYTES } from '../../lib/attachments/given.ts';
import { IMAGE_TYPES, type ImageType, MAX_IMAGE_BYTES } from '../../lib/protocol/images.ts';
import { type DeviceKind, newDevice, type TestDevice } from '../support/devices.ts';
import { type Answer, get, newAccount, post, request, usePeal } from '../support/peal.ts';
import { HEADERS, imageOf } from '../support/images.ts';
import { DeleteCommand, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { failure } from '../../local/aws/intercept.ts';
import type { JsonObject } from '../../local/template/json.ts';
import { createHash } from 'node:crypto';
import { crowd } from '../support/crowd.ts';
import { randomKey } from '../../lib/accounts/keys.ts';
import { listObjects, readObject } from '../support/bucket.ts';
import { tableOf } from '../support/directory.ts';

const peal = usePeal({ expectedErrors: /request failed|signal: killed|PayloadTooLarge|InternalServerError/ });

const PNG = imageOf('image/png', 2048);

/** An account with a device, and ways to send. */
async function ready(kind: DeviceKind = {}) {
  const account = await newAccount(peal());
  const device = await newDevice(account, kind);
  const { token, user } = account;
  const send = (fields: Record<string, string | Blob>) => {
    const form = new FormData();
    for (const [name, value] of Object.entries({ token, user, message: 'look', ...fields })) form.append(name, value);
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

const blob = (bytes: Uint8Array, type?: string) => new Blob([new Uint8Array(bytes)], type === undefined ? {} : { type });

test('smoke', async () => {
  const account = await ready();
  const a = await account.send({ attachment: blob(PNG) });
  console.log(a.status, a.body);
  const [id] = await pending(account, account.device);
  const l = await locate(account, account.device, id!);
  console.log(l.body);
  const bytes = await (await fetch(l.body.url as string)).arrayBuffer();
  console.log(bytes.byteLength);
  console.log((await report(account, account.device, id!)).body);
  console.log(await listObjects(peal()));
  console.log((await acknowledge(account, account.device)).body);
  console.log(await listObjects(peal()));
  const up = await upload(account.token, PNG);
  console.log(up);
  console.log(await listObjects(peal()));
  console.log((await account.send({ attachment: up.id })).body);
  console.log(await listObjects(peal()));
  const plain = await newDevice(account, { platform: 'open' });
  await account.sendJson({ attachment_base64: PNG.toString('base64') });
  console.log(JSON.stringify((await account.api.sync(plain.id)).messages));
  const [pid] = await pending(account, plain);
  const pl = await locate(account, plain, pid!);
  const r = await fetch(pl.body.url as string);
  console.log(r.status, r.headers);
});
