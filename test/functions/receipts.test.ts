import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { newDevice } from '../support/devices.ts';
import { get, newAccount, post, usePeal } from '../support/peal.ts';

const peal = usePeal({ expectedErrors: /InternalServerError|InternalFailure/ });

const NOT_FOUND = {
  receipt: 'not found',
  errors: ['receipt not found; may be invalid or expired'],
  status: 0,
};
const BAD_TOKEN = {
  token: 'invalid',
  errors: ['application token is invalid, see https://pushover.net/api'],
  status: 0,
};
const UNKNOWN = `r${'x'.repeat(29)}`;
const UNTOUCHED = {
  acknowledged: 0,
  acknowledged_at: 0,
  acknowledged_by: '',
  acknowledged_by_device: '',
  expired: 0,
  called_back: 0,
  called_back_at: 0,
};

type Account = Awaited<ReturnType<typeof newAccount>>;

/** An account with a desktop and an Open Client. */
async function household() {
  const account = await newAccount(peal());
  return {
    ...account,
    desktop: await newDevice(account),
    open: await newDevice(account, { platform: 'open', name: 'open' }),
  };
}

/** Sends an emergency. @returns its receipt */
async function emergency(
  { token, user }: Pick<Account, 'token' | 'user'>,
  more: Record<string, string> = {},
): Promise<string> {
  const fields = { token, user, message: 'fire', priority: '2', retry: '60', expire: '600', ...more };
  const { status, body } = await post(peal(), 'messages.json', fields);
  assert.equal(status, 200);
  return body.receipt as string;
}

/** The receipt as its sender sees it, without what is of every answer. */
async function view(token: string, receipt: string): Promise<Record<string, unknown>> {
  const { status, body } = await get(peal(), `receipts/${receipt}.json`, { token });
  assert.equal(status, 200);
  const { status: _, request: __, ...fields } = body;
  return fields;
}

/** A refusal without its request id. */
async function refused(answer: Promise<{ status: number; body: Record<string, unknown> }>) {
  const { status, body } = await answer;
  const { request: _, ...rest } = body;
  assert.equal(status, 400);
  return rest;
}

const acknowledge = (receipt: string, fields: Record<string, string>) =>
  post(peal(), `receipts/${receipt}/acknowledge.json`, fields);

test('an emergency has a receipt, which tells its sender everything in integers', async () => {
  const account = await household();
  const before = Math.floor(Date.now() / 1000);

  const receipt = await emergency(account);

  const { last_delivered_at, expires_at, ...rest } = await view(account.token, receipt);
  assert.match(receipt, /^r[A-Za-z0-9]{29}$/);
  assert.deepEqual(rest, UNTOUCHED);
  assert.equal(last_delivered_at, 0);
  assert.ok((expires_at as number) >= before + 600 && (expires_at as number) <= before + 660);
});

test('a sealed device gets the receipt, the pace and the end inside the envelope; an Open Client the receipt', async () => {
  const account = await household();

  const receipt = await emergency(account, { ttl: '60' });
  await account.desktop.sync();
  const { body } = await get(peal(), 'messages.json', { secret: account.secret, device_id: account.open.id });

  const { expires_at } = await view(account.token, receipt);
  const [shown] = account.desktop.shown;
  assert.ok(shown?.kind === 'message');
  const { receipt: inside, retry, ack_until, expires } = shown.message;
  assert.deepEqual([inside, retry, ack_until, expires], [receipt, 60, expires_at, undefined]);
  const [plain] = body.messages as Record<string, unknown>[];
  assert.equal(plain?.receipt, receipt);
  assert.equal(plain?.acked, 0);
  assert.equal(plain?.priority, 2);
  assert.equal('retry' in plain! || 'ack_until' in plain!, false);
});

