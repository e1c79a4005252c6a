import { Duration } from 'aws-cdk-lib';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { PealFunction } from './peal-function.ts';

export interface WorkQueueProps {
  /** The timeout of the function that works on it, at most half of `VISIBILITY`. */
  timeout: Duration;
  /** Dead letters of another queue that are to be these's, too. Default: its own. */
  deadLetters?: Queue;
}

/** How a function is fed. */
export interface Feed {
  batchSize: number;
  /** Most invocations at once, 2 to 1,000 (AWS). */
  concurrency: number;
  /** Whether it puts what is left of a record back as a new one; otherwise it has the same one come again. Default true. */
  putsBack?: boolean;
}

/**
 * How long a record is hidden while a function works on it, seconds: so long after its delivery what a dead function held
 * comes again. A record may be an alarm, so it is a minute.
 *
 * Lambda demands that it is not shorter than the function's timeout, and AWS advises six times that: an invocation that is
 * throttled is begun again for as long as its records are hidden. Here it is at least twice. Where an invocation begins
 * so late that its records become visible while it runs, they are delivered to a second one as well, which costs a
 * delivery and nothing else: everything that works on a queue stands that, since SQS delivers twice anyway.
 */
export const VISIBILITY = Duration.seconds(60);

/**
 * Deliveries of one record before SQS moves it to the dead-letter queue: the most that SQS allows. Records that fail are
 * put back as new ones, or given up by our own rules; those that cannot be read are given up after 15 deliveries. So what
 * counts here is what could not even be tried: a function that does not start, or that reaches neither its tables nor
 * its queue, has 1,000 minutes (16.7 hours) to be mended. Alarms ring within minutes meanwhile.
 */
const RECEIVES = 1000;

/** A queue that a function works on, and its dead-letter queue. The operations stack watches both. */
export class WorkQueue {
  readonly queue: Queue;
  readonly deadLetters: Queue;

  /** @param scope of which they become direct parts, as `Queue` and `DeadLetters` */
  constructor(scope: Construct, { timeout, deadLetters }: WorkQueueProps) {
    if (timeout.toSeconds() * 2 > VISIBILITY.toSeconds()) {
      throw new Error(
        `${scope.node.path}: a function on a queue has ${VISIBILITY.toSeconds() / 2} s at most`,
      );
    }
    const secure = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true };
    this.deadLetters =
      deadLetters ?? new Queue(scope, 'DeadLetters', { ...secure, retentionPeriod: Duration.days(14) });
    this.queue = new Queue(scope, 'Queue', {
      ...secure,
      visibilityTimeout: VISIBILITY,
      retentionPeriod: Duration.days(4),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: RECEIVES },
    });
  }

  /** Lets a function work on the queue, put records back and give them up. Of a batch only what failed comes again. */
  feed(worker: PealFunction, feed: Feed): void {
    worker.allow(['sqs:SendMessage'], this.deadLetters.queueArn);
    worker.lambda.addEnvironment('DEAD_LETTER_QUEUE_URL', this.deadLetters.queueUrl);
    this.#map(worker, '', feed);
  }

  /**
   * The queue of the slow lane: the same function works on it too, with a concurrency of its own, so that however many
   * wait there for somebody who is silent, the fast lane has its own. Its dead letters are this queue's.
   *
   * @param scope of which it becomes a direct part, as `Queue`
   */
  addSlowLane(scope: Construct, worker: PealFunction, timeout: Duration, feed: Feed): Queue {
    const slow = new WorkQueue(scope, { timeout, deadLetters: this.deadLetters });
    slow.#map(worker, 'Slow', feed);
    return slow.queue;
  }

  #map(worker: PealFunction, lane: '' | 'Slow', { batchSize, concurrency, putsBack = true }: Feed): void {
    const { queueArn, queueUrl } = this.queue;
    // The fast lane moves records to the slow one.
    if (putsBack || lane === 'Slow') worker.allow(['sqs:SendMessage'], queueArn);
    if (!putsBack) worker.allow(['sqs:ChangeMessageVisibility'], queueArn);
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
