import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Mailbox } from '../../../lib/mailbox/mailbox.ts';
import { seedDeviceLists } from '../../support/crowd.ts';
import { newDevice } from '../../support/devices.ts';
import { fill, tableOf } from '../../support/directory.ts';
import { post } from '../../support/peal.ts';
import { blob, PNG, QUIET, received, useAttachments } from './use-attachments.ts';

const {
  peal,
  ready,
  pending,
  locate,
  report,
  acknowledge,
  isStored,
  itemOf,
  attachmentOf,
  sent,
  failing,
  expireAt,
} = useAttachments();

test('it is marked when all devices have reported, and deleted when one of them acknowledges', async () => {
  const account = await ready();
  const second = await newDevice(account, QUIET);
  const { id, attachment } = await sent(account);
  await pending(account, second);

  await report(account, account.device, id);
  await report(account, account.device, id);
  const one = await itemOf(attachment);
  await report(account, second, id);
  const both = await itemOf(attachment);
  const beforeAcknowledging = await isStored(attachment);
  await acknowledge(account, second);

  assert.deepEqual([one!.devices, one!.reported.size, both!.reported.size], [2, 1, 2]);
  assert.equal(beforeAcknowledging, true);
  assert.equal(await isStored(attachment), false);
  assert.equal(await itemOf(attachment), undefined);
  assert.equal((await locate(account, account.device, id)).status, 410);
});

test('an acknowledgement without a report counts as one, and leaves the attachment to the others', async () => {
  const account = await ready();
  const second = await newDevice(account, QUIET);
  const { id, attachment } = await sent(account);
  await pending(account, second);

  await acknowledge(account, account.device);
  const first = await locate(account, account.device, id);
  const other = await locate(account, second, id);
  await acknowledge(account, second);
  await acknowledge(account, second);

  assert.deepEqual([first.status, other.status], [404, 200]);
  assert.equal(await isStored(attachment), false);
  assert.equal(await itemOf(attachment), undefined);
});

test('of devices that report and acknowledge all at once, one finds it marked and deletes it', async () => {
  const account = await ready();
  const devices = [account.device, await newDevice(account, QUIET), await newDevice(account, QUIET)];
  const { id, attachment } = await sent(account);
  for (const device of devices) await pending(account, device);

  const answers = await Promise.all(
    devices.flatMap((device) => [report(account, device, id), acknowledge(account, device)]),
  );

  // A report may come after its own device's acknowledgement.
  assert.ok(answers.every(({ status }) => status === 200 || status === 404));
  assert.equal(await isStored(attachment), false);
  assert.equal(await itemOf(attachment), undefined);
});

test('an acknowledgement of a page reports a thousand attachments at most, and the next page brings the rest', async () => {
  const { device, user } = await ready();
  const table = tableOf(peal(), 'Mailbox');
  const ttl = Math.floor(Date.now() / 1000) + 600;
  const common = { umid: 1, user, priority: 0, ttl, request: 'r', sealed: Buffer.from('box') };
  const attachment = (n: number) => `id${n}`.padEnd(30, 'x');
  const ids = Array.from({ length: 1001 }, (_, n) => n + 1);
  await fill(
    table,
    ids.map((sk) => ({ ...common, pk: device.id, sk, attachment: attachment(sk) })),
  );
  const mailbox = new Mailbox(table, Date.now);
  const reported: string[] = [];
  const reports = {
    report: async (id: string) => reported.push(id) > 0 && id === attachment(1001),
    remove: async (marked: string[]) => void assert.deepEqual(marked, [attachment(1001)]),
  };

  const page = { device: device.id, weigh: () => 1, maxBytes: 1e6, recorded: true };
  const first = await mailbox.page({ ...page, after: 0 });
  const second = await mailbox.page({ ...page, after: first.messages.at(-1)!.id });
  const deleted = await mailbox.acknowledgeUpTo(device.id, 1001, reports);

  assert.deepEqual([first.messages.length, first.more], [1000, true]);
  assert.deepEqual([second.messages.length, second.more], [1, false]);
  assert.equal(deleted, 1001);
  assert.deepEqual(reported.sort(), ids.map(attachment).sort());
});

test('an acknowledgement of some messages leaves the attachments of the others', async () => {
  const account = await ready();
  const first = await sent(account);
  const second = await sent(account);
  const { secret, device } = account;

  const path = `devices/${device.id}/acknowledge.json`;
  await post(peal(), path, { secret, messages: String(first.id) });

  assert.deepEqual([await isStored(first.attachment), await isStored(second.attachment)], [false, true]);
  assert.equal((await locate(account, device, second.id)).status, 200);
});

test('an acknowledgement whose deletions fail deletes when it is repeated', async () => {
  const account = await ready();
  const { attachment } = await sent(account);
  const stop = failing(
    ({ caller, service, method }) => caller.name.includes('Sync') && service === 's3' && method === 'DELETE',
  );

  const failed = await acknowledge(account, account.device);
  stop();
  const kept = await isStored(attachment);
  const repeated = await acknowledge(account, account.device);

  assert.deepEqual([failed.status, kept, repeated.status], [500, true, 200]);
  assert.equal(await isStored(attachment), false);
});

test('after three days it cannot be fetched, and no address outlives it', async () => {
  const account = await ready();
  const { id, attachment } = await sent(account);
  const now = Math.floor(Date.now() / 1000);
  const { ttl } = (await itemOf(attachment))!;

  await expireAt(attachment, now + 60);
  const soon = await locate(account, account.device, id);
  await expireAt(attachment, now);
  const late = await locate(account, account.device, id);

  assert.ok(Math.abs(ttl - now - 3 * 86_400) < 60);
  assert.equal(soon.body.expires, now + 60);
  assert.ok(Number(new URL(soon.body.url as string).searchParams.get('X-Amz-Expires')) <= 60);
  assert.deepEqual([late.status, late.body.attachment], [410, 'is no longer there']);
  assert.equal(await isStored(attachment), true);
});

test('a message that ends sooner takes its attachment with it', async () => {
  const account = await ready();

  await account.send({ attachment: blob(PNG), ttl: '600' });
  const [id] = await pending(account, account.device);

  const { ttl } = (await itemOf(await attachmentOf(account.device, id!)))!;
  assert.ok(ttl <= Math.ceil(Date.now() / 1000) + 600);
});

test('a message to very many devices brings its image, which goes by its expiry alone', async () => {
  const account = await ready();
  const others = await seedDeviceLists(tableOf(peal(), 'Directory'), { accounts: 19, devices: 11 });
  const users = [...others, account].map(({ user }) => user);

  const { status } = await account.send({ attachment: blob(PNG), user: users.join() });
  await peal().cloud.poller('FanOutWorker').drained();
  const [id] = await pending(account, account.device);
  const attachment = await attachmentOf(account.device, id!);
  await account.device.sync();

  assert.equal(status, 200);
  assert.deepEqual(Buffer.from((await received(account.device)).bytes!), PNG);
  assert.equal(await isStored(attachment), true);
  const { pk: _, sk: __, ttl, ...rest } = (await itemOf(attachment))!;
  assert.ok(ttl > Date.now() / 1000);
  assert.deepEqual(rest, { v: 1 });
});
