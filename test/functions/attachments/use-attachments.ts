/** What the tests of attachments share: accounts that send them, what a device has got, what is stored. */
import assert from 'node:assert/strict';
import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { MessageAttachment } from '../../../lib/device/envelope.ts';
import type { Call } from '../../../local/aws/call.ts';
import type { Intervention } from '../../../local/aws/intercept.ts';
import { listObjects, readObject } from '../../support/bucket.ts';
import { type DeviceKind, newDevice, type TestDevice } from '../../support/devices.ts';
import { tableOf } from '../../support/directory.ts';
import { imageOf } from '../../support/images.ts';
import { type Answer, get, newAccount, post, request, usePeal } from '../../support/peal.ts';

type Account = Awaited<ReturnType<typeof newAccount>>;

export const PNG = imageOf('image/png', 2048);

/** A sealed device that no carrier reaches, so that nothing is queued for it. */
export const QUIET: DeviceKind = { platform: 'android' };

/** One for which a message is queued. */
export const DESKTOP: DeviceKind = { platform: 'desktop' };

export const blob = (bytes: Uint8Array, type?: string) =>
  new Blob([new Uint8Array(bytes)], type === undefined ? {} : { type });

/** A part of a multipart body. */
export const part = (disposition: string, content: string | Buffer, type?: string) =>
  Buffer.concat([
    Buffer.from(`Content-Disposition: form-data; ${disposition}\r\n`),
    Buffer.from(type === undefined ? '\r\n' : `Content-Type: ${type}\r\n\r\n`),
    Buffer.from(content),
  ]);

/** The attachments that a device's messages have, opened, as the device keeps them; in the order of the messages. */
export async function receivedAll({ store, shown }: TestDevice) {
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
export const received = async (device: TestDevice) =>
  (await receivedAll(device)).at(-1) ?? assert.fail('nothing was shown');

/** A Peal for the tests of a file, and what they do with it. */
export function useAttachments() {
  const peal = usePeal({
    expectedErrors: /request failed|signal: killed|PayloadTooLarge|InternalServerError/,
  });

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

  /** Ids of what waits for a device, as sync says. */
  async function pending({ api }: Account, device: TestDevice): Promise<number[]> {
    return ((await api.sync(device.id)).messages as { id: number }[]).map(({ id }) => id);
  }

  const locate = ({ secret }: Account, device: TestDevice, id: number): Promise<Answer> =>
    get(peal(), `messages/${id}/attachment.json`, { secret, device_id: device.id });

  const report = ({ secret }: Account, device: TestDevice, id: number): Promise<Answer> =>
    post(peal(), `messages/${id}/attachment/downloaded.json`, { secret, device_id: device.id });

  /** Names all that waits for a device, or, where that is nothing, what does not. */
  async function acknowledge(account: Account, device: TestDevice): Promise<Answer> {
    const ids = await pending(account, device);
    const messages = ids.length > 0 ? ids.join(',') : '1';
    return post(peal(), `devices/${device.id}/acknowledge.json`, { secret: account.secret, messages });
  }

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
    return (await client.send(new GetCommand({ TableName: name, Key, ConsistentRead: true }))).Item!
      .attachment;
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

  return {
    peal,
    ready,
    anybody,
    pending,
    locate,
    report,
    acknowledge,
    upload,
    isStored,
    itemOf,
    attachmentOf,
    sent,
    objectsWith,
    postRaw,
    failing,
    expireAt,
  };
}
