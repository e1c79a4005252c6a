import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BatchGetCommand, GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { queryAll, queryPage } from '../../lib/storage/query.ts';
import { useDirectory } from '../support/table.ts';

const directory = useDirectory();
const TableName = 'Directory';

test('a query takes no empty prefix, and says so before DynamoDB does', async () => {
  await assert.rejects(queryAll(directory(), { pk: 'a', sk: '' }), RangeError);
  await assert.rejects(queryPage(directory(), { pk: 'a', prefix: '' }), RangeError);
});

test('the table that tests use refuses every empty key as DynamoDB does, which its emulator would take', async () => {
  const { client } = directory();
  const query = (condition: string, prefix: string) =>
    client.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: `#pk = :pk AND ${condition}`,
        ExpressionAttributeNames: { '#pk': 'pk' },
        ExpressionAttributeValues: { ':pk': 'a', ':sk': prefix },
      }),
    );
  const refused = (work: Promise<unknown>, key = 'sk') =>
    assert.rejects(work, {
      name: 'ValidationException',
      message: `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: ${key}`,
    });

  await refused(query('begins_with(sk, :sk)', ''));
  await refused(query('sk = :sk', ''));
  await refused(query('sk >= :sk', ''));
  await refused(client.send(new PutCommand({ TableName, Item: { pk: 'a', sk: '' } })));
  await refused(client.send(new GetCommand({ TableName, Key: { pk: '', sk: 'a' } })), 'pk');
  const Keys = [{ pk: 'a', sk: '' }];
  await refused(client.send(new BatchGetCommand({ RequestItems: { [TableName]: { Keys } } })));
  await client.send(new PutCommand({ TableName, Item: { pk: 'a', sk: 'a', other: '' } }));
  assert.equal((await query('begins_with(sk, :sk)', 'a')).Items?.length, 1);
});
