import { Duration } from 'aws-cdk-lib';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Carrier } from './carrier.ts';
import type { DataStack } from './data-stack.ts';
import { PealFunction } from './peal-function.ts';
import { WorkQueue } from './work-queue.ts';

export interface FanOutProps {
  data: DataStack;
  bundle: string;
  /** By the variable that names its queue. */
  carriers: Record<string, Carrier>;
  /** The queue of emergency messages' repetitions. */
  repeats: Queue;
  /** Most invocations at once. */
  concurrency: number;
}

/** A chunk is at most a thousand copies, a millisecond or two each; a call to AWS that hangs ends within 13 seconds. */
const TIMEOUT = Duration.seconds(30);

/** The queue of chunks of messages to very many devices, and the function that seals and stores them. */
export class FanOut extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, { data, bundle, carriers, repeats, concurrency }: FanOutProps) {
    super(scope, id);
    const { directory, mailbox } = data;
    const work = new WorkQueue(this, {
      timeout: TIMEOUT,
    });
    this.queue = work.queue;
    this.deadLetters = work.deadLetters;
    const worker = new PealFunction(this, 'Worker', {
      bundle,
      description: 'Seals and stores messages for very many devices',
      environment: {
        DIRECTORY_TABLE: directory.tableName,
        MAILBOX_TABLE: mailbox.tableName,
        ...queueUrls(carriers),
        REPEAT_QUEUE_URL: repeats.queueUrl,
      },
      timeout: TIMEOUT,
      memory: 1769,
    })
      .allowItems(['BatchGetItem'], directory, 'accounts')
      // Takes on what is left of a chunk.
      .allowItems(['GetItem', 'UpdateItem'], mailbox, 'jobs')
      .allowItems(['PutItem'], mailbox, 'devices')
      // Notes whom a chunk has reached.
      .allowItems(['UpdateItem'], mailbox, 'reached')
      .allow(
        ['sqs:SendMessage'],
        repeats.queueArn,
        ...Object.values(carriers).map(({ queue }) => queue.queueArn),
      );
    work.feed(worker, { batchSize: 1, concurrency });
  }
}

/** Environment variables that name the carriers' queues. */
export function queueUrls(carriers: Record<string, Carrier>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(carriers).map(([name, { queue }]) => [`${name.toUpperCase()}_QUEUE_URL`, queue.queueUrl]),
  );
}
