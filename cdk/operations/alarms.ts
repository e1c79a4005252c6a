import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { CARRIERS } from '../../lib/carriers/carrier.ts';
import { nameOf, type PealFunction } from '../peal-function.ts';
import type { Settings } from '../settings.ts';
import { awsMetric, ownMetric, sumOf } from './metrics.ts';
import type { WatchedQueue } from './queues.ts';

/** What is watched. */
export interface AlarmsProps {
  settings: Settings;
  /** Who is told; without it alarms are only seen. */
  topic: ITopic | undefined;
  queues: WatchedQueue[];
  /** Functions that no HTTP request waits for: nobody else notices that they fail. */
  workers: PealFunction[];
  /** Names, by what they are called. */
  tables: Record<string, string>;
  apiId: string;
}

/** An alarm: when more than `threshold` was there in `times` of the last `of` periods. */
interface Rule {
  /** Name of its page in docs/runbooks. */
  runbook: string;
  /** What it means, in a sentence. */
  what: string;
  metric: IMetric;
  threshold: number;
  times?: number;
  of?: number;
  /** What silence means. Most metrics are only written when there is something to say. Default: that all is well. */
  missing?: TreatMissingData;
}

const title = (name: string) => name[0]!.toUpperCase() + name.slice(1);

/**
 * The alarms that matter, each with a page that says what to do. What heals by itself rings none: a retry, a dead target,
 * a single crash. Each threshold has its reason beside it.
 */
