/**
 * What is written often is small, and apart from what is large: an update is billed by the whole of its item, and one
 * partition takes 1,000 write units a second. In one item, each of the hundreds of notes that an emergency to thousands
 * was delivered would take 160 units, and so would each reader.
 */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { receiptKey, recipientsKey } from '../../lib/accounts/directory.ts';
import { randomKey } from '../../lib/accounts/keys.ts';
import type { Person } from '../../lib/groups/hidden.ts';
import { RECEIPT_SECONDS, type Receipt, Receipts } from '../../lib/receipts/receipts.ts';
import { keysOfRecipients } from '../../lib/receipts/recipients.ts';
import { batchGet } from '../../lib/storage/batches.ts';
import { useDirectory } from '../support/table.ts';
import { sumOf, unitsOf } from '../support/units.ts';

const directory = useDirectory();

/** Unix seconds, which only the tests move. */
let now: number;

beforeEach(() => {
  now = 1_900_000_000;
});

const newReceipts = () => new Receipts(directory(), () => now * 1000);

const newReceipt = (): Receipt => ({
  receipt: randomKey('r'),
  app: { id: 1, owner: randomKey('u') },
  expiresAt: now + 600,
  tags: [],
  ttl: now + RECEIPT_SECONDS,
});

const NOT_FOUND = { name: 'Refusal', message: /^receipt not found/ };

const crowd = (count: number) => Array.from({ length: count }, () => ({ user: randomKey('u') }));

const viewOf = async (receipts: Receipts, { receipt }: Receipt) =>
  (await receipts.findDelivered([receipt]))[0];

const COSTS = [
  // A unit each: the receipt, that the account has it, its recipients.
  { people: 1, put: 3 },
  { people: 10, put: 3 },
  { people: 100, put: 6 },
  { people: 5_000, put: 2 + 32 * 6 },
  { people: 20_000, put: 2 + 32 * 22 },
];

for (const { people, put } of COSTS) {
  test(`an emergency to ${people} is written for ${put} units at most, and each change of it costs one`, async () => {
    const receipts = newReceipts();
    const receipt = newReceipt();
    const recipients = crowd(people);
    const { user } = recipients[people >> 1]!;

    const stored = await unitsOf(directory(), () => receipts.put(receipt, recipients));
    const delivered = await unitsOf(directory(), () => receipts.delivered(receipt.receipt));
    const acknowledged = await unitsOf(directory(), () =>
      receipts.acknowledge(receipt.receipt, user, 'phone'),
    );
    const noted = await unitsOf(directory(), async () => {
      await receipts.noteCallbackQueued(receipt.receipt);
      await receipts.noteCalledBack(receipt.receipt, now);
    });

    assert.ok(sumOf(stored) <= put, `${sumOf(stored)} units`);
    assert.ok(sumOf(stored) >= put * 0.7, `${sumOf(stored)} units`);
    assert.ok(stored.every(({ units }) => units <= 25));
    const updates = [...delivered, ...acknowledged, ...noted].filter(
      ({ command }) => command === 'UpdateItemCommand',
    );
    assert.deepEqual(
      updates.map(({ units }) => units),
      Array(4).fill(1),
    );
    const reads = acknowledged.filter(({ command }) => command === 'BatchGetItemCommand');
    assert.ok(sumOf(reads) <= 8, `${sumOf(reads)} units`);
    assert.equal((await viewOf(receipts, receipt))?.acknowledged?.by, user);
  });
}

test('the deliveries of one second are one write an environment, and the latest of all is told', async () => {
  const receipts = newReceipts();
  const elsewhere = newReceipts();
  const receipt = newReceipt();
  await receipts.put(receipt, crowd(1));
  const deliver = (of: Receipts, times: number) =>
    unitsOf(directory(), () =>
      Promise.all(Array.from({ length: times }, () => of.delivered(receipt.receipt))),
    );

  const first = await deliver(receipts, 300);
  now += 30;
  const repeated = await deliver(elsewhere, 300);
  // A clock that is behind.
  now -= 10;
  await deliver(receipts, 2);
  const seen = await viewOf(receipts, receipt);

  assert.deepEqual([sumOf(first), sumOf(repeated)], [1, 1]);
  assert.equal(seen?.deliveredAt, 1_900_000_030);
});

