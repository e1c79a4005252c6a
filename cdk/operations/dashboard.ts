import { Duration } from 'aws-cdk-lib';
import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  PeriodOverride,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { CARRIERS } from '../../lib/carriers/carrier.ts';
import type { MetricName } from '../../lib/metrics.ts';
import { nameOf, type PealFunction } from '../peal-function.ts';
import { awsMetric, ownMetric, sumOf } from './metrics.ts';
import type { WatchedQueue } from './queues.ts';

/** What is shown. */
export interface DashboardProps {
  stage: string;
  alarms: Alarm[];
  queues: WatchedQueue[];
  functions: PealFunction[];
  /** Names, by what they are called. */
  tables: Record<string, string>;
  apiId: string;
  socketApiId: string;
  canary: boolean;
}

const WIDTH = 24;
const HEIGHT = 6;
const PERCENTILES = ['p50', 'p95', 'p99'];

/** One page that says how Peal is: what goes through, what goes wrong, what is full, what it costs. */
export function addDashboard(scope: Construct, props: DashboardProps): Dashboard {
  return new Dashboard(scope, 'Dashboard', {
    dashboardName: `Peal-${props.stage}`,
    defaultInterval: Duration.hours(12),
    periodOverride: PeriodOverride.AUTO,
    widgets: [
      [new AlarmStatusWidget({ title: 'Alarms', alarms: props.alarms, width: WIDTH, height: 4 })],
      heading('Messages'),
      messages(props),
      latencies(props.stage),
      heading('What did not get through'),
      failures(props.stage),
      queues(props.queues),
      heading('The front doors'),
      doors(props),
      heading('Functions and tables'),
      functions(props.functions),
      tables(props.tables),
      heading('What it costs'),
      costs(props),
    ],
  });
}

const heading = (text: string): IWidget[] => [
  new TextWidget({ markdown: `# ${text}`, width: WIDTH, height: 1 }),
];

/** Graphs side by side, over the whole width. */
function row(...graphs: { title: string; metrics: IMetric[]; stacked?: boolean }[]): IWidget[] {
  return graphs.map(
    ({ title, metrics, stacked = false }) =>
      new GraphWidget({
        title,
        left: metrics,
        stacked,
        leftYAxis: { min: 0 },
        width: WIDTH / graphs.length,
        height: HEIGHT,
      }),
  );
}

const byCarrier = (stage: string, name: MetricName) =>
  CARRIERS.map((carrier) => ownMetric(stage, name, { carrier, label: carrier }));

function messages({ stage, canary }: DashboardProps): IWidget[] {
  const times = ['CanaryAccept', 'CanaryArrival'] as const;
  return row(
    {
      title: 'Accepted',
      metrics: (['Accepted', 'Throttled', 'FanOutCopies'] as const).map((name) => ownMetric(stage, name)),
    },
    { title: 'Delivered, by carrier', metrics: byCarrier(stage, 'Delivered'), stacked: true },
    ...(canary
      ? [
          {
            title: 'The canary, ms; failed',
            metrics: [...times.map((name) => ownMetric(stage, name)), ownMetric(stage, 'CanaryFailed')],
          },
        ]
      : []),
  );
}

function latencies(stage: string): IWidget[] {
  return row(
    ...CARRIERS.map((carrier) => ({
      title: `From acceptance to ${carrier}, ms`,
      metrics: PERCENTILES.map((statistic) =>
        ownMetric(stage, 'Latency', { carrier, statistic, label: statistic }),
      ),
    })),
  );
}

function failures(stage: string): IWidget[] {
  return row(
    { title: 'Retries', metrics: [...byCarrier(stage, 'Retries'), fanOut(stage, 'Retries')] },
    { title: 'Left to the slow lane', metrics: byCarrier(stage, 'Slowed') },
    { title: 'Given up', metrics: [...byCarrier(stage, 'GivenUp'), fanOut(stage, 'GivenUp')] },
    { title: 'Refused', metrics: byCarrier(stage, 'Refused') },
    { title: 'Configuration refused', metrics: byCarrier(stage, 'ConfigurationFault') },
  );
}

/** What else is measured by carrier, of the fan-out, which has none. */
const fanOut = (stage: string, name: MetricName) => ownMetric(stage, name, { label: 'fan-out' });

