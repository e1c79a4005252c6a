/** `/1/history…` and `/1/usage`: what an account has sent, what became of it, and how much it was. */
import { DeviceRegistry } from '../../lib/accounts/device-registry.ts';
import { findSession } from '../../lib/accounts/sessions.ts';
import { type LookingContext, listSent, viewSent } from '../../lib/history/looking.ts';
import { historyIdOf } from '../../lib/history/parameters.ts';
import { HistoryReader } from '../../lib/history/reader.ts';
import { usageOf } from '../../lib/history/usage.ts';
import { success } from '../../lib/http/answer.ts';
import { Receipts } from '../../lib/receipts/receipts.ts';
import { on } from '../endpoint.ts';
import { limit, table } from '../environment.ts';
import { HttpApp, secretOf, serve } from '../http.ts';
import * as endpoints from './endpoints.ts';

const clock = Date.now;
const directory = table('DIRECTORY_TABLE');
const mailbox = table('MAILBOX_TABLE');
const quota = limit('QUOTA');
const context: LookingContext = {
  reader: new HistoryReader(mailbox, clock),
  mailbox,
  devices: new DeviceRegistry(directory, clock),
  receipts: new Receipts(directory, clock),
  clock,
};

const app = new HttpApp();

on(app, endpoints.list, async ({ http, params, fields }) => {
  const { user } = await findSession(directory, secretOf(http, params));
  const { after, app: of } = fields();
  const page = {
    ...(after !== undefined && { after: Number(after) }),
    ...(of !== undefined && { app: Number(of) }),
  };
  return success(await listSent(context, user, page));
});

on(app, endpoints.view, async ({ http, params, fields, segment }) => {
  const { user } = await findSession(directory, secretOf(http, params));
  const { after } = fields();
  const id = historyIdOf(segment('message'));
  return success(await viewSent(context, user, id, after === undefined ? undefined : Number(after)));
});

on(app, endpoints.usage, async ({ http, params }) => {
  const { user } = await findSession(directory, secretOf(http, params));
  return success(await usageOf(directory, user, clock(), quota));
});

export const handler = serve(app);
