import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import type { PealConfig } from '#config';
import { METRICS } from '../../lib/metrics.ts';
import { stacksWith } from './in-process.ts';
import type { Resource } from './templates.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const RUNBOOKS = join(ROOT, 'docs', 'runbooks');
const EMAIL = 'operators@example.org';
const TOPIC = 'arn:aws:sns:us-east-1:123456789012:on-call';

const STAGING: PealConfig = { stage: 'staging', tracing: true };

/** Resources of a stack, by default that with alarms and a canary, but for what a configuration says otherwise. */
const resources = (config: PealConfig = {}, stack = 'PealOperations'): Record<string, Resource> =>
  stacksWith({ alarms: EMAIL, canary: 5, ...config })[stack]!.Resources;

const typed = (stack: Record<string, Resource>, type: string) =>
  Object.values(stack).filter(({ Type }) => Type === type);

const runbookOf = ({ Properties }: Resource) =>
  /What to do: docs\/runbooks\/([a-z-]+)\.md$/.exec(String(Properties.AlarmDescription))?.[1];

test('every alarm tells the topic that it rings and that it is over', () => {
  const stack = resources();
  const alarms = typed(stack, 'AWS::CloudWatch::Alarm');
  const [topic] = Object.entries(stack).filter(([, { Type }]) => Type === 'AWS::SNS::Topic');

  assert.ok(alarms.length > 0);
  for (const { Properties } of alarms) {
    assert.deepEqual(Properties.AlarmActions, [{ Ref: topic![0] }]);
    assert.deepEqual(Properties.OKActions, [{ Ref: topic![0] }]);
  }
});

test('every alarm names a runbook that is there, and every runbook has an alarm', () => {
  const alarms = typed(resources(), 'AWS::CloudWatch::Alarm');
  const named = new Set(alarms.map(runbookOf));
  const pages = globSync('*.md', { cwd: RUNBOOKS }).map((file) => basename(file, '.md'));

  for (const alarm of alarms) {
    const name = runbookOf(alarm);
    assert.ok(
      name !== undefined && existsSync(join(RUNBOOKS, `${name}.md`)),
      alarm.Properties.AlarmDescription as string,
    );
  }
  assert.deepEqual(
    pages.filter((name) => name !== 'README' && !named.has(name)),
    [],
  );
});

