import { Duration } from 'aws-cdk-lib';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { PealFunction } from './peal-function.ts';

export interface WorkQueueProps {
  /** The timeout of the function that works on it; the visibility timeout follows. */
  timeout: Duration;
  /** Dead letters of another queue that are to be these's, too. Default: its own. */
  deadLetters?: Queue;
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
  constructor(scope: Construct, { timeout, deadLetters }: WorkQueueProps) {
    const secure = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true };
    this.deadLetters =
      deadLetters ?? new Queue(scope, 'DeadLetters', { ...secure, retentionPeriod: Duration.days(14) });
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
    if (givesUp) {
      worker.allow(['sqs:SendMessage'], this.deadLetters.queueArn);
      worker.lambda.addEnvironment('DEAD_LETTER_QUEUE_URL', this.deadLetters.queueUrl);
    }
    this.#map(worker, '', { batchSize, concurrency });
  }

  /**
   * The queue of the slow lane: the same function works on it too, with a concurrency of its own, so that however many
   * wait there for somebody who is silent, the fast lane has its own. Its dead letters are this queue's.
   *
   * @param scope of which it becomes a direct part, as `Queue`
   */
  addSlowLane(
    scope: Construct,
    worker: PealFunction,
    timeout: Duration,
    feed: Pick<Feed, 'batchSize' | 'concurrency'>,
  ): Queue {
    const slow = new WorkQueue(scope, { timeout, deadLetters: this.deadLetters });
    slow.#map(worker, 'Slow', feed);
    return slow.queue;
  }

  #map(worker: PealFunction, lane: '' | 'Slow', { batchSize, concurrency }: Feed): void {
    const { queueArn, queueUrl } = this.queue;
    worker.allow(['sqs:SendMessage'], queueArn);
    worker.lambda.addEnvironment(lane === 'Slow' ? 'SLOW_QUEUE_URL' : 'QUEUE_URL', queueUrl);
    // What the poller calls under the worker's role. CDK's own SqsEventSource would grant more than it needs.
    worker.allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], queueArn);
    new EventSourceMapping(worker, `${lane}Mapping`, {
      target: worker.lambda,
      eventSourceArn: queueArn,
      batchSize,
      maxConcurrency: concurrency,
      reportBatchItemFailures: true,
    });
  }
}
