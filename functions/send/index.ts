/** `POST /1/messages.json`: accepts a message. */
import { SQSClient } from '@aws-sdk/client-sqs';
import { Attachments } from '../../lib/attachments/attachments.ts';
import { Uploads } from '../../lib/attachments/uploads.ts';
import { Jobs } from '../../lib/fanout/job.ts';
import { success } from '../../lib/http/answer.ts';
import { readParams } from '../../lib/http/body.ts';
import { Mailbox } from '../../lib/mailbox/mailbox.ts';
import { Claims } from '../../lib/messages/claims.ts';
import { limitHeaders } from '../../lib/messages/limits.ts';
import { Sender } from '../../lib/messages/send.ts';
import { Receipts } from '../../lib/receipts/receipts.ts';
import { Queue } from '../../lib/storage/queue.ts';
import { attachmentsBucket, CALL, carrierQueues, table, variable } from '../environment.ts';
import { httpApp, serve, source } from '../http.ts';

/** All that a Lambda's event can hold, which an image as base64 in JSON comes near: what is too large is told the way. */
const MAX_BYTES = 6 * 1024 * 1024;

const clock = Date.now;
const bucket = attachmentsBucket();
const sqs = new SQSClient({ maxAttempts: 4, requestHandler: CALL });
const mailbox = table('MAILBOX_TABLE');
const sender = new Sender({
  directory: table('DIRECTORY_TABLE'),
  mailbox: new Mailbox(mailbox, clock),
  queues: carrierQueues(sqs),
  jobs: new Jobs(mailbox),
  fanOut: new Queue(sqs, variable('FAN_OUT_QUEUE_URL')),
  claims: new Claims(mailbox, clock),
  receipts: new Receipts(table('DIRECTORY_TABLE'), clock),
  repeats: new Queue(sqs, variable('REPEAT_QUEUE_URL')),
  attachments: new Attachments(mailbox, bucket, clock),
  uploads: new Uploads(bucket, clock),
  clock,
});

const app = httpApp();
app.on('POST', ['/1/messages.json', '/1/messages'], async (c) => {
  const { receipt, ...accepted } = await sender.send(await readParams(source(c), { maxBytes: MAX_BYTES }));
  console.info({ message: 'accepted', ...accepted });
  // Of a repeat, the answer is the first one's to the letter.
  const fields = receipt === undefined ? {} : { receipt };
  return success(fields, limitHeaders(accepted.receivedAt), accepted.request);
});

export const handler = serve(app);
