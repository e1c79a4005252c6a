import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import {
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { leaveUnprocessed } from '../../../local/aws/intercept.ts';
import { allow, getAtt, lambda, role, sharedEngine, table, writeStack } from '../assemblies.ts';

const indexed = () => {
  const made = table() as {
    Type: string;
    Properties: { AttributeDefinitions: object[] } & Record<string, object>;
  };
  made.Properties.AttributeDefinitions.push({ AttributeName: 'g', AttributeType: 'S' });
  made.Properties.GlobalSecondaryIndexes = [
    {
      IndexName: 'byG',
      KeySchema: [{ AttributeName: 'g', KeyType: 'HASH' }],
      Projection: { ProjectionType: 'KEYS_ONLY' },
    },
  ];
  return made as never;
};

describe('DynamoDB behind the front', () => {
  const engine = sharedEngine((t) =>
    writeStack(t, {
      T: table(),
      I: indexed(),
      R: role(
        allow('dynamodb:*', getAtt('T')),
        allow('dynamodb:*', getAtt('I')),
        allow('dynamodb:GetItem', { 'Fn::Join': ['', [getAtt('T'), '-none']] }),
      ),
      F: lambda('R'),
      R2: role(
        allow(['dynamodb:GetItem', 'dynamodb:Query'], getAtt('T'), {
          Condition: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['mine'] } },
        }),
        allow('dynamodb:PutItem', getAtt('T'), {
          Condition: { 'ForAllValues:StringEquals': { 'dynamodb:Attributes': ['pk', 'sk', 'open'] } },
        }),
      ),
      G: lambda('R2'),
    }),
  );
  const client = (name = 'Test-F') =>
    new DynamoDBClient({
      endpoint: engine().front.url,
      region: 'us-east-1',
      maxAttempts: 1,
      credentials: { accessKeyId: `LOCAL-${name}`, secretAccessKey: 'local' },
    });
  const counted = (item: string) => engine().meter.read()['Test-F']?.[item] ?? 0;
  const item = (pk: string, sk: string, size = 0) => ({
    pk: { S: pk },
    sk: { S: sk },
    body: { S: 'x'.repeat(size) },
  });

  beforeEach(() => engine().meter.reset());

  test('counts write and read units by function and leaves the answer as it was asked for', async () => {
    const answer = await client().send(
      new PutItemCommand({ TableName: 'Test-T', Item: item('u', '1', 2500) }),
    );
    const Key = { pk: { S: 'u' }, sk: { S: '1' } };
    await client().send(new GetItemCommand({ TableName: 'Test-T', Key }));
    await client().send(new GetItemCommand({ TableName: 'Test-T', Key, ConsistentRead: true }));

    assert.equal(answer.ConsumedCapacity, undefined);
    assert.equal(counted('dynamodb.wru'), 3);
    assert.equal(counted('dynamodb.rru'), 1.5);
    assert.equal(counted('dynamodb.requests'), 3);
  });

  test('gives the capacity to a caller who asks for it', async () => {
    const input = { TableName: 'Test-T', Item: item('u', '2'), ReturnConsumedCapacity: 'TOTAL' } as const;
    const answer = await client().send(new PutItemCommand(input));

    assert.equal(answer.ConsumedCapacity?.CapacityUnits, 1);
    assert.equal(counted('dynamodb.wru'), 1);
  });

  test('counts what a put costs in an index that has the item', async () => {
    await client().send(new PutItemCommand({ TableName: 'Test-I', Item: item('u', '1', 2500) }));
    await client().send(
      new PutItemCommand({ TableName: 'Test-I', Item: { ...item('u', '2', 2500), g: { S: 'x' } } }),
    );

    assert.equal(counted('dynamodb.wru'), 3 + 3 + 1);
  });

  test('counts a write that its condition refused, and gives the item if asked', async () => {
    await client().send(new PutItemCommand({ TableName: 'Test-T', Item: item('c', '1', 1) }));
    const again = new PutItemCommand({
      TableName: 'Test-T',
      Item: item('c', '1', 2),
      ConditionExpression: 'attribute_not_exists(pk)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });

    await assert.rejects(client().send(again), (error: ConditionalCheckFailedException) => {
      assert.ok(error instanceof ConditionalCheckFailedException);
      assert.deepEqual(error.Item, item('c', '1', 1));
      return true;
    });

    assert.equal(counted('dynamodb.wru'), 2);
  });

  test('refuses an item over 400 KB', async () => {
    const input = { TableName: 'Test-T', Item: item('big', '1', 400 * 1024) };

    await assert.rejects(
      client().send(new PutItemCommand(input)),
      /Item size has exceeded the maximum allowed size/,
    );
  });

  test('refuses an update that makes an item larger than 400 KB', async () => {
    await client().send(new PutItemCommand({ TableName: 'Test-T', Item: item('grown', '1', 300 * 1024) }));
    const update = new UpdateItemCommand({
      TableName: 'Test-T',
      Key: { pk: { S: 'grown' }, sk: { S: '1' } },
      UpdateExpression: 'SET more = :more',
      ExpressionAttributeValues: { ':more': { S: 'x'.repeat(150 * 1024) } },
    });

    await assert.rejects(client().send(update), /exceeded the maximum allowed size/);
  });

  const puts = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ PutRequest: { Item: item('batch', String(index)) } }));

  test('refuses a batch of more than 25 writes', async () => {
    const write = new BatchWriteItemCommand({ RequestItems: { 'Test-T': puts(26) } });

    await assert.rejects(client().send(write), /less than or equal to 25/);
  });

  test('leaves writes unprocessed when a test says so', async (t) => {
    t.after(engine().front.intercept((call) => leaveUnprocessed(call, (_table, index) => index === 1)));

    const answer = await client().send(new BatchWriteItemCommand({ RequestItems: { 'Test-T': puts(3) } }));

    assert.deepEqual(answer.UnprocessedItems, { 'Test-T': [puts(2)[1]] });
    assert.equal(counted('dynamodb.wru'), 2);
  });

  test('asks for a grant on the index that is queried', async () => {
    const query = new QueryCommand({
      TableName: 'Test-I',
      IndexName: 'byG',
      KeyConditionExpression: 'g = :g',
      ExpressionAttributeValues: { ':g': { S: 'x' } },
    });

    await assert.rejects(
      client().send(query),
      /dynamodb:Query on resource: arn:aws:dynamodb:.*table\/Test-I\/index\/byG /,
    );
  });

  test('asks for a grant on every table of a batch', async () => {
    const write = new BatchWriteItemCommand({ RequestItems: { 'Test-T': puts(1), Other: puts(1) } });

    await assert.rejects(
      client().send(write),
      /dynamodb:BatchWriteItem on resource: arn:aws:dynamodb:.*table\/Other /,
    );
  });

  test('heeds conditions on partition keys', async () => {
    const get = (pk: string) =>
      new GetItemCommand({ TableName: 'Test-T', Key: { pk: { S: pk }, sk: { S: 'x' } } });
    const query = (pk: string) =>
      new QueryCommand({
        TableName: 'Test-T',
        KeyConditionExpression: '#p = :p',
        ExpressionAttributeNames: { '#p': 'pk' },
        ExpressionAttributeValues: { ':p': { S: pk } },
      });

    await client('Test-G').send(get('mine'));
    await client('Test-G').send(query('mine'));
    await assert.rejects(client('Test-G').send(get('theirs')), /not authorized/);
    await assert.rejects(client('Test-G').send(query('theirs')), /not authorized/);
  });

  test('heeds conditions on attributes', async () => {
    const key = { pk: { S: 'a' }, sk: { S: 'a' } };
    const put = (name: string) =>
      new PutItemCommand({ TableName: 'Test-T', Item: { ...key, [name]: { S: 'x' } } });

    await client('Test-G').send(put('open'));
    await assert.rejects(client('Test-G').send(put('closed')), /not authorized/);
  });

  test('says that it has no transactions', async () => {
    const write = new TransactWriteItemsCommand({
      TransactItems: [{ Put: { TableName: 'Test-T', Item: item('t', '1') } }],
    });

    await assert.rejects(client().send(write), /TransactWriteItems is not available in the local cloud/);
    assert.ok(engine().lines.some(({ message }) => message.includes('TransactWriteItems is not available')));
  });
});
