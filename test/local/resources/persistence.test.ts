import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ROOT } from '../../../local/iam/iam.ts';
import type { JsonObject } from '../../../local/template/json.ts';
import { engineOf, getAtt, table, temporaryDir, writeStack } from '../assemblies.ts';

const RESOURCES: JsonObject = {
  T: table(),
  D: { Type: 'AWS::SQS::Queue' },
  Q: {
    Type: 'AWS::SQS::Queue',
    Properties: { RedrivePolicy: { deadLetterTargetArn: getAtt('D'), maxReceiveCount: 3 } },
  },
  S: { Type: 'AWS::SecretsManager::Secret', Properties: { SecretString: 'first' } },
  B: { Type: 'AWS::S3::Bucket' },
};
const Item = { pk: { S: 'a' }, sk: { S: 'b' } };
const S3 = {
  authorization: `AWS4-HMAC-SHA256 Credential=${ROOT}/20260101/us-east-1/s3/aws4_request, Signature=0`,
};

describe('a data folder', () => {
  test('keeps items, messages, objects and secrets across a restart', async (t) => {
    const dataDir = join(temporaryDir(t), 'data');
    const assembly = writeStack(t, RESOURCES);
    const first = await engineOf(t, assembly, { dataDir });
    const call = first.front.send.bind(first.front, ROOT);
    await call('dynamodb', 'PutItem', { TableName: 'Test-T', Item });
    const url = (base: string) => `${base}/000000000000/Test-Q`;
    await call('sqs', 'SendMessage', { QueueUrl: url(first.front.url), MessageBody: 'kept' });
    await call('secretsmanager', 'PutSecretValue', { SecretId: 'Test-S', SecretString: 'second' });
    await fetch(`${first.front.url}/test-b/a`, { method: 'PUT', body: 'object', headers: S3 });
    await first.close();

    const second = await engineOf(t, assembly, { dataDir });
    const again = second.front.send.bind(second.front, ROOT);
    const item = await again('dynamodb', 'GetItem', { TableName: 'Test-T', Key: Item });
    const { Messages } = await again('sqs', 'ReceiveMessage', { QueueUrl: url(second.front.url) });
    const secret = await again('secretsmanager', 'GetSecretValue', { SecretId: 'Test-S' });
    const object = await fetch(`${second.front.url}/test-b/a`, { headers: S3 });

    assert.deepEqual(item.Item, Item);
    assert.equal((Messages as JsonObject[])[0]?.Body, 'kept');
    assert.equal(secret.SecretString, 'second');
    assert.equal(await object.text(), 'object');
  });

  test('is refused when its tables have other keys than the template', async (t) => {
    const dataDir = join(temporaryDir(t), 'data');
    const first = await engineOf(t, writeStack(t, RESOURCES), { dataDir });
    await first.close();
    const other = table() as { Properties: JsonObject } & JsonObject;
    other.Properties.KeySchema = [{ AttributeName: 'sk', KeyType: 'HASH' }];
    other.Properties.AttributeDefinitions = [{ AttributeName: 'sk', AttributeType: 'S' }];

    await assert.rejects(
      engineOf(t, writeStack(t, { ...RESOURCES, T: other }), { dataDir }),
      /Test\/T\.KeySchema: the kept data has this table with other keys or indexes/,
    );
  });

  test('is refused while another cloud has it', async (t) => {
    const dataDir = join(temporaryDir(t), 'data');
    const assembly = writeStack(t, RESOURCES);
    await engineOf(t, assembly, { dataDir });

    await assert.rejects(engineOf(t, assembly, { dataDir }), /is in use by process \d+/);
  });

  test('is taken over from a process that is gone', async (t) => {
    const dataDir = temporaryDir(t);
    writeFileSync(join(dataDir, 'process'), '999999999');

    await engineOf(t, writeStack(t, RESOURCES), { dataDir });

    assert.equal(readFileSync(join(dataDir, 'process'), 'utf8'), String(process.pid));
  });

  test('is not needed: without it everything is forgotten', async (t) => {
    const assembly = writeStack(t, RESOURCES);
    const first = await engineOf(t, assembly);
    await first.front.send(ROOT, 'dynamodb', 'PutItem', { TableName: 'Test-T', Item });
    await first.close();

    const second = await engineOf(t, assembly);
    const { Item: found } = await second.front.send(ROOT, 'dynamodb', 'GetItem', {
      TableName: 'Test-T',
      Key: Item,
    });

    assert.equal(found, undefined);
  });
});

describe('the engine', () => {
  test('is up within two seconds', async (t) => {
    const start = performance.now();

    await engineOf(t, writeStack(t, RESOURCES));

    assert.ok(performance.now() - start < 2000);
  });

  test('refuses a redrive policy to a queue that does not exist', async (t) => {
    const Q = { Type: 'AWS::SQS::Queue', Properties: { RedrivePolicy: { deadLetterTargetArn: 'arn:none' } } };

    await assert.rejects(
      engineOf(t, writeStack(t, { Q })),
      /Test\/Q\.RedrivePolicy: there is no dead-letter queue/,
    );
  });

  test('refuses a queue property that SQS would not get', async (t) => {
    const Q = { Type: 'AWS::SQS::Queue', Properties: { Colour: 'red' } };

    await assert.rejects(engineOf(t, writeStack(t, { Q })), /Test\/Q\.Colour: is not supported here/);
  });
});