test('retry, expire, callback and tags of other priorities are ignored, whatever they are', async () => {
  const { token, user, desktop } = await household();
  const fields = { priority: '1', retry: 'x', expire: '-', callback: 'gopher://x', tags: 'x'.repeat(500) };

  const { status, body } = await post(peal(), 'messages.json', { token, user, message: 'm', ...fields });
  await desktop.sync();

  assert.equal(status, 200);
  assert.equal(body.receipt, undefined);
  assert.equal((desktop.shown[0] as { message: { receipt?: string } }).message.receipt, undefined);
});

test('an acknowledgement says who it was and on which device, with and without .json', async () => {
  const account = await household();
  const [first, second] = [await emergency(account), await emergency(account)];
  const before = Math.floor(Date.now() / 1000);

  const named = await acknowledge(first, { secret: account.secret, device_id: account.open.id });
  const unnamed = await post(peal(), `receipts/${second}/acknowledge`, { secret: account.secret });
  const { body } = await get(peal(), 'messages.json', { secret: account.secret, device_id: account.open.id });

  assert.deepEqual([named.status, unnamed.status], [200, 200]);
  assert.deepEqual(Object.keys(named.body).sort(), ['request', 'status']);
  const [by, alone] = [await view(account.token, first), await view(account.token, second)];
  assert.equal(by.acknowledged, 1);
  assert.ok((by.acknowledged_at as number) >= before);
  assert.equal(by.acknowledged_by, account.user);
  assert.equal(by.acknowledged_by_device, 'open');
  assert.equal(by.expired, 0);
  assert.equal(alone.acknowledged_by_device, '');
  assert.deepEqual(
    (body.messages as { acked: number }[]).map(({ acked }) => acked),
    [1, 1],
  );
});

test('of two acknowledgements at once one wins, and the other is no error', async () => {
  const [one, other] = [await household(), await household()];
  const receipt = await emergency({ token: one.token, user: `${one.user},${other.user}` });
  const arrived: (() => void)[] = [];
  // Both have read the receipt before either writes to it.
  const stop = peal().cloud.front.intercept(async ({ caller, action }) => {
    if (action !== 'UpdateItem' || !caller.name.startsWith('PealApi-prod-Receipts')) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    arrived.push(resolve);
    if (arrived.length === 2) for (const go of arrived) go();
    return promise.then(() => undefined);
  });

  const answers = await Promise.all(
    [one, other].map(({ secret, open }) => acknowledge(receipt, { secret, device_id: open.id })),
  );
  stop();
  const winner = await view(one.token, receipt);
  await acknowledge(receipt, { secret: one.secret });
  await acknowledge(receipt, { secret: other.secret });

  assert.equal(arrived.length, 2);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200],
  );
  assert.ok([one.user, other.user].includes(winner.acknowledged_by as string));
  assert.deepEqual(await view(one.token, receipt), winner);
});

test('only a recipient acknowledges, only on a device of its own', async () => {
  const [account, stranger] = [await household(), await household()];
  const receipt = await emergency(account);

  const foreign = await refused(acknowledge(receipt, { secret: stranger.secret }));
  const unknown = await refused(acknowledge(UNKNOWN, { secret: account.secret }));
  const malformed = await refused(acknowledge('nonsense', { secret: account.secret }));
  const device = { secret: account.secret, device_id: stranger.open.id };
  const foreignDevice = await refused(acknowledge(receipt, device));
  const nobody = await refused(acknowledge(receipt, { secret: 'x'.repeat(60) }));
  const sender = await refused(acknowledge(receipt, { token: account.token }));

  assert.deepEqual([foreign, unknown, malformed], [NOT_FOUND, NOT_FOUND, NOT_FOUND]);
  assert.deepEqual(foreignDevice.device_id, 'is invalid');
  assert.deepEqual([nobody.secret, sender.secret], ['invalid', 'invalid']);
  assert.equal((await view(account.token, receipt)).acknowledged, 0);
});

