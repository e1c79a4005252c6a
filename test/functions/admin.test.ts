import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AdminAnswer, AdminCommand } from '../../functions/admin/index.ts';
import type { PushTarget } from '../../lib/device/index.ts';
import { fcmTarget, newDevice } from '../support/devices.ts';
import { newAccount, post, usePeal } from '../support/peal.ts';

const peal = usePeal({ expectedErrors: /given up/ });

async function admin(command: AdminCommand): Promise<Record<string, unknown>> {
  const { payload, error } = await peal().cloud.functionNamed('Admin').invoke(command);
  assert.equal(error, undefined);
  return payload as AdminAnswer & Record<string, unknown>;
}

test('the credentials that the local cloud comes with are good ones', async () => {
  const checks = await Promise.all(
    (['fcm', 'apns', 'webpush'] as const).map((carrier) => admin({ command: 'check-carrier', carrier })),
  );

  assert.deepEqual(
    checks.map(({ checked }) => (checked as { kind: string }).kind),
    ['good', 'good', 'good'],
  );
});

test('says of each queue what waits, what was given up, and whether its carrier has credentials', async () => {
  await peal().cloud.putSecret('ApnsCredentials', '{}');

  const { queues, canaryStatus } = await admin({ command: 'status' });

  assert.deepEqual(canaryStatus, { state: 'off' });
  assert.deepEqual(queues, [
    { name: 'fcm', credentials: 'on', waiting: 0, slow: 0, deadLetters: 0 },
    { name: 'apns', credentials: 'off', waiting: 0, slow: 0, deadLetters: 0 },
    { name: 'webpush', credentials: 'on', waiting: 0, slow: 0, deadLetters: 0 },
    { name: 'desktop', waiting: 0, slow: 0, deadLetters: 0 },
    { name: 'fan-out', waiting: 0, deadLetters: 0 },
    { name: 'repeat', waiting: 0, deadLetters: 0 },
    { name: 'callback', waiting: 0, slow: 0, deadLetters: 0 },
  ]);
});

test('puts dead letters back when the carrier works again, but not expired or unreadable ones', async () => {
  const push: PushTarget & { token: string } = fcmTarget();
  const account = await newAccount(peal());
  const device = await newDevice(account, { platform: 'android', push });
  const { cloud, carriers } = peal();
  await post(peal(), 'messages.json', {
    token: account.token,
    user: account.user,
    message: 'late but there',
  });
  await carriers.journal.waitFor(1, 20_000);
  await cloud.poller('FcmPush').drained();
  const id = Number((carriers.journal.received[0]!.payload.data as { id: string }).id);
  const now = Date.now();
  const record = {
    v: 1,
    umid: id,
    acceptedAt: now - 86_400_000,
    priority: 0,
    attempt: 12,
    copy: 'c',
    to: [[account.user, device.id, id]],
    reasons: ['FCM UNAVAILABLE'],
  };
  // Unmarked again, as if FCM had never taken it.
  await cloud.engine.front.send('local-root', 'dynamodb', 'DeleteItem', {
    TableName: cloud.tableName('Mailbox'),
    Key: { pk: { S: device.id }, sk: { N: String(-id) } },
  });
  const bodies = [
    { ...record, expiresAt: now / 1000 + 600 },
    { ...record, expiresAt: now / 1000 - 600 },
    'nonsense',
  ];
  await cloud.front.send('local-root', 'sqs', 'SendMessageBatch', {
    QueueUrl: cloud.queue('FcmDeadLetters').url,
    Entries: bodies.map((body, n) => ({ Id: String(n), MessageBody: JSON.stringify(body) })),
  });

  const before = await admin({ command: 'status' });
  const done = await admin({ command: 'redrive', queue: 'fcm' });
  await carriers.journal.waitFor(2, 20_000);

  assert.equal((before.queues as { deadLetters: number }[])[0]!.deadLetters, 3);
  assert.deepEqual(done, { records: 1, expired: 1, unreadable: 1 });
  assert.equal(carriers.journal.received[1]!.target, push.token);
});

test('refuses what it does not know', async () => {
  const queue = await admin({ command: 'redrive', queue: 'sms' });
  const command = await admin({ command: 'reboot' } as unknown as AdminCommand);

  assert.deepEqual(queue.errors, [
    'unknown queue, can only be fcm, apns, webpush, desktop, fan-out, repeat, callback',
  ]);
  assert.match(String(command.errors), /unknown command/);
});
