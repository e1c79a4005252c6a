import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { DataStack } from './data-stack.ts';
import { PealFunction } from './peal-function.ts';

/** What differs from carrier to carrier. */
export interface CarrierProps {
  data: DataStack;
  bundle: string;
  description: string;
  environment?: Record<string, string>;
  /** Most invocations at once: bounds connections to the carrier. */
  concurrency: number;
}

/** One invocation's limit. A hand-off settles within 10 seconds, and all records of a batch go side by side. */
const TIMEOUT = Duration.seconds(30);
/** AWS: at least six times the function's timeout, or a slow batch is delivered twice. */
const VISIBILITY = Duration.seconds(180);
/** Deliveries of one record before SQS moves it to the dead-letter queue. Only faults of our own count here. */
const RECEIVES = 5;

/** A carrier: its queue, its dead-letter queue with an alarm, and the function that hands messages over. */
export class Carrier extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;
  readonly push: PealFunction;

  constructor(scope: Construct, id: string, props: CarrierProps) {
    super(scope, id);
    const secure = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true };
    this.deadLetters = new Queue(this, 'DeadLetters', { ...secure, retentionPeriod: Duration.days(14) });
    this.queue = new Queue(this, 'Queue', {
      ...secure,
      visibilityTimeout: VISIBILITY,
      retentionPeriod: Duration.days(4),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: RECEIVES },
    });
    const { directory, mailbox } = props.data;
    this.push = new PealFunction(this, 'Push', {
      bundle: props.bundle,
      description: props.description,
      environment: {
        DIRECTORY_TABLE: directory.tableName,
        MAILBOX_TABLE: mailbox.tableName,
        QUEUE_URL: this.queue.queueUrl,
        DEAD_LETTER_QUEUE_URL: this.deadLetters.queueUrl,
        ...props.environment,
      },
      timeout: TIMEOUT,
      memory: 512,
    });
    this.push
      .allow(['dynamodb:BatchGetItem'], directory.tableArn)
      .allow(['dynamodb:BatchGetItem', 'dynamodb:PutItem'], mailbox.tableArn)
      .allow(['sqs:SendMessage'], this.queue.queueArn, this.deadLetters.queueArn);
    this.push.lambda.addEventSource(
      new SqsEventSource(this.queue, {
        batchSize: 10,
        reportBatchItemFailures: true,
        maxConcurrency: props.concurrency,
      }),
    );
    new Alarm(this, 'DeadLettersAlarm', {
      alarmDescription: `Messages that ${id} could not hand over. They wait for sync; the reasons are in the records.`,
      metric: this.deadLetters.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1) }),
      threshold: 0,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  }
}
