import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import {
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { ROOT } from '../../../local/iam/iam.ts';
import { allow, engineOf, getAtt, lambda, role, sharedEngine, writeStack } from '../assemblies.ts';

describe('SQS behind the front', () => {
  const engine = sharedEngine((t) =>
    writeStack(t, { Q: { Type: 'AWS::SQS::Queue' }, R: role(allow('sqs:*', getAtt('Q'))), F: lambda('R') }),
  );
  const client = () =>
    new SQSClient({
      endpoint: engine().front.url,
      region: 'us-east-1',
      maxAttempts: 1,
      credentials: { accessKeyId: 'LOCAL-Test-F', secretAccessKey: 'local' },
    });
  const url = () => engine().queues.values().next().value?.url ?? '';
  const send = (MessageBody: string, rest: object = {}) =>
    client().send(new SendMessageCommand({ QueueUrl: url(), MessageBody, ...rest }));
  const sendBatch = (bodies: string[], rest: object = {}) =>
    client().send(
      new SendMessageBatchCommand({
        QueueUrl: url(),
        Entries: bodies.map((MessageBody, index) => ({ Id: String(index), MessageBody, ...rest })),
      }),
    );
  const receive = () =>
    client().send(
      new ReceiveMessageCommand({
        QueueUrl: url(),
        MaxNumberOfMessages: 10,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
    );
  const counted = () => engine().meter.read()['Test-F']?.['sqs.requests'];

  beforeEach(async () => {
    await client().send(new PurgeQueueCommand({ QueueUrl: url() }));
    engine().meter.reset();
  });

  test('passes messages on', async () => {
    const attribute = { DataType: 'String', StringValue: 'v' };
    await send('hello', { MessageAttributes: { a: attribute } });

    const { Messages = [] } = await receive();

    assert.equal(Messages[0]?.Body, 'hello');
    assert.deepEqual(Messages[0]?.MessageAttributes, { a: attribute });
    assert.equal(Messages[0]?.Attributes?.ApproximateReceiveCount, '1');
  });

  test('refuses a delay over 900 seconds', async () => {
    await assert.rejects(send('late', { DelaySeconds: 901 }), /DelaySeconds must be >= 0 and <= 900/);
  });

  test('takes a delay of 900 seconds', async () => {
    await send('late', { DelaySeconds: 900 });

    assert.deepEqual(engine().queueState('Test-Q'), { ready: 0, delayed: 1, inFlight: 0 });
  });

  test('fails only the entries of a batch whose delay is over 900 seconds', async () => {
    const answer = await client().send(
      new SendMessageBatchCommand({
        QueueUrl: url(),
        Entries: [
          { Id: 'good', MessageBody: 'x' },
          { Id: 'bad', MessageBody: 'x', DelaySeconds: 901 },
        ],
      }),
    );

    assert.deepEqual(
      answer.Successful?.map(({ Id }) => Id),
      ['good'],
    );
    assert.deepEqual(
      answer.Failed?.map(({ Id, Code, SenderFault }) => [Id, Code, SenderFault]),
      [['bad', 'InvalidParameterValue', true]],
    );
  });

  test('takes a message of 1 MiB and refuses one byte more', async () => {
    await send('x'.repeat(1_048_576));

    await assert.rejects(send('x'.repeat(1_048_577)), /Message must be shorter than 1048576 bytes/);
  });

  test('counts attributes in a message’s size', async () => {
    const MessageAttributes = { a: { DataType: 'String', StringValue: 'x' } };

    await assert.rejects(send('x'.repeat(1_048_576), { MessageAttributes }), /Message must be shorter/);
  });

  test('refuses a batch of more than 1 MiB', async () => {
    const half = 'x'.repeat(524_289);

    await assert.rejects(sendBatch([half, half]), /Batch requests cannot be longer than 1048576 bytes/);
  });

  test('refuses a batch of more than 10', async () => {
    await assert.rejects(sendBatch(Array(11).fill('x')), /Maximum number of entries per request are 10/);
  });

  test('counts a request for each 64 KB', async () => {
    await send('x');
    await send('x'.repeat(65 * 1024));

    assert.equal(counted(), 1 + 2);
  });

  test('keeps the group of messages in a standard queue', async () => {
    await send('one', { MessageGroupId: 'g1' });
    await sendBatch(['two'], { MessageGroupId: 'g2' });

    const { Messages = [] } = await receive();

    const groups = Messages.map(({ Body, Attributes }) => [Body, Attributes?.MessageGroupId]);
    assert.deepEqual(groups, [
      ['one', 'g1'],
      ['two', 'g2'],
    ]);
  });
});

test('a long poll that begins while the engine closes keeps nobody waiting', async (t) => {
  const { front, close, queues } = await engineOf(t, writeStack(t, { Q: { Type: 'AWS::SQS::Queue' } }));
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const QueueUrl = queues.values().next().value?.url ?? '';
  const before = timers();

  const poll = front.send(ROOT, 'sqs', 'ReceiveMessage', { QueueUrl, WaitTimeSeconds: 20 });
  const ended = assert.rejects(poll, /the emulator is closed/);
  await close();
  await ended;

  // One of something else in this process may have ended meanwhile.
  assert.ok(timers() <= before, `${timers()} timers`);
});
