import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { ThrottlingException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  BatchWriteCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { useDirectory } from '../../support/table.ts';

/** A clock that stands still until a test moves it: what a partition has left depends on nothing else. */
let time = 1_000_000;
const directory = useDirectory({
  partitionLimit: { reads: 12, writes: 4 },
  now: () => time,
  maxAttempts: 1,
});

const TableName = 'Directory';
const WRITES = 'TableWriteKeyRangeThroughputExceeded';
const READS = 'TableReadKeyRangeThroughputExceeded';

/** What a call was throttled for. */
async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    assert.ok(error instanceof ThrottlingException, String(error));
    assert.match(error.message, /^Throughput exceeds the current capacity of your table or index/);
    return error.throttlingReasons?.[0]?.reason ?? '';
  }
}

const item = (pk: string, sk: string, size = 1) => ({ pk, sk, body: 'x'.repeat(size) });
const put = (pk: string, sk: string, size?: number) =>
  outcome(directory().client.send(new PutCommand({ TableName, Item: item(pk, sk, size) })));
const get = (pk: string, sk: string) =>
  outcome(directory().client.send(new GetCommand({ TableName, Key: { pk, sk }, ConsistentRead: true })));

beforeEach(() => {
  time += 60_000;
});

test('a partition takes its write units of a second, and no more until they have grown again', async () => {
  const first: string[] = [];
  for (const sk of 'abcde') first.push(await put('hot', sk));

  assert.deepEqual(first, ['done', 'done', 'done', 'done', WRITES]);
  assert.equal(await put('cool', 'a'), 'done', 'another partition has its own');
  time += 250;
  assert.equal(await put('hot', 'f'), 'done');
  assert.equal(await put('hot', 'g'), WRITES);
});

test('writes at the same time share what there is', async () => {
  const all = await Promise.all([...'abcdefgh'].map((sk) => put('together', sk)));

  assert.equal(all.filter((each) => each === 'done').length, 4);
});

test('a write that its condition refuses, and an update, cost units too', async () => {
  await put('conditions', 'a');
  const again = new PutCommand({
    TableName,
    Item: item('conditions', 'a'),
    ConditionExpression: 'attribute_not_exists(pk)',
  });
  for (let n = 0; n < 2; n++) {
    await assert.rejects(directory().client.send(again), { name: 'ConditionalCheckFailedException' });
  }
  const count = () =>
    directory().client.send(
      new UpdateCommand({
        TableName,
        Key: { pk: 'conditions', sk: 'n' },
        UpdateExpression: 'ADD n :one',
        ExpressionAttributeValues: { ':one': 1 },
      }),
    );

  assert.equal(await outcome(count()), 'done');
  assert.equal(await outcome(count()), WRITES);
});

test('a large item costs what it is billed: the partition is in debt for it', async () => {
  assert.equal(await put('large', 'a', 7_500), 'done', '8 units of 4');
  time += 1_000;
  assert.equal(await put('large', 'b'), WRITES);
  time += 250;
  assert.equal(await put('large', 'b'), 'done');
});

test('reads and writes share a partition, a read at a third of a write', async () => {
  for (const sk of 'abc') assert.equal(await put('mixed', sk), 'done');
  for (const sk of 'abc') assert.equal(await get('mixed', sk), 'done');

  assert.equal(await get('mixed', 'a'), READS);
  const query = new QueryCommand({
    TableName,
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': 'mixed' },
    ConsistentRead: true,
  });
  assert.equal(await outcome(directory().client.send(query)), READS);
});

test('a batch runs as far as its partitions allow, and names the rest', async () => {
  const { client } = directory();
  const keys = [...'abcdef'].map((sk) => ({ pk: 'batch', sk }));
  const puts = keys.map((key) => ({ PutRequest: { Item: key } }));
  const other = { PutRequest: { Item: { pk: 'batch of another', sk: 'a' } } };
  const write = (requests: object[]) =>
    client.send(new BatchWriteCommand({ RequestItems: { [TableName]: requests as never[] } }));

  const written = await write([...puts, other]);
  assert.deepEqual(written.UnprocessedItems, { [TableName]: puts.slice(4) });
  assert.equal(await outcome(write(puts)), WRITES, 'nothing of it can run');

  time += 500;
  const Keys = [...keys, { pk: 'batch', sk: 'g' }];
  const read = await client.send(
    new BatchGetCommand({ RequestItems: { [TableName]: { Keys, ConsistentRead: true } } }),
  );
  assert.equal(read.Responses?.[TableName]?.length, 4);
  assert.deepEqual(read.UnprocessedKeys?.[TableName]?.Keys, [{ pk: 'batch', sk: 'g' }]);
});
