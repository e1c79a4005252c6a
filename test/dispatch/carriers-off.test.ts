import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apnsTarget, fcmTarget, newDevice } from '../support/devices.ts';
import { newAccount, post, usePeal } from '../support/peal.ts';

const peal = usePeal({ credentials: 'off' });

test('carriers without credentials are off, and their devices sync', async () => {
  const account = await newAccount(peal());
  const phone = await newDevice(account, { platform: 'android', push: fcmTarget() });
  const iphone = await newDevice(account, { platform: 'ios', push: apnsTarget() });

  const fields = { token: account.token, user: account.user, message: 'hello' };
  const { status } = await post(peal(), 'messages.json', fields);
  await Promise.all(['FcmPush', 'ApnsPush'].map((name) => peal().cloud.poller(name).drained()));
  await Promise.all([phone.sync(), iphone.sync()]);

  assert.equal(status, 200);
  assert.deepEqual([phone.texts(), iphone.texts()], [['hello'], ['hello']]);
  assert.ok((await account.api.listDevices()).every(({ push }) => push !== null));
});
