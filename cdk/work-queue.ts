import { Duration } from 'aws-cdk-lib';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { PealFunction } from './peal-function.ts';

export interface WorkQueueProps {
  /** The timeout of the function that works on it; the visibility timeout follows. */
  timeout: Duration;
}

/** How a function is fed. */
export interface Feed {
  batchSize: number;
  /** Most invocations at once, 2 to 1,000 (AWS). */
  concurrency: number;
  /** Whether it gives records up by itself; otherwise SQS does, when it has failed on one too often. Default true. */
  givesUp?: boolean;
}

/** Deliveries of one record before SQS moves it to the dead-letter queue. Only faults of our own count here. */
const RECEIVES = 5;

/** A queue that a function works on, and its dead-letter queue. The operations stack watches both. */
export class WorkQueue {
  readonly queue: Queue;
  readonly deadLetters: Queue;

  /** @param scope of which they become direct parts, as `Queue` and `DeadLetters` */
  constructor(scope: Construct, { timeout }: WorkQueueProps) {
    const secure = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true };
    this.deadLetters = new Queue(scope, 'DeadLetters', { ...secure, retentionPeriod: Duration.days(14) });
    this.queue = new Queue(scope, 'Queue', {
      ...secure,
      // AWS: at least six times the function's timeout, or a slow batch is delivered twice.
      visibilityTimeout: Duration.seconds(6 * timeout.toSeconds()),
      retentionPeriod: Duration.days(4),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: RECEIVES },
    });
  }

  /** Lets a function work on the queue, put records back and give them up. Of a batch only what failed comes again. */
  feed(worker: PealFunction, { batchSize, concurrency, givesUp = true }: Feed): void {
    const dead = givesUp ? [this.deadLetters.queueArn] : [];
    worker.allow(['sqs:SendMessage'], this.queue.queueArn, ...dead);
    worker.lambda.addEnvironment('QUEUE_URL', this.queue.queueUrl);
    if (givesUp) worker.lambda.addEnvironment('DEAD_LETTER_QUEUE_URL', this.deadLetters.queueUrl);
    // What the poller calls under the worker's role. CDK's own SqsEventSource would grant more than it needs.
    worker.allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], this.queue.queueArn);
    new EventSourceMapping(worker, 'Mapping', {
      target: worker.lambda,
      eventSourceArn: this.queue.queueArn,
      batchSize,
      maxConcurrency: concurrency,
      reportBatchItemFailures: true,
    });
  }
}