export class Alarms extends Construct {
  readonly all: Alarm[] = [];
  readonly #topic: ITopic | undefined;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    this.#topic = props.topic;
    for (const queue of props.queues) this.#watchQueue(queue);
    this.#watchCarriers(props.settings.stage);
    this.#watchStuck(props.settings.stage);
    this.#watchApi(props.apiId);
    this.#watchFunctions(props.workers);
    for (const [name, table] of Object.entries(props.tables)) this.#watchTable(name, table);
    if (props.settings.canary) this.#watchCanary(props.settings.stage, props.settings.canary.minutes);
  }

  #add(id: string, { runbook, what, metric, threshold, times = 1, of = times, missing }: Rule): void {
    const alarm = new Alarm(this, id, {
      alarmDescription: `${what} What to do: docs/runbooks/${runbook}.md`,
      metric,
      threshold,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: of,
      datapointsToAlarm: times,
      treatMissingData: missing ?? TreatMissingData.NOT_BREACHING,
    });
    if (this.#topic) {
      alarm.addAlarmAction(new SnsAction(this.#topic));
      alarm.addOkAction(new SnsAction(this.#topic));
    }
    this.all.push(alarm);
  }

  #watchQueue({ id, queue, slow, deadLetters, name, lost }: WatchedQueue): void {
    // Nothing gets there that would heal by itself, so a single one counts.
    this.#add(`${id}DeadLetters`, {
      runbook: 'dead-letters',
      what: lost,
      metric: deadLetters.metricApproximateNumberOfMessagesVisible({
        period: Duration.minutes(1),
        statistic: 'Maximum',
      }),
      threshold: 0,
    });
    // A record that waits for its next try is hidden for a quarter of an hour at most, which is all that SQS can do: an
    // older one is not worked on.
    const age = (alarm: string, called: string, watched: Queue) =>
      this.#add(alarm, {
        runbook: 'queue-age',
        what: `Records wait on ${called} for longer than any retry does: they are not worked on.`,
        metric: watched.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum' }),
        threshold: 1_200,
        times: 2,
      });
    age(`${id}Age`, `the queue ${name}`, queue);
    if (slow) age(`${id}SlowAge`, `the slow lane of ${name}`, slow);
  }

  #watchCarriers(stage: string): void {
    for (const carrier of CARRIERS) {
      // It goes on until somebody mends it, and until then nobody is pushed to: the first one counts.
      this.#add(`${title(carrier)}Configuration`, {
        runbook: 'configuration-fault',
        what: `The carrier ${carrier} refuses Peal's credentials or configuration, or pushes cannot even be tried.`,
        metric: ownMetric(stage, 'ConfigurationFault', { carrier }),
        threshold: 0,
      });
      // A desktop that is not connected is no refusal, so there is no rate of any.
      if (carrier === 'desktop') continue;
      // Dead targets are refused once each and retired: some are always, and many after an app was rolled out anew.
      // More than half of at least twenty, for half an hour, is not that.
      const period = Duration.minutes(15);
      this.#add(`${title(carrier)}Refusals`, {
        runbook: 'refusals',
        what: `The carrier ${carrier} refuses more than half of what Peal hands over.`,
        metric: new MathExpression({
          expression: 'IF(refused >= 20, 100 * refused / (refused + FILL(delivered, 0)), 0)',
          usingMetrics: {
            refused: ownMetric(stage, 'Refused', { carrier, period }),
            delivered: ownMetric(stage, 'Delivered', { carrier, period }),
          },
          label: `refused by ${carrier}, %`,
          period,
        }),
        threshold: 50,
        times: 2,
      });
    }
  }

  #watchStuck(stage: string): void {
    // One record that cannot be tried is counted once a minute; a fault that passes heals before it is counted.
    this.#add('Stuck', {
      runbook: 'queue-age',
      what: 'Chunks of large messages, repetitions or callbacks come again and again: they cannot even be tried.',
      metric: ownMetric(stage, 'Stuck'),
      threshold: 2,
    });
  }

  #watchApi(apiId: string): void {
    // Senders and devices repeat what was answered 5xx, so a few are nothing; and of few requests one is many per cent.
    this.#add('ApiErrors', {
      runbook: 'api-errors',
      what: 'More than one of a hundred requests to the API is answered 5xx.',
      metric: new MathExpression({
        expression: 'IF(errors >= 5, 100 * errors / requests, 0)',
        usingMetrics: {
          errors: awsMetric('ApiGateway', '5xx', { ApiId: apiId }),
          requests: awsMetric('ApiGateway', 'Count', { ApiId: apiId }),
        },
        label: 'answered 5xx, %',
        period: Duration.minutes(5),
      }),
      threshold: 1,
      times: 2,
      of: 3,
    });
  }

  #watchFunctions(workers: PealFunction[]): void {
    // Only what dies counts here, by a crash or its timeout; records that fail are put back. The queue repeats for one
    // that died: a single crash heals. An alarm for each function costs as much as one of their sum, and names it.
    for (const worker of workers) {
      const name = nameOf(worker);
      this.#add(`${name.replaceAll('/', '')}Errors`, {
        runbook: 'worker-errors',
        what: `The function ${name}, which works on a queue or answers the socket, crashes or runs out of time.`,
        metric: worker.lambda.metricErrors(),
        threshold: 5,
        times: 2,
        of: 3,
      });
    }
    // Of the whole account, since it shares one limit. A burst is throttled until Lambda has scaled, which takes seconds.
    this.#add('Throttles', {
      runbook: 'throttles',
      what: 'Lambda refuses invocations: the account has as many at once as it may.',
      metric: awsMetric('Lambda', 'Throttles'),
      threshold: 10,
      times: 2,
      of: 3,
    });
    // Four fifths of Lambda's default quota of 1,000: a quarter of an hour's warning, for what takes a day to be raised.
    this.#add('Concurrency', {
      runbook: 'concurrency',
      what: 'Four fifths of the invocations that Lambda lets run at once in this account are in use.',
      metric: awsMetric('Lambda', 'ClaimedAccountConcurrency', {}, { statistic: 'Maximum' }),
      threshold: 800,
      times: 3,
    });
  }

  #watchTable(name: string, TableName: string): void {
    // DynamoDB throttles a table that suddenly takes twice what it ever took, and has grown within minutes; the SDK
    // repeats meanwhile. A quarter of an hour of it is a hot key.
    const events = ['ReadThrottleEvents', 'WriteThrottleEvents'];
    this.#add(`${name}Throttles`, {
      runbook: 'dynamodb-throttles',
      what: `DynamoDB refuses reads or writes of the table ${name}.`,
      metric: sumOf(
        events.map((event) => awsMetric('DynamoDB', event, { TableName })),
        'throttled',
      ),
      threshold: 50,
      times: 3,
    });
  }

  #watchCanary(stage: string, minutes: number): void {
    const period = Duration.minutes(minutes);
    // Each run writes 0 or 1: silence means that none ran. One may fail as any request may.
    this.#add('CanaryFailed', {
      runbook: 'canary-failed',
      what: 'Peal does not deliver the messages that it sends to itself.',
      metric: ownMetric(stage, 'CanaryFailed', { period, statistic: 'Maximum' }),
      threshold: 0,
      times: 2,
      of: 3,
      missing: TreatMissingData.BREACHING,
    });
    // It takes a second or two from a cold start; ten is what a person notices.
    this.#add('CanarySlow', {
      runbook: 'canary-slow',
      what: 'A message takes longer than ten seconds from its sender to a connected device.',
      metric: ownMetric(stage, 'CanaryArrival', { period }),
      threshold: 10_000,
      times: 3,
    });
  }
}
