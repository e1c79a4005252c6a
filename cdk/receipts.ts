import { Duration } from 'aws-cdk-lib';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Carrier } from './carrier.ts';
import type { DataStack } from './data-stack.ts';
import { queueUrls } from './fan-out.ts';
import { PealFunction } from './peal-function.ts';
import { WorkQueue } from './work-queue.ts';

/** A queue with what gives up on it. */
export interface Work {
  readonly queue: Queue;
  readonly deadLetters: Queue;
}

/** The same, with a slow lane. */
export interface LanedWork extends Work {
  readonly slow: Queue;
}

export interface ReceiptsProps {
  data: DataStack;
  bundles: { repeat: string; callback: string };
  /** By the variable that names its queue. */
  carriers: Record<string, Carrier>;
  /** Most invocations at once. */
  concurrency: { repeat: number; callback: number; slow: number };
}

/** One step of a chain is a few calls, of which each ends within seconds. */
const REPEAT_TIMEOUT = Duration.seconds(20);

/** All callbacks of a batch go side by side, each within 10 seconds (`LANES`); then what became of them is queued. */
const CALLBACK_TIMEOUT = Duration.seconds(30);

/** Emergency messages: the chains of their repetitions, and the callbacks when they are acknowledged. */
export class Receipts extends Construct {
  readonly repeats: Work;
  readonly callbacks: LanedWork;

  constructor(scope: Construct, id: string, { data, bundles, carriers, concurrency }: ReceiptsProps) {
    super(scope, id);
    const { directory } = data;
    const repeats = new WorkQueue(new Construct(this, 'Repeat'), {
      timeout: REPEAT_TIMEOUT,
    });
    const callbackScope = new Construct(this, 'Callback');
    const callbacks = new WorkQueue(callbackScope, {
      timeout: CALLBACK_TIMEOUT,
    });
    const repeat = new PealFunction(this, 'RepeatWorker', {
      bundle: bundles.repeat,
      description: 'Repeats emergency messages until they are acknowledged',
      environment: {
        DIRECTORY_TABLE: directory.tableName,
        CALLBACK_QUEUE_URL: callbacks.queue.queueUrl,
        ...queueUrls(carriers),
      },
      timeout: REPEAT_TIMEOUT,
      memory: 512,
    })
      .allowItems(['BatchGetItem'], directory, 'accounts')
      .allowItems(['GetItem', 'UpdateItem'], directory, 'receipts')
      .allow(
        ['sqs:SendMessage'],
        callbacks.queue.queueArn,
        ...Object.values(carriers).map(({ queue }) => queue.queueArn),
      );
    repeats.feed(repeat, { batchSize: 10, concurrency: concurrency.repeat });

    // It calls addresses that senders name, so it can reach nothing of ours but queues.
    const callback = new PealFunction(this, 'CallbackWorker', {
      bundle: bundles.callback,
      description: 'Tells senders’ servers of acknowledgements',
      environment: { REPEAT_QUEUE_URL: repeats.queue.queueUrl },
      timeout: CALLBACK_TIMEOUT,
      memory: 256,
    }).allow(['sqs:SendMessage'], repeats.queue.queueArn);
    // A callback that failed stays the same record, which comes again later.
    callbacks.feed(callback, { batchSize: 10, concurrency: concurrency.callback, putsBack: false });
    const slow = callbacks.addSlowLane(new Construct(callbackScope, 'Slow'), callback, CALLBACK_TIMEOUT, {
      batchSize: 10,
      concurrency: concurrency.slow,
      putsBack: false,
    });
    this.repeats = repeats;
    this.callbacks = { queue: callbacks.queue, slow, deadLetters: callbacks.deadLetters };
  }
}