function queues(watched: WatchedQueue[]): IWidget[] {
  const view = (label: string) => ({ statistic: 'Maximum', label });
  return row(
    {
      title: 'Records that wait',
      metrics: watched.map(({ queue, name }) => queue.metricApproximateNumberOfMessagesVisible(view(name))),
    },
    {
      title: 'Records that wait in slow lanes',
      metrics: watched.flatMap(({ slow, name }) =>
        slow ? [slow.metricApproximateNumberOfMessagesVisible(view(name))] : [],
      ),
    },
    {
      title: 'Age of the oldest, s',
      metrics: watched.map(({ queue, name }) => queue.metricApproximateAgeOfOldestMessage(view(name))),
    },
    {
      title: 'Dead letters',
      metrics: watched.map(({ deadLetters, name }) =>
        deadLetters.metricApproximateNumberOfMessagesVisible(view(name)),
      ),
    },
  );
}

function doors({ apiId, socketApiId, stage }: DashboardProps): IWidget[] {
  const api = (name: string, view = {}) => awsMetric('ApiGateway', name, { ApiId: apiId }, view);
  const socket = (name: string) => awsMetric('ApiGateway', name, { ApiId: socketApiId });
  return row(
    { title: 'API: requests, 4xx, 5xx', metrics: ['Count', '4xx', '5xx'].map((name) => api(name)) },
    {
      title: 'API: ms',
      metrics: PERCENTILES.map((statistic) => api('Latency', { statistic, label: statistic })),
    },
    {
      title: 'Socket: connections made, messages, logins',
      metrics: [socket('ConnectCount'), socket('MessageCount'), ownMetric(stage, 'SocketLogins')],
    },
    {
      title: 'Socket: errors',
      metrics: ['ClientError', 'ExecutionError', 'IntegrationError'].map(socket),
    },
  );
}

function functions(all: PealFunction[]): IWidget[] {
  const each = (metric: (lambda: PealFunction['lambda'], label: string) => IMetric) =>
    all.map((one) => metric(one.lambda, nameOf(one)));
  const view = (label: string, statistic: string) => ({ label, statistic });
  const inAccount = (name: string) => awsMetric('Lambda', name, {}, { statistic: 'Maximum' });
  return row(
    { title: 'Errors', metrics: each((one, label) => one.metricErrors({ label })) },
    { title: 'Throttles', metrics: each((one, label) => one.metricThrottles({ label })) },
    { title: 'Duration, p95, ms', metrics: each((one, label) => one.metricDuration(view(label, 'p95'))) },
    {
      title: 'At once, in the account',
      metrics: ['ConcurrentExecutions', 'ClaimedAccountConcurrency'].map(inAccount),
    },
  );
}

function tables(names: Record<string, string>): IWidget[] {
  const each = (metric: string) =>
    Object.entries(names).map(([label, TableName]) =>
      awsMetric('DynamoDB', metric, { TableName }, { label: `${label} ${metric}` }),
    );
  return row(
    { title: 'Write units', metrics: each('ConsumedWriteCapacityUnits') },
    { title: 'Read units', metrics: each('ConsumedReadCapacityUnits') },
    { title: 'Throttled', metrics: [...each('ReadThrottleEvents'), ...each('WriteThrottleEvents')] },
  );
}

function costs({
  apiId,
  socketApiId,
  functions: all,
  tables: names,
  queues: watched,
}: DashboardProps): IWidget[] {
  const hour = Duration.hours(1);
  const an = { period: hour };
  const units = (metric: string) =>
    Object.values(names).map((TableName) => awsMetric('DynamoDB', metric, { TableName }, an));
  const logs = all.map(({ logGroup }) =>
    awsMetric('Logs', 'IncomingBytes', { LogGroupName: logGroup.logGroupName }, an),
  );
  return row(
    {
      title: 'Requests and messages an hour',
      metrics: [
        awsMetric('ApiGateway', 'Count', { ApiId: apiId }, { ...an, label: 'API' }),
        awsMetric('ApiGateway', 'MessageCount', { ApiId: socketApiId }, { ...an, label: 'socket' }),
        sumOf(
          watched.flatMap(({ queue, slow }) =>
            [queue, ...(slow ? [slow] : [])].map((one) => one.metricNumberOfMessagesSent(an)),
          ),
          'records',
          hour,
        ),
      ],
    },
    {
      title: 'Invocations an hour',
      metrics: [
        sumOf(
          all.map(({ lambda }) => lambda.metricInvocations(an)),
          'invocations',
          hour,
        ),
      ],
    },
    {
      title: 'Units of DynamoDB an hour',
      metrics: [
        sumOf(units('ConsumedWriteCapacityUnits'), 'writes', hour),
        sumOf(units('ConsumedReadCapacityUnits'), 'reads', hour),
      ],
    },
    { title: 'Bytes of logs an hour', metrics: [sumOf(logs, 'bytes', hour)] },
  );
}
