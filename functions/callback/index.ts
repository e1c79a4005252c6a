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
import { laneOf } from '../lane.ts';
import { log } from '../log.ts';
import { batchHandler } from '../work.ts';

const sqs = awsClient('sqs', SQSClient);
const slow = new Queue(sqs, variable('SLOW_QUEUE_URL'));
const shared = {
  deadLetters: new Queue(sqs, variable('DEAD_LETTER_QUEUE_URL')),
  reports: new Queue(sqs, variable('REPEAT_QUEUE_URL')),
  lookup: publicLookup,
  clock: Date.now,
  log,
};

/** What works on the queues of a lane. Senders name the servers, so all of them are strangers. */
function workerIn({ strangerHold, silence }: LaneLimits, queues: Pick<CallbackContext, 'queue' | 'slow'>) {
  const silences = new Silences(silence, Date.now);
  const context: CallbackContext = { ...shared, ...queues, hold: strangerHold, silences };
  return batchHandler((body) => runCallback(parseCallbackRecord(body), context), log);
}

const lanes = {
  fast: workerIn(LANES.fast, { queue: new Queue(sqs, variable('QUEUE_URL')), slow }),
  slow: workerIn(LANES.slow, { queue: slow }),
};

export const handler = (event: SQSEvent) => lanes[laneOf(event)](event);