test('a delivery that could not be noted is noted by the next one', async () => {
  const { client, name } = directory();
  let fails = true;
  const send: typeof client.send = (...args: unknown[]) => {
    if (fails) return Promise.reject(new Error('no'));
    return (client.send as (...given: unknown[]) => never)(...args);
  };
  const receipts = new Receipts({ client: { send } as typeof client, name }, () => now * 1000);
  const receipt = newReceipt();
  await newReceipts().put(receipt, crowd(1));

  await assert.rejects(receipts.delivered(receipt.receipt), /no/);
  fails = false;
  await receipts.delivered(receipt.receipt);

  assert.equal((await viewOf(receipts, receipt))?.deliveredAt, now);
});

test('a note of a delivery makes no receipt, and expires', async () => {
  const receipts = newReceipts();
  const receipt = newReceipt();
  await receipts.put(receipt, crowd(1));
  await receipts.withdraw(receipt.receipt);

  await receipts.delivered(receipt.receipt);

  assert.equal(await receipts.find(receipt.receipt), undefined);
  assert.deepEqual(await receipts.findDelivered([receipt.receipt]), []);
  const { client, name: TableName } = directory();
  const { Items } = await client.send(
    new QueryCommand({
      TableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': `delivered#${receipt.receipt}` },
    }),
  );
  assert.deepEqual(
    Items?.map(({ ttl }) => ttl),
    [now + RECEIPT_SECONDS],
  );
});

test('recipients are in partitions of their own, each of which is read by some of them', async () => {
  const receipts = newReceipts();
  const receipt = newReceipt();
  await receipts.put(receipt, crowd(5_000));
  const keys = keysOfRecipients(receipt.receipt);

  const [items] = await batchGet([{ table: directory(), keys, consistent: true }]);

  assert.equal(new Set(items!.map(({ pk }) => pk)).size, 32);
  const sizes = items!.map(({ known }) => (known as Set<string>).size);
  assert.equal(
    sizes.reduce((sum, size) => sum + size),
    5_000,
  );
  assert.ok(Math.max(...sizes) < 2 * (5_000 / 32), String(Math.max(...sizes)));
  assert.ok(items!.every(({ ttl, v }) => ttl === receipt.ttl && v === 1));
});

test('whoever is a recipient in any attempt of a request may acknowledge, and nobody else', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(1, 3, 99, 100, 101, 140), { minLength: 1, maxLength: 3 }),
      fc.infiniteStream(fc.nat()),
      async (sizes, picks) => {
        const receipts = newReceipts();
        const receipt = newReceipt();
        const attempts = sizes.map(crowd);
        for (const people of attempts) await receipts.put(receipt, people);
        const people = attempts.flat();
        const { user } = people[picks.next().value % people.length]!;

        await assert.rejects(receipts.acknowledge(receipt.receipt, randomKey('u'), ''), NOT_FOUND);
        const { acknowledged } = await receipts.acknowledge(receipt.receipt, user, 'phone');

        assert.deepEqual(acknowledged, { at: now, by: user, device: 'phone' });
      },
    ),
    { numRuns: 8, seed: 45 },
  );
});

test('of a hidden recipient the acknowledgement says so, however many there are', async () => {
  for (const count of [2, 200]) {
    const receipts = newReceipts();
    const receipt = newReceipt();
    const people = crowd(count).map(
      ({ user }, n): Person => ({ user, ...(n % 2 === 1 && { hidden: true }) }),
    );
    await receipts.put(receipt, people);

    const { acknowledged } = await receipts.acknowledge(receipt.receipt, people[1]!.user, 'phone');

    assert.deepEqual(acknowledged, { at: now, by: people[1]!.user, device: 'phone', hidden: true });
  }
});

test('a repeat of the request leaves an acknowledgement alone', async () => {
  const receipts = newReceipts();
  const receipt = newReceipt();
  const [one, other] = crowd(2);
  await receipts.put(receipt, [one!]);
  await receipts.acknowledge(receipt.receipt, one!.user, 'phone');

  await receipts.put(receipt, [other!]);

  const { acknowledged } = await receipts.acknowledge(receipt.receipt, other!.user, '');
  assert.equal(acknowledged?.by, one!.user);
});

test('recipients without a receipt are nobody’s: a request that dies in the midst leaves nothing to acknowledge', async () => {
  const receipts = newReceipts();
  const receipt = newReceipt();
  const [one] = crowd(1);
  await receipts.put(receipt, [one!]);
  await receipts.withdraw(receipt.receipt);

  await assert.rejects(receipts.acknowledge(receipt.receipt, one!.user, ''), NOT_FOUND);
  assert.notEqual(recipientsKey(receipt.receipt, 'all').pk, receiptKey(receipt.receipt).pk);
});