test('a receipt is shown to and cancelled by the app that sent it alone, also under its new token', async () => {
  const [account, stranger] = [await household(), await household()];
  const receipt = await emergency(account);
  const { token: sibling } = await account.api.createApp('Sibling');
  const ask = (token: string, of = receipt) => refused(get(peal(), `receipts/${of}.json`, { token }));
  const cancel = (token: string, of = receipt) =>
    refused(post(peal(), `receipts/${of}/cancel.json`, { token }));

  const found = [];
  for (const token of [stranger.token, sibling]) found.push(await ask(token), await cancel(token));
  const none = [await ask(account.token, UNKNOWN), await cancel(account.token, 'nonsense')];
  const noToken = [await ask('a'.repeat(30)), await cancel(''), await ask(account.secret)];

  assert.deepEqual([...found, ...none], Array(6).fill(NOT_FOUND));
  assert.deepEqual(noToken, Array(3).fill(BAD_TOKEN));
  const [app] = (await account.api.listApps()).filter(({ name }) => name === 'Tests');
  const rotated = await account.api.rotateApp(app!.id);
  assert.equal((await view(rotated, receipt)).expired, 0);
});

test('a cancelled receipt has expired, and asks nobody any more', async () => {
  const account = await household();
  const receipt = await emergency(account);

  const first = await post(peal(), `receipts/${receipt}/cancel.json`, { token: account.token });
  const again = await post(peal(), `receipts/${receipt}/cancel`, { token: account.token });
  const late = await refused(acknowledge(receipt, { secret: account.secret }));
  const { body } = await get(peal(), 'messages.json', { secret: account.secret, device_id: account.open.id });

  assert.deepEqual([first.status, again.status], [200, 200]);
  assert.deepEqual(late, NOT_FOUND);
  const { expired, expires_at, acknowledged } = await view(account.token, receipt);
  assert.deepEqual([expired, acknowledged], [1, 0]);
  assert.ok((expires_at as number) <= Date.now() / 1000);
  assert.equal((body.messages as { acked: number }[])[0]?.acked, 1);
});

test('a message stays when its receipt has expired, and does not ask any more', async () => {
  const account = await household();
  const receipt = await emergency(account, { expire: '1' });

  let seen = await view(account.token, receipt);
  for (const end = Date.now() + 5_000; seen.expired === 0 && Date.now() < end; ) {
    await sleep(100);
    seen = await view(account.token, receipt);
  }
  const late = await refused(acknowledge(receipt, { secret: account.secret }));
  await account.desktop.sync();

  assert.equal(seen.expired, 1);
  assert.deepEqual(late, NOT_FOUND);
  assert.deepEqual(account.desktop.texts(), ['fire']);
});

test('a tag cancels what the app has sent with it and still asks, and counts that', async () => {
  const account = await household();
  const { token: sibling } = await account.api.createApp('Sibling');
  const tags = 'disk full, ä/b.json,,disk full';
  const sent = [await emergency(account, { tags }), await emergency(account, { tags: 'disk full' })];
  const acknowledged = await emergency(account, { tags });
  await acknowledge(acknowledged, { secret: account.secret });
  const untagged = await emergency(account, { tags: 'disk' });
  const foreign = await emergency({ token: sibling, user: account.user }, { tags });
  const cancel = async (tag: string, suffix = '.json') => {
    const path = `receipts/cancel_by_tag/${encodeURIComponent(tag)}${suffix}`;
    const { status, body } = await post(peal(), path, { token: account.token });
    assert.equal(status, 200);
    return body.canceled;
  };

  const counts = [await cancel('ä/b.json'), await cancel('disk full', ''), await cancel('disk full')];
  counts.push(await cancel('never used'));

  const expired = async (token: string, receipt: string) => (await view(token, receipt)).expired;
  assert.deepEqual(counts, [1, 1, 0, 0]);
  for (const receipt of sent) assert.equal(await expired(account.token, receipt), 1);
  assert.equal(await expired(account.token, acknowledged), 0);
  assert.equal(await expired(account.token, untagged), 0);
  assert.equal(await expired(sibling, foreign), 0);
  const bad = await refused(post(peal(), 'receipts/cancel_by_tag/disk.json', { token: 'x' }));
  assert.deepEqual(bad, BAD_TOKEN);
});

