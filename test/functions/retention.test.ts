import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listObjects } from '../support/bucket.ts';
import { FORGETFUL } from '../support/configs.ts';
import { newDevice } from '../support/devices.ts';
import { imageOf } from '../support/images.ts';
import { newAccount, request, usePeal } from '../support/peal.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const peal = usePeal({
  config: FORGETFUL,
  ttlLateness: 0,
});

/** An account with a device that has not synced, and a way to send with an image. */
async function ready() {
  const account = await newAccount(peal());
  const device = await newDevice(account);
  const { token, user } = account;
  const send = async (fields: Record<string, string> = {}) => {
    const form = new FormData();
    for (const [name, value] of Object.entries({ token, user, message: 'look', ...fields })) {
      form.append(name, value);
    }
    form.append('attachment', new Blob([new Uint8Array(imageOf('image/png', 2048))]));
    const { status } = await request(peal(), 'messages.json', { method: 'POST', body: form });
    assert.equal(status, 200);
  };
  const pending = async () => ((await account.api.sync(device.id)).messages as unknown[]).length;
  return { send, pending };
}

/** What is left when so many milliseconds have passed and what has expired is purged. */
async function after(milliseconds: number, pending: () => Promise<number>) {
  await peal().cloud.engine.sweep(Date.now() + milliseconds);
  return { messages: await pending(), objects: (await listObjects(peal(), 'attachments/')).length };
}

test('a message and its attachment are purged after the days that were configured, and not before', async () => {
  const { send, pending } = await ready();
  await send();
  // A time to live beyond the retention does not prolong it.
  await send({ ttl: String(20 * 24 * 3600) });

  const left = [];
  for (const passed of [2 * DAY - MINUTE, 3 * DAY, 4 * DAY - MINUTE, 4 * DAY + MINUTE]) {
    left.push(await after(passed, pending));
  }

  assert.deepEqual(left, [
    { messages: 2, objects: 2 },
    // S3 rounds up to the next midnight.
    { messages: 2, objects: 0 },
    { messages: 2, objects: 0 },
    { messages: 0, objects: 0 },
  ]);
});