test('a runbook says what it means, how to look, what to do, and when to do nothing', () => {
  for (const file of globSync('[a-z]*.md', { cwd: RUNBOOKS })) {
    const headings = [...readFileSync(join(RUNBOOKS, file), 'utf8').matchAll(/^## (.*)$/gm)].map(
      ([, text]) => text,
    );
    assert.deepEqual(
      headings,
      ['What it means for users', 'How to look', 'What to do', 'When it is safe to ignore'],
      file,
    );
  }
});

test('every queue that a function works on has an alarm of its age and one of its dead letters', () => {
  const dispatch = resources({}, 'PealDispatch');
  const queues = Object.entries(dispatch).filter(([, { Type }]) => Type === 'AWS::SQS::Queue');
  const alarms = typed(resources(), 'AWS::CloudWatch::Alarm').map(({ Properties }) => ({
    metric: Properties.MetricName,
    of: JSON.stringify(Properties.Dimensions),
  }));
  const isWatched = (id: string, metric: string) =>
    alarms.some((alarm) => alarm.metric === metric && alarm.of.includes(`${id}QueueName`));

  assert.equal(queues.length, 19);
  for (const [id, { Properties }] of queues) {
    const metric = Properties.RedrivePolicy
      ? 'ApproximateAgeOfOldestMessage'
      : 'ApproximateNumberOfMessagesVisible';
    assert.ok(isWatched(id, metric), id);
  }
});

test('silence is no alarm, but for the canary’s, which always has something to say', () => {
  const alarms = Object.entries(resources()).filter(([, { Type }]) => Type === 'AWS::CloudWatch::Alarm');

  for (const [id, { Properties }] of alarms) {
    const expected = id.startsWith('AlarmsCanaryFailed') ? 'breaching' : 'notBreaching';
    assert.equal(Properties.TreatMissingData, expected, id);
  }
});

test('alarms and the dashboard look at metrics that the functions write, of their own stage', () => {
  const text = JSON.stringify(resources(STAGING));
  // The dashboard's body is JSON in a string.
  const names = [...text.matchAll(/\\"Peal\\",\\"([A-Za-z]+)\\"/g)].map(([, name]) => name!);
  const alarmed = [...text.matchAll(/"MetricName":"([A-Za-z]+)","Namespace":"Peal"/g)].map(
    ([, name]) => name!,
  );
  const stages = new Set(
    [...text.matchAll(/Stage\\*",(?:\\*"Value\\*":)?\\*"([a-z]+)/g)].map(([, name]) => name),
  );

  assert.deepEqual(new Set([...names, ...alarmed]), new Set(Object.keys(METRICS)));
  assert.deepEqual(stages, new Set(['staging']));
});

test('the topic is encrypted with a key that CloudWatch may use, and takes nothing over plain HTTP', () => {
  const stack = resources();
  const [topic] = typed(stack, 'AWS::SNS::Topic');
  const [key] = typed(stack, 'AWS::KMS::Key');
  const [policy] = typed(stack, 'AWS::SNS::TopicPolicy');
  const [subscription] = typed(stack, 'AWS::SNS::Subscription');

  assert.ok(topic!.Properties.KmsMasterKeyId);
  assert.equal(key!.Properties.EnableKeyRotation, true);
  for (const document of [key!.Properties.KeyPolicy, policy!.Properties.PolicyDocument]) {
    const { Statement } = document as {
      Statement: { Principal: { Service?: string }; Condition?: object }[];
    };
    const cloudWatch = Statement.find(({ Principal }) => Principal.Service === 'cloudwatch.amazonaws.com');
    assert.deepEqual(cloudWatch!.Condition, {
      StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
    });
  }
  assert.match(JSON.stringify(policy), /"aws:SecureTransport":"false"/);
  assert.deepEqual([subscription!.Properties.Protocol, subscription!.Properties.Endpoint], ['email', EMAIL]);
});

test('alarms go to a topic that is there already, where one is named', () => {
  const stack = resources({ alarms: TOPIC, region: 'us-east-1' });
  const alarms = typed(stack, 'AWS::CloudWatch::Alarm');

  assert.deepEqual(typed(stack, 'AWS::SNS::Topic'), []);
  assert.deepEqual(typed(stack, 'AWS::KMS::Key'), []);
  assert.ok(alarms.every(({ Properties }) => (Properties.AlarmActions as string[])[0] === TOPIC));
});

test('without anybody to tell, alarms are there to be seen; without a canary there is none of it', () => {
  const config: PealConfig = { alarms: undefined, canary: 'off' };
  const stack = resources(config);
  const secrets = typed(resources(config, 'PealData'), 'AWS::SecretsManager::Secret');
  const alarms = typed(stack, 'AWS::CloudWatch::Alarm');

  assert.ok(alarms.length > 20);
  assert.ok(alarms.every(({ Properties }) => Properties.AlarmActions === undefined));
  assert.deepEqual(typed(stack, 'AWS::Lambda::Function'), []);
  assert.ok(secrets.every(({ Properties }) => !/canary/.test(String(Properties.Description))));
  assert.doesNotMatch(JSON.stringify(alarms), /anary/);
});

test('the canary runs every few minutes, is not tried again, and may read its secret alone', () => {
  const stack = resources();
  const [rule] = typed(stack, 'AWS::Events::Rule');
  const [retries] = typed(stack, 'AWS::Lambda::EventInvokeConfig');
  const [run] = typed(stack, 'AWS::Lambda::Function');
  const [policy] = typed(stack, 'AWS::IAM::Policy');
  const { Statement } = policy!.Properties.PolicyDocument as { Statement: { Action: string | string[] }[] };

  assert.equal(rule!.Properties.ScheduleExpression, 'rate(5 minutes)');
  assert.equal(retries!.Properties.MaximumRetryAttempts, 0);
  assert.ok((run!.Properties.Timeout as number) < 60);
  assert.deepEqual(Statement.flatMap(({ Action }) => Action).sort(), [
    'logs:CreateLogStream',
    'logs:PutLogEvents',
    'secretsmanager:GetSecretValue',
  ]);
});

test('functions are traced if it is asked for, with the grants to write traces and no other', () => {
  const [on, off] = [resources(STAGING, 'PealDispatch'), resources({}, 'PealDispatch')];
  const xray = (stack: Record<string, Resource>) =>
    typed(stack, 'AWS::IAM::Policy').flatMap(({ Properties }) =>
      (Properties.PolicyDocument as { Statement: { Action: string | string[] }[] }).Statement.flatMap(
        ({ Action }) => [Action].flat().filter((name) => name.startsWith('xray:')),
      ),
    );

  for (const { Properties } of typed(on, 'AWS::Lambda::Function'))
    assert.deepEqual(Properties.TracingConfig, { Mode: 'Active' });
  assert.deepEqual(new Set(xray(on)), new Set(['xray:PutTraceSegments', 'xray:PutTelemetryRecords']));
  assert.ok(
    typed(off, 'AWS::Lambda::Function').every(({ Properties }) => Properties.TracingConfig === undefined),
  );
  assert.deepEqual(xray(off), []);
});

test('saved queries look into every function’s log', () => {
  const stack = resources();
  const queries = typed(stack, 'AWS::Logs::QueryDefinition');

  assert.equal(queries.length, 3);
  for (const { Properties } of queries) {
    assert.equal((Properties.LogGroupNames as unknown[]).length, 21);
    assert.match(String(Properties.Name), /^Peal prod\//);
  }
});