test('a receipt is forgotten after a week, also where DynamoDB has not purged it', async () => {
  const account = await household();
  const receipt = await emergency(account, { tags: 'old' });
  const stored = { pk: { S: `receipt#${receipt}` }, sk: { S: 'receipt' } };
  await peal().cloud.front.send('local-root', 'dynamodb', 'UpdateItem', {
    TableName: peal().cloud.tableName('Directory'),
    Key: stored,
    UpdateExpression: 'SET #ttl = :past',
    ExpressionAttributeNames: { '#ttl': 'ttl' },
    ExpressionAttributeValues: { ':past': { N: '1' } },
  });

  const asked = await refused(get(peal(), `receipts/${receipt}.json`, { token: account.token }));
  const acked = await refused(acknowledge(receipt, { secret: account.secret }));
  const { body } = await post(peal(), 'receipts/cancel_by_tag/old.json', { token: account.token });

  assert.deepEqual([asked, acked], [NOT_FOUND, NOT_FOUND]);
  assert.equal(body.canceled, 0);
});

test('an emergency that cannot be queued leaves neither message nor receipt', async () => {
  const account = await household();
  const stored: string[] = [];
  const stop = peal().cloud.front.intercept(({ caller, action, input }) => {
    if (!caller.name.includes('Send')) return undefined;
    const { pk } = (input.Item ?? {}) as { pk?: { S?: string } };
    if (pk?.S?.startsWith('receipt#')) stored.push(pk.S.slice('receipt#'.length));
    return action === 'SendMessageBatch'
      ? { status: 500, body: { __type: 'InternalFailure', message: 'no' } }
      : undefined;
  });

  const fields = { token: account.token, user: account.user, message: 'never', priority: '2' };
  const { status } = await post(peal(), 'messages.json', { ...fields, retry: '60', expire: '600' });
  stop();
  await account.desktop.sync();

  assert.equal(status, 500);
  assert.equal(stored.length, 1);
  assert.deepEqual(
    await refused(get(peal(), `receipts/${stored[0]}.json`, { token: account.token })),
    NOT_FOUND,
  );
  assert.deepEqual(account.desktop.texts(), []);
});

test('a repeat with the same idempotency key answers the same receipt, and leaves an acknowledgement alone', async () => {
  const account = await household();
  const idempotency_key = 'alarm-1';

  const first = await emergency(account, { idempotency_key });
  await acknowledge(first, { secret: account.secret });
  const second = await emergency(account, { idempotency_key });
  await account.desktop.sync();

  assert.equal(second, first);
  assert.equal((await view(account.token, first)).acknowledged, 1);
  assert.deepEqual(account.desktop.texts(), ['fire']);
});

test('a group’s emergency reaches its members, and any of them acknowledges it for all', async () => {
  const owner = await household();
  const member = await household();
  const stranger = await household();
  const { body } = await post(peal(), 'groups.json', { token: owner.token, name: 'On call' });
  const group = body.group as string;
  for (const { user } of [owner, member]) {
    await post(peal(), `groups/${group}/add_user.json`, { token: owner.token, user });
  }

  const receipt = await emergency({ token: owner.token, user: group });
  const foreign = await refused(acknowledge(receipt, { secret: stranger.secret }));
  const { status } = await acknowledge(receipt, { secret: member.secret });
  const { acknowledged, acknowledged_by } = await view(owner.token, receipt);
  for (const { desktop } of [owner, member, stranger]) await desktop.sync();

  assert.deepEqual(foreign, NOT_FOUND);
  assert.equal(status, 200);
  assert.deepEqual([acknowledged, acknowledged_by], [1, member.user]);
  assert.deepEqual(
    [owner, member, stranger].map(({ desktop }) => desktop.texts()),
    [['fire'], ['fire'], []],
  );
});
