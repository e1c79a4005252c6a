import { Duration } from 'aws-cdk-lib';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { DataStack } from './data-stack.ts';
import { PealFunction } from './peal-function.ts';
import { WorkQueue } from './work-queue.ts';

/** What differs from carrier to carrier. */
export interface CarrierProps {
  data: DataStack;
  bundle: string;
  description: string;
  environment?: Record<string, string>;
  /** Most invocations at once: bounds connections to the carrier. `slow`: those of the slow lane, besides. */
  concurrency: { fast: number; slow: number };
}

/** One invocation's limit. A hand-off settles within 10 seconds (`LANES`), and all records of a batch go side by side. */
const TIMEOUT = Duration.seconds(30);

/** A carrier: its queues, one a lane, and the function that hands messages over. */
export class Carrier extends Construct {
  readonly queue: Queue;
  /** The queue of the slow lane. */
  readonly slow: Queue;
  readonly deadLetters: Queue;
  readonly push: PealFunction;

  constructor(scope: Construct, id: string, props: CarrierProps) {
    super(scope, id);
    const work = new WorkQueue(this, {
      timeout: TIMEOUT,
    });
    this.queue = work.queue;
    this.deadLetters = work.deadLetters;
    const { directory, mailbox } = props.data;
    this.push = new PealFunction(this, 'Push', {
      bundle: props.bundle,
      description: props.description,
      environment: {
        DIRECTORY_TABLE: directory.tableName,
        MAILBOX_TABLE: mailbox.tableName,
        ...props.environment,
      },
      timeout: TIMEOUT,
      memory: 512,
    });
    this.push
      .allowItems(['BatchGetItem'], directory, 'accounts')
      // Notes deliveries.
      .allowItems(['UpdateItem'], directory, 'deliveries')
      .allowItems(['BatchGetItem', 'UpdateItem'], mailbox, 'devices');
    const { fast, slow } = props.concurrency;
    work.feed(this.push, { batchSize: 10, concurrency: fast });
    const feed = { batchSize: 10, concurrency: slow };
    this.slow = work.addSlowLane(new Construct(this, 'Slow'), this.push, TIMEOUT, feed);
  }
}
