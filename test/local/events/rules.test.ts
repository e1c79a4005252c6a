import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { JsonObject } from '../../../local/template/json.ts';
import { engineOf, getAtt, lambda, role, startWith, writeStack } from '../assemblies.ts';

const PERMISSION: JsonObject = {
  Type: 'AWS::Lambda::Permission',
  Properties: {
    Action: 'lambda:InvokeFunction',
    FunctionName: getAtt('Fn'),
    Principal: 'events.amazonaws.com',
    SourceArn: getAtt('Rule'),
  },
};

/** A stack with a rule that invokes a function every five minutes, unless told otherwise. */
function stack(t: TestContext, rule: JsonObject = {}, more: JsonObject = { Permission: PERMISSION }): string {
  return writeStack(t, {
    Role: role(),
    Fn: lambda('Role'),
    Rule: {
      Type: 'AWS::Events::Rule',
      Properties: {
        ScheduleExpression: 'rate(5 minutes)',
        State: 'ENABLED',
        Targets: [{ Arn: getAtt('Fn'), Id: 'Target0' }],
        ...rule,
      },
    },
    ...more,
  });
}

describe('a scheduled rule', () => {
  test('sends its function the event of a schedule when it is triggered', async (t) => {
    const engine = await engineOf(t, stack(t), { schedules: 'off' });
    const events: unknown[] = [];
    startWith(engine, (event) => void events.push(event));

    const results = await engine.trigger('Rule');

    assert.equal(results.length, 1);
    assert.equal(results[0]!.error, undefined);
    const [event] = events as [Record<string, unknown>];
    assert.equal(event['detail-type'], 'Scheduled Event');
    assert.equal(event.source, 'aws.events');
    assert.deepEqual(event.resources, ['arn:aws:events:us-east-1:000000000000:rule/Test-Rule']);
  });

  test('keeps its rate', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const engine = await engineOf(t, stack(t), { schedules: 'on', sweepInterval: 0 });
    let count = 0;
    startWith(engine, () => void count++);

    t.mock.timers.tick(4 * 60_000);
    const early = count;
    t.mock.timers.tick(60_000);
    const due = count;
    t.mock.timers.tick(5 * 60_000);
    t.mock.timers.reset();

    assert.deepEqual([early, due, count], [0, 1, 2]);
  });

  test('does nothing while it is disabled', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const engine = await engineOf(t, stack(t, { State: 'DISABLED' }), { schedules: 'on', sweepInterval: 0 });
    let count = 0;
    startWith(engine, () => void count++);

    t.mock.timers.tick(10 * 60_000);
    t.mock.timers.reset();

    assert.equal(count, 0);
  });

  for (const [what, more] of [
    ['no permission', {}],
    [
      'the permission of another service',
      {
        Permission: {
          ...PERMISSION,
          Properties: { ...Object(PERMISSION.Properties), Principal: 'apigateway.amazonaws.com' },
        },
      },
    ],
  ] as [string, JsonObject][]) {
    test(`reaches no function with ${what}, and says so`, async (t) => {
      const engine = await engineOf(t, stack(t, {}, more), { schedules: 'off' });
      let count = 0;
      startWith(engine, () => void count++);

      const [result] = await engine.trigger('Rule');

      assert.equal(count, 0);
      assert.equal(result!.error?.type, 'AccessDenied');
      assert.ok(engine.lines.some(({ message }) => message.includes('has no permission to invoke')));
    });
  }

  for (const [what, rule, message] of [
    ['a pattern of events', { EventPattern: { source: ['aws.s3'] } }, /EventPattern.*not supported/],
    ['a cron expression', { ScheduleExpression: 'cron(0 12 * * ? *)' }, /only rates are supported/],
    ['a target that is no function', { Targets: [{ Arn: 'arn:aws:sqs:x', Id: 'T' }] }, /is no function/],
    [
      'an input of its own',
      { Targets: [{ Arn: getAtt('Fn'), Id: 'T', Input: '{}' }] },
      /Input.*not supported/,
    ],
  ] as [string, JsonObject, RegExp][]) {
    test(`with ${what} is refused`, async (t) => {
      await assert.rejects(engineOf(t, stack(t, rule), { schedules: 'off' }), message);
    });
  }
});
