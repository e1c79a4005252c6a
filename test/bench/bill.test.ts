import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withBurst } from '../../bench/lib/burst.ts';
import { examples } from '../../bench/lib/cost-page.ts';
import { customMetrics, type Deployment, metricsWatched } from '../../bench/lib/deployment.ts';
import { connectionMonth, standingCosts, sumOf } from '../../bench/lib/idle.ts';
import { MONTH } from '../../bench/lib/prices.ts';
import type { Readings } from '../../bench/lib/readings.ts';
import { SCENARIOS } from '../../bench/lib/scenarios.ts';
import { assumedDuration, assumedMs, billOf, perMessage, totalOf } from '../../bench/lib/usage.ts';
import { usageOf } from './builders.ts';

const close = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);

test('a bill is each amount at its price, a million times', () => {
  const usage = usageOf({
    amounts: {
      'http.requests': 3,
      'websocket.messages': 1,
      'lambda.requests': 4,
      'dynamodb.wru': 4,
      'dynamodb.rru': 12,
      'sqs.requests': 3,
      's3.put': 2,
      's3.get': 1,
      'secretsmanager.calls': 0.1,
      'logs.bytes': 500,
      'transfer.bytes': 2_000,
    },
  });

  const bill = Object.fromEntries(
    billOf(usage).map(({ item, dollars }) => [item, Number(dollars.toFixed(9))]),
  );

  assert.deepEqual(bill, {
    'HTTP API requests': 3,
    'WebSocket messages': 1,
    'Lambda requests': 0.8,
    'DynamoDB write units': 2.5,
    'DynamoDB read units': 1.5,
    'SQS requests': 1.2,
    'S3 puts': 10,
    'S3 gets': 0.4,
    'Secrets Manager calls': 0.5,
    'CloudWatch Logs KB': 0.25,
    'Data transfer out KB': 0.18,
  });
  close(totalOf(usage), 3 + 1 + 0.8 + 2.5 + 1.5 + 1.2 + 10 + 0.4 + 0.5 + 0.25 + 0.18);
});

test('an invocation lasts its own time, each kind of request once in full, and what is beside it a little', () => {
  const send = {
    invocations: 2,
    memory: 2048,
    calls: { 'dynamodb.PutItem': 7, 'sqs.SendMessageBatch': 1, 's3.PUT': 2 },
  };

  const ms = assumedMs('Send', send);
  const pushed = assumedMs('FcmPush', { invocations: 1, memory: 512, calls: {} });
  const signalled = assumedMs('DesktopPush', { invocations: 1, memory: 512, calls: {} });
  const duration = assumedDuration({ functions: { Send: send } });

  assert.equal(ms, 2 * 3 + (2 * 5 + 5 * 1) + 8 + 2 * 25);
  assert.deepEqual([pushed, signalled], [3 + 60, 3 + 15]);
  assert.equal(duration, ms * 2);
});

test('what many messages used is shared out, and bytes are rounded so that a digit more changes nothing', () => {
  const total = usageOf({
    amounts: { 'http.requests': 30, 'logs.bytes': 4_987, 'transfer.bytes': 612_340 },
    functions: { Send: { invocations: 10, memory: 512, calls: { 'dynamodb.PutItem': 25 } } },
    partitions: { 'Mailbox device message': { reads: 10, writes: 20 } },
  });

  const each = perMessage(total, 10);

  assert.deepEqual(each, {
    amounts: { 'http.requests': 3, 'logs.bytes': 500, 'transfer.bytes': 61_000 },
    functions: { Send: { invocations: 1, memory: 512, calls: { 'dynamodb.PutItem': 2.5 } } },
    partitions: { 'Mailbox device message': { reads: 1, writes: 2 } },
  });
});

test('the burst limit is a twelfth of a write to the item of the app', () => {
  const measured = usageOf({
    amounts: { 'dynamodb.wru': 4 },
    functions: { Send: { invocations: 1, memory: 1769, calls: {} } },
    partitions: { 'Directory token#… app': { reads: 1, writes: 0 } },
  });

  const usage = withBurst(measured);

  assert.equal(usage.amounts['dynamodb.wru'], 4.0833);
  assert.deepEqual(usage.functions.Send?.calls, { 'dynamodb.UpdateItem': 0.083333 });
  assert.deepEqual(usage.partitions, { 'Directory token#… app': { reads: 1, writes: 0.083333 } });
});

