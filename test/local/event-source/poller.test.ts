import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { SQSEvent } from 'aws-lambda';
import { failure } from '../../../local/aws/intercept.ts';
import { ROOT } from '../../../local/iam/iam.ts';
import type { JsonObject } from '../../../local/template/json.ts';
import {
  allow,
  engineOf,
  getAtt,
  inProcess,
  lambda,
  role,
  startWith,
  type TestEngine,
  writeStack,
} from '../assemblies.ts';

const POLL = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];

/** A queue `Q` with the shortest visibility timeout, a dead-letter queue `D` and a function `F` that it feeds. */
function fedFunction(mapping: JsonObject = {}, queue: JsonObject = {}): JsonObject {
  return {
    D: { Type: 'AWS::SQS::Queue' },
    Q: {
      Type: 'AWS::SQS::Queue',
      Properties: {
        VisibilityTimeout: 1,
        RedrivePolicy: { deadLetterTargetArn: getAtt('D'), maxReceiveCount: 2 },
        ...queue,
      },
    },
    R: role(allow(POLL, getAtt('Q'))),
    F: lambda('R'),
    M: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: { EventSourceArn: getAtt('Q'), FunctionName: { Ref: 'F' }, ...mapping },
    },
  };
}

const REPORTS = { FunctionResponseTypes: ['ReportBatchItemFailures'] };

interface Run {
  engine: TestEngine;
  events: SQSEvent[];
  send(...bodies: string[]): Promise<void>;
  drained(): Promise<void>;
}

/** Starts the engine with `handler` as the function, which gets the bodies of a batch. */
async function run(
  t: TestContext,
  handler: (bodies: string[], event: SQSEvent) => unknown,
  mapping: JsonObject = {},
  queue: JsonObject = {},
): Promise<Run> {
  const engine = await engineOf(t, writeStack(t, fedFunction(mapping, queue)));
  const events: SQSEvent[] = [];
  startWith(engine, (event) => {
    events.push(event as SQSEvent);
    return handler(
      (event as SQSEvent).Records.map(({ body }) => body),
      event as SQSEvent,
    );
  });
  const QueueUrl = `${engine.front.url}/000000000000/Test-Q`;
  return {
    engine,
    events,
    async send(...bodies) {
      const Entries = bodies.map((MessageBody, index) => ({ Id: String(index), MessageBody }));
      await engine.front.send(ROOT, 'sqs', 'SendMessageBatch', { QueueUrl, Entries });
    },
    drained: () => engine.pollers[0]?.drained() ?? assert.fail('no poller'),
  };
}

const bodiesOf = ({ Records }: SQSEvent) => Records.map(({ body }) => body);

