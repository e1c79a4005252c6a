/** `/1/receipts/…`: what became of emergency messages, cancelling them, acknowledging them. */
import { SQSClient } from '@aws-sdk/client-sqs';
import { userOfSecret } from '../../lib/accounts/keys.ts';
import { findSession, sessionDevice } from '../../lib/accounts/sessions.ts';
import { success } from '../../lib/http/answer.ts';
import { awsClient } from '../../lib/net/aws-client.ts';
import { queueCallback } from '../../lib/receipts/callback.ts';
import { isAsking, keysOfReceipt, Receipts } from '../../lib/receipts/receipts.ts';
import { receiptView, stateView } from '../../lib/receipts/view.ts';
import { Queue } from '../../lib/storage/queue.ts';
import { seconds } from '../../lib/storage/table.ts';
import { on } from '../endpoint.ts';
import { table, variable } from '../environment.ts';
import { HttpApp, secretOf, serve } from '../http.ts';
import { sessionWith } from '../session.ts';
import * as endpoints from './endpoints.ts';

const directory = table('DIRECTORY_TABLE');
const receipts = new Receipts(directory, Date.now);
const callbacks = new Queue(awsClient('sqs', SQSClient), variable('CALLBACK_QUEUE_URL'));

const app = new HttpApp();

on(app, endpoints.view, async ({ params, segment }) => {
  const receipt = await receipts.ofApp(params.get('token'), segment('receipt'));
  return success(receiptView(receipt, seconds(Date.now)));
});

on(app, endpoints.state, async ({ http, params, segment }) => {
  const user = userOfSecret(secretOf(http, params) ?? '');
  const keys = user === undefined ? [] : keysOfReceipt(segment('receipt'), user);
  const { session, items } = await sessionWith(directory, http, params, keys);
  const receipt = receipts.ofRecipient(session.user, items);
  return success(stateView(receipt, session.user, isAsking(receipt, seconds(Date.now))));
});

on(app, endpoints.cancelByTag, async ({ params, segment }) =>
  success({ canceled: await receipts.cancelByTag(params.get('token'), segment('tag')) }),
);

on(app, endpoints.cancel, async ({ params, segment }) => {
  const { receipt } = await receipts.ofApp(params.get('token'), segment('receipt'));
  await receipts.cancel(receipt);
  return success();
});

on(app, endpoints.acknowledge, async ({ http, params, fields, segment }) => {
  const session = await findSession(directory, secretOf(http, params));
  const { device_id: id } = fields();
  const device = id === undefined ? '' : sessionDevice(session, id).name;
  const receipt = await receipts.acknowledge(segment('receipt'), session.user, device);
  await queueCallback(receipt, callbacks, receipts, Date.now);
  return success();
});

export const handler = serve(app);
