import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { awsClient, BUDGETS } from '../../../lib/net/aws-client.ts';
import type { AwsFault } from '../../../local/aws/faults.ts';
import { failure } from '../../../local/aws/intercept.ts';
import { ROOT } from '../../../local/iam/iam.ts';
import { timed } from '../../support/timed.ts';
import { allow, getAtt, inProcess, lambda, role, sharedEngine, table, writeStack } from '../assemblies.ts';

const ITEM = { pk: { S: 'a' }, sk: { S: 'b' } };
const USER = 'arn:aws:sts::000000000000:assumed-role/Test-R/Test-F';

describe('the AWS front', () => {
  const engine = sharedEngine((t) =>
    writeStack(t, {
      T: table(),
      Q: { Type: 'AWS::SQS::Queue' },
      S: { Type: 'AWS::SecretsManager::Secret', Properties: { SecretString: 'hidden' } },
      B: { Type: 'AWS::S3::Bucket' },
      R: role(allow('dynamodb:GetItem', getAtt('T'))),
      F: lambda('R'),
      R2: role(allow('lambda:InvokeFunction', getAtt('F'))),
      G: lambda('R2'),
    }),
  );
  let events: unknown[] = [];

  before(() => {
    const handler = (event: unknown) => {
      events.push(event);
      if (event === 'fail') throw new Error('no');
      return { echo: event };
    };
    engine().start(new Map(engine().specs.map((spec) => [spec.name, inProcess(spec, handler)])));
  });

  /** Options of an SDK client that acts as a function, or as root. */
  const as = (name: string) => ({
    endpoint: engine().front.url,
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: {
      accessKeyId: engine().specs.find((spec) => spec.name === name)?.accessKeyId ?? name,
      secretAccessKey: 'local',
    },
  });
  const refusal = async (call: Promise<unknown>) => {
    const error = await call.then(
      () => assert.fail('allowed'),
      (reason: Error & { $metadata: { httpStatusCode: number } }) => reason,
    );
    return [error.name, error.message, error.$metadata.httpStatusCode];
  };
  const put = (name: string) =>
    new DynamoDBClient(as(name)).send(new PutItemCommand({ TableName: 'Test-T', Item: ITEM }));

  test('refuses a DynamoDB call in AWS’s words and logs function, action and resource', async () => {
    const answer = await refusal(put('Test-F'));

    const resource = 'arn:aws:dynamodb:us-east-1:000000000000:table/Test-T';
    const sentence = `User: ${USER} is not authorized to perform: dynamodb:PutItem on resource: ${resource} because no identity-based policy allows the dynamodb:PutItem action`;
    assert.deepEqual(answer, ['AccessDeniedException', sentence, 400]);
    assert.deepEqual(engine().lines.at(-1), {
      level: 'error',
      message: `Test-F may not dynamodb:PutItem on ${resource}`,
      fields: { function: 'Test-F', action: 'dynamodb:PutItem', resource, keys: ['a'] },
    });
  });

  test('refuses an SQS call in AWS’s words', async () => {
    const QueueUrl = `${engine().front.url}/000000000000/Test-Q`;
    const [, message, status] = await refusal(
      new SQSClient(as('Test-F')).send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' })),
    );

    assert.equal(
      message,
      `User: ${USER} is not authorized to perform: sqs:sendmessage on resource: arn:aws:sqs:us-east-1:000000000000:Test-Q because no identity-based policy allows the sqs:sendmessage action`,
    );
    assert.equal(status, 400);
  });

  test('refuses a Secrets Manager call in AWS’s words', async () => {
    const client = new SecretsManagerClient(as('Test-F'));
    const [name, message, status] = await refusal(
      client.send(new GetSecretValueCommand({ SecretId: 'Test-S' })),
    );

    assert.equal(name, 'AccessDeniedException');
    assert.match(
      String(message),
      /not authorized to perform: secretsmanager:GetSecretValue on resource: arn:aws:/,
    );
    assert.equal(status, 400);
  });

  test('refuses a Lambda call in AWS’s words', async () => {
    const answer = await refusal(
      new LambdaClient(as('Test-F')).send(new InvokeCommand({ FunctionName: 'Test-F' })),
    );

    assert.match(
      String(answer[1]),
      /not authorized to perform: lambda:InvokeFunction on resource: arn:aws:lambda/,
    );
    assert.equal(answer[2], 403);
    assert.equal(answer[0], 'AccessDeniedException');
  });

  test('knows no other access key', async () => {
    const answer = await refusal(put('AKIASTRANGER'));

    assert.deepEqual(answer, [
      'UnrecognizedClientException',
      'The security token included in the request is invalid.',
      400,
    ]);
  });

  test('lets root do everything', async () => {
    await put(ROOT);
  });

  test('invokes a function and gives its answer', async () => {
    const client = new LambdaClient(as('Test-G'));
    const answer = await client.send(new InvokeCommand({ FunctionName: 'Test-F', Payload: '{"a":1}' }));

    assert.equal(answer.StatusCode, 200);
    assert.deepEqual(JSON.parse(answer.Payload?.transformToString() ?? ''), { echo: { a: 1 } });
  });

  test('tells of a function’s error as Lambda does', async () => {
    const client = new LambdaClient(as('Test-G'));
    const answer = await client.send(new InvokeCommand({ FunctionName: 'Test-F', Payload: '"fail"' }));

    assert.equal(answer.FunctionError, 'Unhandled');
    const payload = JSON.parse(answer.Payload?.transformToString() ?? '');
    assert.deepEqual(payload, { errorType: 'Error', errorMessage: 'no' });
  });

  test('invokes a function in the background', async () => {
    events = [];
    const client = new LambdaClient(as('Test-G'));

    const input = { FunctionName: 'Test-F', InvocationType: 'Event', Payload: '"later"' } as const;
    const answer = await client.send(new InvokeCommand(input));

    assert.equal(answer.StatusCode, 202);
    assert.deepEqual(events, ['later']);
  });

  test('lets a test fail a call before it took effect', async (t) => {
    t.after(
      engine().front.intercept(({ action }) =>
        action === 'PutItem'
          ? failure(400, 'ProvisionedThroughputExceededException', 'slow down')
          : undefined,
      ),
    );

    const [name] = await refusal(put(ROOT));

    assert.equal(name, 'ProvisionedThroughputExceededException');
  });

  test('lets a test drop the answer of a call that took effect', async (t) => {
    const remove = engine().front.intercept(({ input }) =>
      JSON.stringify(input).includes('"dropped"') ? { after: 'drop' } : undefined,
    );
    t.after(remove);
    const Item = { pk: { S: 'dropped' }, sk: { S: 'x' } };
    const client = new DynamoDBClient(as(ROOT));

    await assert.rejects(
      client.send(new PutItemCommand({ TableName: 'Test-T', Item })),
      /socket hang up|ECONNRESET/,
    );

    remove();
    const kept = await engine().front.send(ROOT, 'dynamodb', 'GetItem', { TableName: 'Test-T', Key: Item });
    assert.deepEqual(kept.Item, Item);
  });

  test('lets a test hold a call until it lets it go on', async (t) => {
    const order: string[] = [];
    const gate = Promise.withResolvers<undefined>();
    const held = Promise.withResolvers<void>();
    t.after(
      engine().front.intercept(() => {
        held.resolve();
        return gate.promise;
      }),
    );

    const call = put(ROOT).then(() => order.push('answered'));
    await held.promise;
    order.push('let go');
    gate.resolve(undefined);
    await call;

    assert.deepEqual(order, ['let go', 'answered']);
  });

  describe('told of faults', () => {
    const Item = (pk: string) => ({ pk: { S: pk }, sk: { S: 'x' } });
    const stored = async (pk: string) =>
      (await engine().front.send(ROOT, 'dynamodb', 'GetItem', { TableName: 'Test-T', Key: Item(pk) })).Item;
    /** Puts an item by a client of the product's. @returns how that ended, and whether the item is there */
    const putWith = async (pk: string, fault: AwsFault, times: number) => {
      const { front } = engine();
      front.faults.add({ service: 'dynamodb', action: 'PutItem', times, fault: { kind: fault } });
      const client = awsClient('dynamodb-once', DynamoDBClient, as(ROOT));
      const command = new PutItemCommand({ TableName: 'Test-T', Item: Item(pk) });
      const first = await timed(() => client.send(command), BUDGETS['dynamodb-once']);
      const there = (await stored(pk)) !== undefined;
      const second = await timed(() => client.send(command), BUDGETS['dynamodb-once']);
      client.destroy();
      front.faults.clear();
      return [first.ended, there, second.ended];
    };

    test('takes so many calls, answers none of them, and does nothing', async () => {
      assert.deepEqual(await putWith('silent', 'silence', 1), ['TimeoutError', false, 'done']);
    });

    test('does what it is asked, and answers nothing or half of it', async () => {
      assert.deepEqual(await putWith('silent after', 'silence-after', 1), ['TimeoutError', true, 'done']);
      assert.deepEqual(await putWith('half', 'half', 2), ['TimeoutError', true, 'TimeoutError']);
    });

    test('strikes only what the rule names, and never its own pollers', async () => {
      const { front } = engine();
      front.faults.add({ service: 'sqs', fault: { kind: 'silence' } });
      front.faults.add({ service: 'dynamodb', caller: 'G', fault: { kind: 'silence' } });
      front.faults.add({ service: 'dynamodb', action: 'GetItem', fault: { kind: 'silence' } });

      await put(ROOT);
      const QueueUrl = `${front.url}/000000000000/Test-Q`;
      await front.send(ROOT, 'sqs', 'ReceiveMessage', { QueueUrl });
      front.faults.clear();
    });
  });
});
