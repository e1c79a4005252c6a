/** `POST /1/messages.json`: accepts a message. `POST /1/devices/{id}/test.json`: sends one of Peal's own. */
import { SQSClient } from '@aws-sdk/client-sqs';
import { plainHash } from '../../lib/accounts/keyed-hash.ts';
import { sessionDevice } from '../../lib/accounts/sessions.ts';
import { type ThrottleLog, Throttles } from '../../lib/accounts/throttles.ts';
import { Attachments } from '../../lib/attachments/attachments.ts';
import { Uploads } from '../../lib/attachments/uploads.ts';
import { Jobs } from '../../lib/fanout/job.ts';
import { History } from '../../lib/history/history.ts';
import { success } from '../../lib/http/answer.ts';
import { Mailbox } from '../../lib/mailbox/mailbox.ts';
import { BurstLimit } from '../../lib/messages/burst.ts';
import { Claims } from '../../lib/messages/claims.ts';
import { limitHeaders } from '../../lib/messages/limits.ts';
import { Quota } from '../../lib/messages/quota.ts';
import { Sender } from '../../lib/messages/send.ts';
import { awsClient } from '../../lib/net/aws-client.ts';
import { Receipts } from '../../lib/receipts/receipts.ts';
import { Refusal } from '../../lib/refusal.ts';
import { Queue } from '../../lib/storage/queue.ts';
import { on } from '../endpoint.ts';
import {
  attachmentsBucket,
  carrierQueues,
  days,
  limit,
  table,
  tableWithoutRetries,
  variable,
} from '../environment.ts';
import { HttpApp, serve } from '../http.ts';
import { createJournal } from '../journal.ts';
import { sessionOf } from '../session.ts';
import * as endpoints from './endpoints.ts';

const clock = Date.now;
const bucket = attachmentsBucket();
const sqs = awsClient('sqs', SQSClient);
const mailbox = table('MAILBOX_TABLE');
const directory = table('DIRECTORY_TABLE');
const journal = createJournal();
const { log } = journal;
const logFault: ThrottleLog = (message, fields) => log('error', message, fields);
const sender = new Sender({
  directory,
  mailbox: new Mailbox(mailbox, clock),
  queues: carrierQueues(sqs),
  jobs: new Jobs(mailbox),
  fanOut: new Queue(sqs, variable('FAN_OUT_QUEUE_URL')),
  claims: new Claims(mailbox, clock),
  burst: new BurstLimit({ directory, limit: limit('BURST'), clock, random: Math.random, log }),
  quota: new Quota({
    directory,
    withoutRetries: tableWithoutRetries('DIRECTORY_TABLE'),
    limit: limit('QUOTA'),
    log,
  }),
  receipts: new Receipts(directory, clock),
  throttles: new Throttles(directory, clock, logFault, plainHash),
  repeats: new Queue(sqs, variable('REPEAT_QUEUE_URL')),
  attachments: new Attachments(mailbox, bucket, clock),
  uploads: new Uploads(bucket, clock),
  history: new History({ mailbox, log }),
  retention: { messages: days('MESSAGE_DAYS'), attachments: days('ATTACHMENT_DAYS') },
  clock,
});

const app = new HttpApp();
on(app, endpoints.send, async ({ params }) => {
  const { receipt, allowance, ...accepted } = await sender.send(params).catch(noteThrottling);
  log('info', 'accepted', accepted);
  if (!accepted.repeated) journal.count('Accepted', 1);
  // Of a repeat, the answer is the first one's to the letter.
  const fields = receipt === undefined ? {} : { receipt };
  return success(fields, limitHeaders(accepted.receivedAt, allowance), accepted.request);
});

on(app, endpoints.test, async ({ http, params, segment }) => {
  const session = await sessionOf(directory, http, params);
  const device = sessionDevice(session, segment('id'));
  const { allowance: _, ...accepted } = await sender.test(session, device).catch(noteThrottling);
  log('info', 'accepted a test', accepted);
  journal.count('Accepted', 1);
  return success({}, {}, accepted.request);
});

export const handler = journal.wrap(serve(app));

/** Counts a send that is refused for its number. */
function noteThrottling(error: unknown): never {
  if (error instanceof Refusal && error.status === 429) journal.count('Throttled', 1);
  throw error;
}
