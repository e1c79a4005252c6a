/** `GET /1/messages.json` and `POST /1/devices/{id}/update_highest_message.json`: what waits, and what is stored. */
import { sessionDevice } from '../../lib/accounts/sessions.ts';
import { success } from '../../lib/http/answer.ts';
import { readParams } from '../../lib/http/body.ts';
import { Mailbox } from '../../lib/mailbox/mailbox.ts';
import { highestId, startingId } from '../../lib/mailbox/parameters.ts';
import { receiptsOf, syncAnswer } from '../../lib/mailbox/sync-answer.ts';
import { isAsking, Receipts } from '../../lib/receipts/receipts.ts';
import { table } from '../environment.ts';
import { httpApp, serve, source } from '../http.ts';
import { sessionOf } from '../session.ts';

/**
 * Stored bytes in one answer. Base64 makes them a third longer, and each message has some two hundred bytes around it:
 * with the mailbox's own limit of messages a page, that stays well below the 6 MiB that Lambda answers.
 */
const PAGE_BYTES = 3 * 1024 * 1024;

const directory = table('DIRECTORY_TABLE');
const receipts = new Receipts(directory, Date.now);
const mailbox = new Mailbox(table('MAILBOX_TABLE'), Date.now);

const app = httpApp();

app.on('GET', ['/1/messages.json', '/1/messages'], async (c) => {
  const params = await readParams(source(c));
  const session = await sessionOf(directory, c, params);
  const device = sessionDevice(session, params.get('device_id'));
  const page = await mailbox.page(device.id, startingId(params), PAGE_BYTES);
  const found = await receipts.findMany(receiptsOf(page));
  const now = Math.floor(Date.now() / 1000);
  const asking = new Set(found.filter((one) => isAsking(one, now)).map(({ receipt }) => receipt));
  return success(syncAnswer(page, session, device, asking));
});

app.on(
  'POST',
  ['update_highest_message.json', 'update_highest_message'].map((last) => `/1/devices/:id/${last}`),
  async (c) => {
    const params = await readParams(source(c));
    const upTo = highestId(params);
    const session = await sessionOf(directory, c, params);
    const device = sessionDevice(session, c.req.param('id'));
    await mailbox.acknowledge(device.id, upTo);
    return success();
  },
);

export const handler = serve(app);
