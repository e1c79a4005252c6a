/** Tells senders' servers of acknowledgements, from the callback queue. It can reach no data of Peal's. */
import { SQSClient } from '@aws-sdk/client-sqs';
import type { SQSEvent } from 'aws-lambda';
import { awsClient } from '../../lib/net/aws-client.ts';
import { LANES, type LaneLimits } from '../../lib/net/lanes.ts';
import { publicLookup } from '../../lib/net/public-address.ts';
import { Silences } from '../../lib/net/silence.ts';
import { type CallbackContext, parseCallbackRecord, runCallback } from '../../lib/receipts/callback.ts';
import { Queue } from '../../lib/storage/queue.ts';
import { variable } from '../environment.ts';
import { createJournal } from '../journal.ts';
import { laneOf } from '../lane.ts';
import { batchHandler } from '../work.ts';

const { log, count, wrap } = createJournal();
const sqs = awsClient('sqs', SQSClient);
const slow = new Queue(sqs, variable('SLOW_QUEUE_URL'));
const shared = {
  deadLetters: new Queue(sqs, variable('DEAD_LETTER_QUEUE_URL')),
  reports: new Queue(sqs, variable('REPEAT_QUEUE_URL')),
  lookup: publicLookup,
  clock: Date.now,
  log,
};

/** What works on the queue of a lane. Senders name the servers, so all of them are strangers. */
function workerIn({ strangerHold, silence }: LaneLimits, queue: Queue, slower?: Queue) {
  const silences = new Silences(silence, Date.now);
  const context: CallbackContext = { ...shared, slow: slower, hold: strangerHold, silences };
  return batchHandler({
    parse: parseCallbackRecord,
    work: async (record, receipt) => {
      const wait = await runCallback(record, context);
      if (wait === undefined) return 'done';
      await queue.hold(receipt, wait);
      return 'again';
    },
    deadLetters: shared.deadLetters,
    log,
    count,
  });
}

const lanes = {
  fast: workerIn(LANES.fast, new Queue(sqs, variable('QUEUE_URL')), slow),
  slow: workerIn(LANES.slow, slow),
};

export const handler = wrap((event: SQSEvent) => lanes[laneOf(event)](event));
