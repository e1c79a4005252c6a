import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment } from '../../bench/lib/deployment.ts';
import { fill } from '../../bench/lib/fill.ts';
import { enoughFor, limitsOf, partitionsOf } from '../../bench/lib/limits.ts';
import { touched } from '../../bench/lib/tally.ts';
import type { Call } from '../../local/aws/call.ts';
import type { JsonObject } from '../../local/template/json.ts';
import { usageOf } from './builders.ts';

const deployment: Deployment = {
  secrets: 0,
  alarms: 0,
  dashboards: 0,
  metrics: 0,
  http: { rate: 6_000, burst: 3_000 },
  socket: { rate: 500, burst: 1_000 },
  queues: 1,
  workers: { FcmPush: { batch: 10, ceiling: 20 } },
};

test('a limit is enough for what there is, shared out by what a message takes', () => {
  const usage = usageOf({
    amounts: { 'http.requests': 3, 'websocket.messages': 1 },
    functions: { FcmPush: { invocations: 1, memory: 512, calls: { 'dynamodb.UpdateItem': 1 } } },
    partitions: {
      'Directory token#… app': { reads: 1, writes: 0.1 },
      'Directory user#… devices': { reads: 4, writes: 0 },
      'Mailbox device message': { reads: 2, writes: 5 },
    },
  });

  const limits = Object.fromEntries(
    limitsOf(usage, deployment).map((limit) => [
      limit.what.split(' (')[0],
      Number(enoughFor(limit).toFixed(3)),
    ]),
  );

  // 3 ms of its own, 60 for the carrier, 5 for DynamoDB.
  const ms = 68;
  assert.deepEqual(limits, {
    'REST API: requests': 2_000,
    'API Gateway: requests and signals': 2_500,
    'Lambda: invocations at once': Number((1_000 / (ms / 1_000)).toFixed(3)),
    'FcmPush: invocations at once, batches of 10': Number((20 / (ms / 1_000 / 10)).toFixed(3)),
    'Directory: read units': 8_000,
    'Directory: write units': 400_000,
    'Mailbox: read units': 20_000,
    'Mailbox: write units': 8_000,
    'FCM: messages': 10_000,
  });
});

test('a partition holds out as long as the scarcer of its reads and writes', () => {
  const partitions = partitionsOf({
    partitions: {
      'Mailbox device message': { reads: 2, writes: 2 },
      'Mailbox device mark': { reads: 1, writes: 2 },
      'Directory token#… app': { reads: 1, writes: 0 },
    },
  });

  assert.deepEqual(partitions, [
    { partition: 'Mailbox device', reads: 3, writes: 4, most: 250 },
    { partition: 'Directory token#…', reads: 1, writes: 0, most: 3_000 },
  ]);
});

const call = (action: string, input: JsonObject): Call => ({
  caller: { name: 'Send', arn: 'arn:aws:sts::000000000000:assumed-role/Send/Send', policies: [] } as never,
  service: 'dynamodb',
  action,
  input,
  method: 'POST',
  url: '/',
  headers: {},
  body: Buffer.alloc(0),
});
const tables = { directory: 'Directory', mailbox: 'Mailbox' };

test('of a batch each key takes a unit, and the largest item what is left', () => {
  const token = { pk: { S: 'token#abc' }, sk: { S: 'app' } };
  const devices = { pk: { S: 'user#uabc' }, sk: { S: 'devices' } };
  const missing = { pk: { S: 'user#unobody' }, sk: { S: 'devices' } };

  const units = touched(
    call('BatchGetItem', { RequestItems: { directory: { Keys: [token, devices, missing] } } }),
    {
      Responses: { directory: [token, { ...devices, devices: { S: 'x'.repeat(9_000) } }] },
      ConsumedCapacity: [{ TableName: 'directory', CapacityUnits: 5 }],
    },
    tables,
  );

  assert.deepEqual(units, [
    { kind: 'Directory token#… app', units: 1 },
    { kind: 'Directory user#… devices', units: 3 },
    { kind: 'Directory user#… devices', units: 1 },
  ]);
});

test('single calls and queries take what they consumed; a write that its condition refused, one unit', () => {
  const kinds = [
    touched(
      call('PutItem', { TableName: 'mailbox', Item: { pk: { S: 'd1' }, sk: { N: '7' } } }),
      { ConsumedCapacity: { TableName: 'mailbox', CapacityUnits: 3 } },
      tables,
    ),
    touched(
      call('Query', {
        TableName: 'mailbox',
        KeyConditionExpression: 'pk = :device AND sk > :after',
        ExpressionAttributeValues: { ':device': { S: 'd1' }, ':after': { N: '0' } },
      }),
      { ConsumedCapacity: { TableName: 'mailbox', CapacityUnits: 2 } },
      tables,
    ),
    touched(
      call('UpdateItem', { TableName: 'mailbox', Key: { pk: { S: 'd1' }, sk: { N: '-7' } } }),
      { __type: 'ConditionalCheckFailedException' },
      tables,
    ),
    touched(
      call('BatchWriteItem', {
        RequestItems: { mailbox: [{ DeleteRequest: { Key: { pk: { S: 'd1' }, sk: { N: '7' } } } }] },
      }),
      { ConsumedCapacity: [{ TableName: 'mailbox', CapacityUnits: 1 }] },
      tables,
    ),
  ].flat();

  assert.deepEqual(kinds, [
    { kind: 'Mailbox device message', units: 3 },
    { kind: 'Mailbox device', units: 2 },
    { kind: 'Mailbox device mark', units: 1 },
    { kind: 'Mailbox device message', units: 1 },
  ]);
});

test('a page has a value for each place and a place for each value', () => {
  const page = fill('{{a}} and {{b}}', { a: '1', b: '2' });

  assert.equal(page, '1 and 2');
  assert.throws(() => fill('{{a}}', {}), /place a/);
  assert.throws(() => fill('', { b: '2' }), /no place for b/);
});
