/** `/1/receipts/…`: what became of emergency messages, cancelling them, acknowledging them. */
import { SQSClient } from '@aws-sdk/client-sqs';
import { findSession, sessionDevice } from '../../lib/accounts/sessions.ts';
import { success } from '../../lib/http/answer.ts';
import { readParams } from '../../lib/http/body.ts';
import { queueCallback } from '../../lib/receipts/callback.ts';
import { Receipts, receiptView } from '../../lib/receipts/receipts.ts';
import { Queue } from '../../lib/storage/queue.ts';
import { seconds } from '../../lib/storage/table.ts';
import { CALL, table, variable } from '../environment.ts';
import { type HttpContext, httpApp, secretOf, serve, source } from '../http.ts';

/** Nothing of a receipt comes near this. */
const BODY = { maxBytes: 64 * 1024 };

const BY_TAG = '/1/receipts/cancel_by_tag/';

const directory = table('DIRECTORY_TABLE');
const receipts = new Receipts(directory, Date.now);
const callbacks = new Queue(
  new SQSClient({ maxAttempts: 4, requestHandler: CALL }),
  variable('CALLBACK_QUEUE_URL'),
);

/** A path with and without the `.json` that only picks the format of the answer. */
const path = (text: string) => [`/1/receipts/${text}.json`, `/1/receipts/${text}`];

const app = httpApp();

// The last segment has the suffix as well: a parameter would take it in.
app.get('/1/receipts/:last', async (c) => {
  const params = await readParams(source(c), BODY);
  const receipt = await receipts.ofApp(params.get('token'), last(c));
  return success(receiptView(receipt, seconds(Date.now)));
});

// A tag may have anything in it, slashes as well.
app.post(`${BY_TAG}*`, async (c) => {
  const params = await readParams(source(c), BODY);
  const tag = decoded(c.req.path.slice(BY_TAG.length).replace(/\.json$/, ''));
  return success({ canceled: await receipts.cancelByTag(params.get('token'), tag) });
});

app.on('POST', path(':receipt/cancel'), async (c) => {
  const params = await readParams(source(c), BODY);
  const { receipt } = await receipts.ofApp(params.get('token'), c.req.param('receipt') ?? '');
  await receipts.cancel(receipt);
  return success();
});

app.on('POST', path(':receipt/acknowledge'), async (c) => {
  const params = await readParams(source(c), BODY);
  const session = await findSession(directory, secretOf(c, params));
  const id = params.get('device_id');
  const device = id === undefined ? '' : sessionDevice(session, id).name;
  const receipt = await receipts.acknowledge(c.req.param('receipt') ?? '', session.user, device);
  await queueCallback(receipt, callbacks, receipts);
  return success();
});

export const handler = serve(app);

/** A path's text as its author meant it; as it is if it is no percent-encoding. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The last segment of the path. */
function last(c: HttpContext): string {
  return (c.req.param('last') ?? '').replace(/\.json$/, '');
}
