/** Repeats emergency messages until they are acknowledged, from the repeat queue. */
import { SQSClient } from '@aws-sdk/client-sqs';
import { DeviceRegistry } from '../../lib/accounts/device-registry.ts';
import { awsClient } from '../../lib/net/aws-client.ts';
import { Receipts } from '../../lib/receipts/receipts.ts';
import { parseRepeatRecord, type RepeatContext, runRepeat } from '../../lib/receipts/repeat.ts';
import { Queue } from '../../lib/storage/queue.ts';
import { carrierQueues, table, variable } from '../environment.ts';
import { createJournal } from '../journal.ts';
import { batchHandler } from '../work.ts';

const { log, count, wrap } = createJournal();
const sqs = awsClient('sqs', SQSClient);
const directory = table('DIRECTORY_TABLE');
const context: RepeatContext = {
  receipts: new Receipts(directory, Date.now),
  devices: new DeviceRegistry(directory, Date.now),
  queues: carrierQueues(sqs),
  queue: new Queue(sqs, variable('QUEUE_URL')),
  callbacks: new Queue(sqs, variable('CALLBACK_QUEUE_URL')),
  clock: Date.now,
  log,
};

export const handler = wrap(
  batchHandler({
    parse: parseRepeatRecord,
    work: async (record) => {
      await runRepeat(record, context);
      return 'done';
    },
    deadLetters: new Queue(sqs, variable('DEAD_LETTER_QUEUE_URL')),
    log,
    count,
  }),
);
