import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeyPair, type KeyPair, openEnvelope, toBase64 } from '../../lib/device/index.ts';
import { newAccount, post, usePeal } from '../support/peal.ts';

const peal = usePeal({ expectedErrors: /InternalServerError|Runtime.ExitError|signal: killed/ });

const DEVICES = 45;

/** Accounts with so many devices together that a message to all of them is fanned out. */
async function crowd() {
  const accounts: (Awaited<ReturnType<typeof newAccount>> & { keys: KeyPair; ids: string[] })[] = [];
  for (let n = 0; n < 5; n++) {
    const account = await newAccount(peal());
    const keys = createKeyPair();
    const ids: string[] = [];
    for (let d = 0; d < DEVICES; d++) {
      const fields = {
        secret: account.secret,
        name: `d${d}`,
        platform: 'desktop',
        public_key: toBase64(keys.publicKey),
      };
      const { body } = await post(peal(), 'devices.json', fields);
      ids.push(body.id as string);
    }
    accounts.push({ ...account, keys, ids });
  }
  const user = accounts.map((account) => account.user).join(',');
  const send = (message: string) =>
    post(peal(), 'messages.json', { token: accounts[0]!.token, user, message });
  return { accounts, send };
}

let gathering: ReturnType<typeof crowd> | undefined;

/** The same people for all tests: gathering them takes seconds. */
function everybody() {
  gathering ??= crowd();
  return gathering;
}

/** The texts that wait for every device, which then has them. */
async function received(): Promise<string[]> {
  const people = await everybody();
  const all = people.accounts.flatMap(({ api, ids, keys }) =>
    ids.map(async (id) => {
      const { messages } = await api.sync(id);
      await api.acknowledge(id, Number.MAX_SAFE_INTEGER);
      return (messages as { sealed: string }[])
        .map(({ sealed }) => {
          const opened = openEnvelope(Buffer.from(sealed, 'base64'), keys);
          return opened.kind === 'envelope' ? opened.envelope.message : opened.kind;
        })
        .join();
    }),
  );
  return Promise.all(all);
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
  assert.equal(texts.length, 5 * DEVICES);
  assert.equal(items.length, 1);
  const { Item } = items[0] as { Item: { job: { B: string } } };
  assert.doesNotMatch(Buffer.from(Item.job.B, 'base64').toString('latin1'), /for all/);
});

test('one recipient that cannot be stored for a while affects no other, and gets it later', async () => {
  const people = await everybody();
  const [unlucky] = people.accounts[2]!.ids;
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
