/** Seals and stores a message for chunk after chunk of many recipients, from the fan-out queue. */
import { SQSClient } from '@aws-sdk/client-sqs';
import { DeviceRegistry } from '../../lib/accounts/device-registry.ts';
import { parseFanOutRecord, runChunk, type WorkerContext } from '../../lib/fanout/fan-out.ts';
import { Jobs } from '../../lib/fanout/job.ts';
import { History } from '../../lib/history/history.ts';
import { Mailbox } from '../../lib/mailbox/mailbox.ts';
import { Copies } from '../../lib/messages/copies.ts';
import { awsClient } from '../../lib/net/aws-client.ts';
import { Queue } from '../../lib/storage/queue.ts';
import { carrierQueues, table, variable } from '../environment.ts';
import { createJournal } from '../journal.ts';
import { batchHandler } from '../work.ts';

const journal = createJournal();
const sqs = awsClient('sqs', SQSClient);
const mailbox = table('MAILBOX_TABLE');
const context: WorkerContext = {
  jobs: new Jobs(mailbox),
  devices: new DeviceRegistry(table('DIRECTORY_TABLE'), Date.now),
  copies: new Copies(new Mailbox(mailbox, Date.now)),
  queues: carrierQueues(sqs),
  repeats: new Queue(sqs, variable('REPEAT_QUEUE_URL')),
  queue: new Queue(sqs, variable('QUEUE_URL')),
  deadLetters: new Queue(sqs, variable('DEAD_LETTER_QUEUE_URL')),
  clock: Date.now,
  history: new History({ mailbox, log: journal.log }),
  log: journal.log,
  count: journal.count,
};

/** A batch is one record (`cdk/fan-out.ts`): memory stays that of one chunk. */
export const handler = journal.wrap(
  batchHandler({
    parse: parseFanOutRecord,
    work: async (record) => {
      await runChunk(record, context);
      return 'done';
    },
    deadLetters: context.deadLetters,
    log: context.log,
    count: context.count,
  }),
);
