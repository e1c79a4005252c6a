/** `GET /1/messages.json` and `POST /1/devices/{id}/update_highest_message.json`: what waits, and what is stored. */
import { sessionDevice } from '../../lib/accounts/sessions.ts';
import { Attachments } from '../../lib/attachments/attachments.ts';
import { success } from '../../lib/http/answer.ts';
import { Mailbox } from '../../lib/mailbox/mailbox.ts';
import { receiptsOf, syncAnswer } from '../../lib/mailbox/sync-answer.ts';
import { isAsking, Receipts } from '../../lib/receipts/receipts.ts';
import { on } from '../endpoint.ts';
import { attachmentsBucket, table } from '../environment.ts';
import { HttpApp, serve } from '../http.ts';
import { seen } from '../seen.ts';
import { sessionOf } from '../session.ts';
import * as endpoints from './endpoints.ts';

/**
 * Stored bytes in one answer. Base64 makes them a third longer, and each message has some two hundred bytes around it:
 * with the mailbox's own limit of messages a page, that stays well below the 6 MiB that Lambda answers.
 */
const PAGE_BYTES = 3 * 1024 * 1024;

const directory = table('DIRECTORY_TABLE');
const receipts = new Receipts(directory, Date.now);
const messages = table('MAILBOX_TABLE');
const mailbox = new Mailbox(messages, Date.now);
const attachments = new Attachments(messages, attachmentsBucket(), Date.now);

const app = new HttpApp();

on(app, endpoints.sync, async ({ http, params, fields }) => {
  const session = await sessionOf(directory, http, params);
  const device = sessionDevice(session, params.get('device_id'));
  await seen(directory, session.user, device);
  const page = await mailbox.page(device.id, fields().after, PAGE_BYTES);
  const found = await receipts.findMany(receiptsOf(page));
  const now = Math.floor(Date.now() / 1000);
  const asking = new Set(found.filter((one) => isAsking(one, now)).map(({ receipt }) => receipt));
  return success(syncAnswer(page, session, device, asking));
});

on(app, endpoints.acknowledge, async ({ http, params, fields, segment }) => {
  const { message: upTo } = fields();
  const session = await sessionOf(directory, http, params);
  const device = sessionDevice(session, segment('id'));
  await mailbox.acknowledge(device.id, upTo, attachments);
  return success();
});

export const handler = serve(app);
