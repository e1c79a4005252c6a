/** What a recipient's device is told of an emergency: whether it has to go on asking. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newDevice } from '../support/devices.ts';
import { get, newAccount, post, refusal, type TestAccount, usePeal } from '../support/peal.ts';

const peal = usePeal();

const ASKING = { asking: true, acknowledged: false, at: undefined, device: undefined };

/** Sends an emergency. @returns its receipt */
async function emergency({ token }: TestAccount, ...users: TestAccount[]): Promise<string> {
  const fields = { message: 'fire', priority: '2', retry: '60', expire: '600' };
  const user = users.map((one) => one.user).join(',');
  return String((await post(peal(), 'messages.json', { token, user, ...fields })).body.receipt);
}

async function person() {
  const account = await newAccount(peal());
  return { ...account, device: await newDevice(account, { name: 'phone' }) };
}

test('it asks until it is acknowledged; the account is told by which device, other recipients only that it was', async () => {
  const [first, second] = [await person(), await person()];
  const receipt = await emergency(first, first, second);

  const before = await first.api.receiptState(receipt);
  await first.api.acknowledgeReceipt(receipt, first.device.id);
  const mine = await first.api.receiptState(receipt);
  const theirs = await second.api.receiptState(receipt);

  assert.deepEqual(before, ASKING);
  assert.ok(Math.abs(mine.at! - Date.now() / 1000) < 60);
  assert.deepEqual(mine, { asking: false, acknowledged: true, at: mine.at, device: 'phone' });
  assert.deepEqual(theirs, { ...mine, device: undefined });
});

test('one that was cancelled asks no more, and was not acknowledged', async () => {
  const account = await person();
  const receipt = await emergency(account, account);

  await post(peal(), `receipts/${receipt}/cancel.json`, { token: account.token });

  assert.deepEqual(await account.api.receiptState(receipt), { ...ASKING, asking: false });
});

test('who is no recipient hears of a receipt what everybody hears of one that is not there, its sender as well', async () => {
  const [sender, recipient, stranger] = [await person(), await person(), await person()];
  const receipt = await emergency(sender, recipient);

  const refusals = await Promise.all([
    refusal(sender.api.receiptState(receipt)),
    refusal(stranger.api.receiptState(receipt)),
    refusal(stranger.api.receiptState(`r${'x'.repeat(29)}`)),
  ]);
  const byToken = await get(peal(), `receipts/${receipt}/state.json`, { token: sender.token });

  for (const { status, fields } of refusals) assert.deepEqual([status, fields.receipt], [400, 'not found']);
  assert.deepEqual([byToken.status, byToken.body.secret], [400, 'invalid']);
});
