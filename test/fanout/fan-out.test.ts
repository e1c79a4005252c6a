import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paginateScan } from '@aws-sdk/lib-dynamodb';
import { createKeyPair, openEnvelope } from '../../lib/device/index.ts';
import { messageOf } from '../../lib/mailbox/item.ts';
import { batchDelete } from '../../lib/storage/batches.ts';
import { seedDeviceLists } from '../support/crowd.ts';
import { newDevice } from '../support/devices.ts';
import { tableOf } from '../support/directory.ts';
import { newAccount, post, usePeal } from '../support/peal.ts';

const peal = usePeal({ expectedErrors: /InternalServerError|Runtime.ExitError|signal: killed/ });

/** With the sender's own device they are one more than a message goes to without being fanned out. */
const STRANGERS = { accounts: 5, devices: 40 };

/** Accounts with so many devices together that a message to all of them is fanned out. */
async function gather() {
  const keys = createKeyPair();
  const strangers = await seedDeviceLists(tableOf(peal(), 'Directory'), STRANGERS, keys.publicKey);
  const account = await newAccount(peal());
  const own = await newDevice(account);
  const user = [...strangers, account].map((one) => one.user).join(',');
  const send = (message: string) => post(peal(), 'messages.json', { token: account.token, user, message });
  return { keys, strangers, own, send };
}

let gathering: ReturnType<typeof gather> | undefined;

/** The same people for all tests. */
function everybody() {
  gathering ??= gather();
  return gathering;
}

/** Takes the texts that wait for every device: the sender's own as devices do, those of the others from the Mailbox. */
async function received(): Promise<string[]> {
  const { keys, strangers, own } = await everybody();
  const mailbox = tableOf(peal(), 'Mailbox');
  const items: Record<string, unknown>[] = [];
  for await (const { Items = [] } of paginateScan({ client: mailbox.client }, { TableName: mailbox.name }))
    items.push(...Items);
  const texts = new Map(strangers.flatMap(({ devices }) => devices).map((id) => [id, [] as string[]]));
  const taken = items.filter(({ pk, sk }) => texts.has(pk as string) && (sk as number) > 0);
  for (const { device, body } of taken.map(messageOf)) {
    const opened = openEnvelope(body, keys);
    texts.get(device)!.push(opened.kind === 'envelope' ? opened.envelope.message : opened.kind);
  }
  await batchDelete(
    mailbox,
    taken.map(({ pk, sk }) => ({ pk, sk })),
  );
  const shown = own.shown.length;
  await own.sync();
  return [...texts.values(), own.texts().slice(shown)].map((of) => of.join());
}

const drained = () => peal().cloud.poller('FanOutWorker').drained();

test('a message to very many devices reaches each of them once, and the job keeps no text', async () => {
  const people = await everybody();
  const items: unknown[] = [];
  const stop = peal().cloud.front.intercept((call) => {
    if (call.action === 'PutItem' && JSON.stringify(call.input).includes('jobs#')) items.push(call.input);
    return undefined;
  });

  const { status } = await people.send('for all of you');
  await drained();
  stop();
  const texts = await received();

  assert.equal(status, 200);
  assert.deepEqual(new Set(texts), new Set(['for all of you']));
  assert.equal(texts.length, 201);
  assert.equal(items.length, 1);
  const { Item } = items[0] as { Item: { job: { B: string } } };
  assert.doesNotMatch(Buffer.from(Item.job.B, 'base64').toString('latin1'), /for all/);
});

test('one recipient that cannot be stored for a while affects no other, and gets it later', async () => {
  const people = await everybody();
  const [unlucky] = people.strangers[2]!.devices;
  let failures = 6;
  const stop = peal().cloud.front.intercept((call) =>
    call.action === 'PutItem' && JSON.stringify(call.input).includes(unlucky!) && failures-- > 0
      ? { status: 500, body: { __type: 'com.amazonaws.dynamodb.v20120810#InternalServerError' } }
      : undefined,
  );

  await people.send('hello');
  await drained();
  stop();

  assert.ok(failures < 0);
  assert.deepEqual(new Set(await received()), new Set(['hello']));
});

test('a chunk that is delivered twice is stored once', async () => {
  const people = await everybody();
  peal().cloud.poller('FanOutWorker').deliverTwice();

  await people.send('once');
  await drained();

  assert.deepEqual(new Set(await received()), new Set(['once']));
});

test('a worker that dies in the middle of a chunk leaves the rest to the next delivery, and no copy is stored twice', async () => {
  const people = await everybody();
  const { cloud } = peal();
  // At once instead of within the minute that the templates allow.
  cloud.poller('FanOutWorker').repeatAtOnce();
  let left = 70;
  const stop = cloud.front.intercept(({ action, caller }) => {
    if (action !== 'PutItem' || !caller.name.includes('FanOutWorker') || left-- !== 0) return undefined;
    cloud.functionNamed('FanOutWorker').kill();
    return { before: 'drop' };
  });

  await people.send('halves');
  await drained();
  stop();
  const texts = await received();

  assert.ok(left < 0, 'nobody died');
  assert.deepEqual(new Set(texts), new Set(['halves']));
  assert.equal(texts.length, 201);
});

test('a job whose chunks cannot all be queued is withdrawn, and the sender told', async () => {
  const people = await everybody();
  const stop = peal().cloud.front.intercept((call) =>
    call.action === 'SendMessageBatch' && JSON.stringify(call.input).includes('FanOut')
      ? { status: 500, body: { __type: 'com.amazonaws.sqs#InternalServerError' } }
      : undefined,
  );

  const { status } = await people.send('never');
  stop();
  await drained();

  assert.equal(status, 500);
  assert.deepEqual(new Set(await received()), new Set(['']));
});