const deployment: Deployment = {
  secrets: 4,
  alarms: 7,
  dashboards: 1,
  metrics: 10,
  http: { rate: 5_000, burst: 2_500 },
  socket: { rate: 500, burst: 1_000 },
  queues: 2,
  workers: { FcmPush: { batch: 10, ceiling: 10 }, FanOutWorker: { batch: 1, ceiling: 10 } },
};

test('what stands costs by the month: polls, secrets, alarms, dashboards, metrics', () => {
  const lines = standingCosts(deployment);

  // Two queues, five pollers each, a poll in 20 s for 730 hours.
  const polls = 2 * 5 * ((730 * 3_600) / 20);
  assert.deepEqual(
    lines.map(({ dollars }) => Number(dollars.toFixed(6))),
    [Number(((polls * 0.4) / 1e6).toFixed(6)), 1.6, 0.7, 3, 3],
  );
});

test('what is not deployed is not billed', () => {
  const lines = standingCosts({
    ...deployment,
    secrets: 0,
    alarms: 0,
    dashboards: 0,
    metrics: 0,
    queues: 0,
    workers: {},
  });

  assert.deepEqual(lines, []);
});

test('a connection costs its minutes, two messages and an invocation a heartbeat, and its logins', () => {
  const login = usageOf({ amounts: { 'websocket.messages': 2, 'http.requests': 1 } });

  const kept = connectionMonth({ heartbeat: 60_000, life: 3_600_000 }, login, 1024);
  const idle = connectionMonth({ life: 600_000 }, login, 1024);

  const minutes = MONTH / 60;
  const [forMinutes, forHeartbeats, forLogins] = kept.lines.map(({ dollars }) => dollars);
  assert.deepEqual([kept.heartbeats, kept.logins], [minutes, 730]);
  close(forMinutes!, (minutes * 0.25) / 1e6);
  close(forHeartbeats!, (minutes * (2 * 1 + 0.2 + 0.003 * 13.3334)) / 1e6);
  close(forLogins!, (730 * 3) / 1e6);
  assert.deepEqual([idle.heartbeats, idle.logins], [0, 4_380]);
});

test('an example is its messages, its connected desktops and what stands', () => {
  const each = usageOf({ amounts: { 'http.requests': 10 } });
  const readings: Readings = {
    deployment: { ...deployment, queues: 0, workers: {}, alarms: 0, dashboards: 0, metrics: 0 },
    messages: Object.fromEntries(Object.keys(SCENARIOS).map((name) => [name, each])) as Readings['messages'],
    login: usageOf(),
  };

  const [household, team, service] = examples(readings);

  const forMessages = [household, team, service].map((one) => one!.lines[0]!.dollars);
  assert.deepEqual(
    forMessages.map((dollars) => Number(dollars.toFixed(6))),
    [0.03, 1, 100],
  );
  assert.deepEqual(
    [household, team, service].map((one) => one!.messages),
    [3_000, 100_000, 10_000_000],
  );
  assert.equal(service!.lines[1]!.dollars, 0);
  close(team!.lines[1]!.dollars, 50 * household!.lines[1]!.dollars);
  close(sumOf(service!.lines), 100 + 4 * 0.4);
});

test('an alarm is billed by the metrics that it watches', () => {
  const plain = metricsWatched({ MetricName: 'Errors' });
  const expression = metricsWatched({
    Metrics: [
      { Id: 'a', MetricStat: {} },
      { Id: 'b', MetricStat: {} },
      { Id: 'c', Expression: 'a / b' },
    ],
  });

  assert.deepEqual([plain, expression], [1, 2]);
});

test('metrics in log lines are counted once for each name and each value of their dimensions', () => {
  const line = (carrier: string) => ({
    message: 'dispatched',
    carrier,
    _aws: {
      CloudWatchMetrics: [
        {
          Namespace: 'Peal',
          Dimensions: [['carrier']],
          Metrics: [{ Name: 'Accepted' }, { Name: 'Latency' }],
        },
      ],
    },
  });

  const metrics = customMetrics([line('fcm'), line('apns'), line('fcm'), { message: 'accepted' }]);

  assert.equal(metrics.size, 4);
});
