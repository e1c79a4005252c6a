/** Tells senders' servers of acknowledgements, from the callback queue. It can reach no data of Peal's. */
import { SQSClient } from '@aws-sdk/client-sqs';
import { awsClient } from '../../lib/net/aws-client.ts';
import { publicLookup } from '../../lib/net/public-address.ts';
import { type CallbackContext, parseCallbackRecord, runCallback } from '../../lib/receipts/callback.ts';
import { Queue } from '../../lib/storage/queue.ts';
import { variable } from '../environment.ts';
import { log } from '../log.ts';
import { batchHandler } from '../work.ts';

const sqs = awsClient('sqs', SQSClient);
const context: CallbackContext = {
  queue: new Queue(sqs, variable('QUEUE_URL')),
  deadLetters: new Queue(sqs, variable('DEAD_LETTER_QUEUE_URL')),
  reports: new Queue(sqs, variable('REPEAT_QUEUE_URL')),
  lookup: publicLookup,
  clock: Date.now,
  log,
};

export const handler = batchHandler((body) => runCallback(parseCallbackRecord(body), context), context.log);
