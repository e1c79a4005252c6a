/** `GET /1/messages.json`, and the two ways to say what is stored: by ids, and Pushover's, up to an id. */
import { sessionDevice } from '../../lib/accounts/sessions.ts';
import { Attachments } from '../../lib/attachments/attachments.ts';
import { success } from '../../lib/http/answer.ts';
import { LIST_BYTES } from '../../lib/http/weight.ts';
import { Mailbox } from '../../lib/mailbox/mailbox.ts';
import { receiptsOf, syncAnswer, weightOfMessage } from '../../lib/mailbox/sync-answer.ts';
import { isAsking, Receipts } from '../../lib/receipts/receipts.ts';
import { Refusal } from '../../lib/refusal.ts';
import { on } from '../endpoint.ts';
import { attachmentsBucket, table } from '../environment.ts';
import { HttpApp, serve } from '../http.ts';
import { seen } from '../seen.ts';
import { sessionOf } from '../session.ts';
import * as endpoints from './endpoints.ts';

const directory = table('DIRECTORY_TABLE');
const receipts = new Receipts(directory, Date.now);
const messages = table('MAILBOX_TABLE');
const mailbox = new Mailbox(messages, Date.now);
const attachments = new Attachments(messages, attachmentsBucket(), Date.now);

const BY_IDS =
  'is for devices without a key; name all that is stored, as messages of devices/{id}/acknowledge';

const app = new HttpApp();

on(app, endpoints.sync, async ({ http, params, fields }) => {
  const session = await sessionOf(directory, http, params);
  const device = sessionDevice(session, params.get('device_id'));
  await seen(directory, session.user, device);
  const page = await mailbox.page({
    device: device.id,
    after: fields().after,
    weigh: weightOfMessage,
    maxBytes: LIST_BYTES,
    recorded: device.publicKey === undefined,
  });
  const found = await receipts.findMany(receiptsOf(page));
  const now = Math.floor(Date.now() / 1000);
  const asking = new Set(found.filter((one) => isAsking(one, now)).map(({ receipt }) => receipt));
  return success(syncAnswer(page, session, device, asking));
});

on(app, endpoints.acknowledge, async ({ http, params, fields, segment }) => {
  const { messages: ids } = fields();
  const session = await sessionOf(directory, http, params);
  const device = sessionDevice(session, segment('id'));
  await mailbox.acknowledge(device.id, ids, attachments);
  return success();
});

on(app, endpoints.acknowledgeUpTo, async ({ http, params, fields, segment }) => {
  const { message: upTo } = fields();
  const session = await sessionOf(directory, http, params);
  const device = sessionDevice(session, segment('id'));
  // What it is given is not recorded, so nothing would tell which of the messages it has.
  if (device.publicKey !== undefined) throw new Refusal({ field: 'message', reason: BY_IDS });
  await mailbox.acknowledgeUpTo(device.id, upTo, attachments);
  return success();
});

export const handler = serve(app);