describe('an event source mapping', { concurrency: 4 }, () => {
  test('delivers messages as SQS events and deletes them on success', async (t) => {
    const { engine, events, send, drained } = await run(t, () => undefined);

    await send('hello');
    await drained();

    const [record] = events[0]?.Records ?? [];
    assert.ok(record);
    const { messageId, receiptHandle, attributes, ...rest } = record;
    assert.deepEqual(rest, {
      body: 'hello',
      messageAttributes: {},
      md5OfBody: '5d41402abc4b2a76b9719d911017c592',
      eventSource: 'aws:sqs',
      eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:Test-Q',
      awsRegion: 'us-east-1',
    });
    assert.match(messageId, /^[0-9a-f-]{36}$/);
    assert.ok(receiptHandle);
    assert.equal(attributes.ApproximateReceiveCount, '1');
    assert.match(attributes.SentTimestamp, /^\d{13}$/);
    assert.match(attributes.ApproximateFirstReceiveTimestamp, /^\d{13}$/);
    assert.equal(events.length, 1);
    assert.deepEqual(engine.queueState('Test-Q'), { ready: 0, delayed: 0, inFlight: 0 });
  });

  test('delivers again only what a partial failure names', async (t) => {
    const handler = (_bodies: string[], { Records }: SQSEvent) => {
      const failed = Records.filter(
        ({ body, attributes }) => body === 'bad' && attributes.ApproximateReceiveCount === '1',
      );
      return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
    };
    const { engine, events, send, drained } = await run(t, handler, REPORTS);

    await send('good', 'bad', 'fine');
    await drained();

    assert.deepEqual(events.map(bodiesOf), [['good', 'bad', 'fine'], ['bad']]);
    assert.equal(engine.queueState('Test-D').ready, 0);
  });

  test('delivers the whole batch again when the function fails', async (t) => {
    let failed = false;
    const handler = () => {
      if (failed) return;
      failed = true;
      throw new Error('crashed');
    };
    const { events, send, drained } = await run(t, handler, REPORTS);

    await send('a', 'b');
    await drained();

    assert.deepEqual(
      events.map((event) => bodiesOf(event).sort()),
      [
        ['a', 'b'],
        ['a', 'b'],
      ],
    );
  });

  test('delivers the whole batch again when a failure names no record of it', async (t) => {
    let first = true;
    const handler = () => {
      const unknown = first;
      first = false;
      return { batchItemFailures: unknown ? [{ itemIdentifier: 'nobody' }] : [] };
    };
    const { events, send, drained } = await run(t, handler, REPORTS);

    await send('a', 'b');
    await drained();

    assert.deepEqual(
      events.map((event) => bodiesOf(event).length),
      [2, 2],
    );
  });

  test('ignores reported failures where the template does not ask for them', async (t) => {
    const handler = (_bodies: string[], { Records }: SQSEvent) => ({
      batchItemFailures: Records.map(({ messageId }) => ({ itemIdentifier: messageId })),
    });
    const { events, send, drained } = await run(t, handler);

    await send('a');
    await drained();

    assert.equal(events.length, 1);
  });

  test('hands what fails again and again to the dead-letter queue', async (t) => {
    const handler = () => {
      throw new Error('always');
    };
    const { engine, events, send, drained } = await run(t, handler, REPORTS);

    await send('poison');
    await drained();

    assert.equal(events.length, 2);
    assert.deepEqual(engine.queueState('Test-D'), { ready: 1, delayed: 0, inFlight: 0 });
    assert.ok(
      engine.lines.some(({ message }) => message.includes('1 of 1 records of Test-Q failed (Error: always)')),
    );
  });

  test('keeps a failed record invisible for its visibility timeout', async (t) => {
    const times: number[] = [];
    const handler = () => {
      times.push(performance.now());
      if (times.length === 1) throw new Error('once');
    };
    const { send, drained } = await run(t, handler);

    await send('x');
    await drained();

    const [first = 0, second = 0] = times;
    // The timeout of a second began when the record was received, which is before the handler is called.
    assert.ok(second - first >= 500, `came again after ${second - first} ms`);
  });

  test('fills a batch until it is full or its window ends', async (t) => {
    const { events, send, drained } = await run(t, () => undefined, {
      BatchSize: 3,
      MaximumBatchingWindowInSeconds: 1,
    });

    await send('1');
    await send('2');
    await send('3');
    await drained();

    assert.deepEqual(events.map(bodiesOf), [['1', '2', '3']]);
  });

  test('never runs more invocations at a time than the template allows', async (t) => {
    let now = 0;
    let most = 0;
    const handler = async () => {
      now++;
      most = Math.max(most, now);
      await new Promise(setImmediate);
      now--;
    };
    const scaling = { BatchSize: 1, ScalingConfig: { MaximumConcurrency: 2 } };
    const { events, send, drained } = await run(t, handler, scaling);

    await send('1', '2', '3', '4', '5', '6', '7', '8');
    await drained();

    assert.equal(events.length, 8);
    assert.ok(most <= 2);
  });

  test('deletes unseen what no filter matches', async (t) => {
    const FilterCriteria = { Filters: [{ Pattern: JSON.stringify({ body: { kind: ['push'] } }) }] };
    const { events, send, drained } = await run(t, () => undefined, { FilterCriteria });

    await send('{"kind":"push"}', '{"kind":"other"}', 'text');
    await drained();

    assert.deepEqual(events.map(bodiesOf), [['{"kind":"push"}']]);
  });

  test('delivers a batch twice when a test says so', async (t) => {
    const { engine, events, send, drained } = await run(t, () => undefined);

    engine.pollers[0]?.deliverTwice();
    await send('again');
    await drained();
    await send('once');
    await drained();

    assert.deepEqual(events.map(bodiesOf), [['again'], ['again'], ['once']]);
  });

  test('repeats at once what failed when a test says so', async (t) => {
    let failures = 1;
    const answer = () => {
      if (failures-- > 0) throw new Error('not yet');
    };
    const { engine, events, send, drained } = await run(t, answer, {}, { VisibilityTimeout: 600 });

    engine.pollers[0]?.repeatAtOnce();
    await send('again');
    await drained();

    assert.deepEqual(events.map(bodiesOf), [['again'], ['again']]);
  });

  test('tries a deletion again that failed', async (t) => {
    const { engine, events, send, drained } = await run(t, () => undefined);
    let failures = 0;
    t.after(
      engine.front.intercept(({ action }) => {
        if (action !== 'DeleteMessageBatch' || failures > 0) return undefined;
        failures++;
        return failure(500, 'InternalFailure', 'try again');
      }),
    );

    await send('x');
    await drained();

    assert.equal(failures, 1);
    assert.equal(events.length, 1);
  });

  test('leaves the process its turns where a test answers every poll at once', async (t) => {
    const { engine, send } = await run(t, () => undefined);
    let polls = 0;
    const stop = engine.front.intercept(({ action }) => {
      // Past a number, or nothing else would ever run again.
      if (action !== 'ReceiveMessage' || ++polls > 10_000) return undefined;
      return { status: 200, body: {} };
    });
    // Ends the long poll that is under way, so that the next begins.
    await send('x');
    await engine.pollers[0]?.drained();
    stop();

    assert.ok(polls < 10_000, `${polls} polls before anything else ran`);
  });

  test('is refused when the role lacks a grant that polling needs', async (t) => {
    const resources = { ...fedFunction(), R: role(allow('sqs:ReceiveMessage', getAtt('Q'))) };

    await assert.rejects(
      engineOf(t, writeStack(t, resources)),
      /Test\/M: The provided execution role does not have permissions to call DeleteMessage on SQS/,
    );
  });

  const refused: [string, JsonObject, JsonObject, RegExp][] = [
    [
      'a queue that hides messages for less than the function’s timeout',
      {},
      { VisibilityTimeout: 0 },
      /Queue visibility timeout: 0 seconds is less than Function timeout: 1 seconds/,
    ],
    [
      'a concurrency of 1',
      { ScalingConfig: { MaximumConcurrency: 1 } },
      {},
      /MaximumConcurrency: AWS takes 2 to 1000/,
    ],
    ['a large batch without a window', { BatchSize: 100 }, {}, /needs MaximumBatchingWindowInSeconds/],
    [
      'a property that is not run',
      { ProvisionedPollerConfig: {} },
      {},
      /M\.ProvisionedPollerConfig: is not supported/,
    ],
    [
      'a filter rule that is not known',
      { FilterCriteria: { Filters: [{ Pattern: '{"body":[{"cidr":"::"}]}' }] } },
      {},
      /the filter rule cidr/,
    ],
  ];
  for (const [what, mapping, queue, message] of refused) {
    test(`is refused with ${what}`, async (t) => {
      await assert.rejects(engineOf(t, writeStack(t, fedFunction(mapping, queue))), message);
    });
  }

  test('needs its function', async (t) => {
    const engine = await engineOf(t, writeStack(t, fedFunction()));
    const [spec] = engine.specs;
    assert.ok(spec);

    assert.throws(
      () => engine.start(new Map([['other', inProcess(spec, () => undefined)]])),
      /no function Test-F/,
    );
  });
});
