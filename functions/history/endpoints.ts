import * as v from 'valibot';
import { HISTORY, HISTORY_DEVICES, HISTORY_ID } from '../../lib/history/parameters.ts';
import { HISTORY_ANSWER, SENT_ANSWER, USAGE_ANSWER } from '../../lib/history/view.ts';
import { endpoint } from '../endpoint.ts';

export const list = endpoint({
  method: 'GET',
  path: 'history',
  summary: 'Lists what the account’s apps have sent, the newest first',
  description:
    'Of the last thirty days, 25 at a time: who was reached and when, never what was said. Of one app, a page may be short.',
  by: 'session',
  params: HISTORY,
  answer: HISTORY_ANSWER,
});

export const view = endpoint({
  method: 'GET',
  path: 'history/{message}',
  summary: 'Says what became of a message on each of its devices',
  by: 'session',
  segments: { message: HISTORY_ID },
  params: HISTORY_DEVICES,
  answer: SENT_ANSWER,
  errors: { 404: 'There is no such message, or another account sent it' },
});

export const usage = endpoint({
  method: 'GET',
  path: 'usage',
  summary: 'Says how many users the account’s messages have reached, day by day',
  by: 'session',
  params: v.object({}),
  answer: USAGE_ANSWER,
});
