import * as v from 'valibot';
import { CANCELED_ANSWER, RECEIPT_ANSWER, RECEIPT_KEY, STATE_ANSWER } from '../../lib/receipts/view.ts';
import { endpoint, NOTHING } from '../endpoint.ts';

const segments = { receipt: RECEIPT_KEY };

export const view = endpoint({
  method: 'GET',
  path: 'receipts/{receipt}',
  summary: 'Says what became of an emergency message',
  by: 'app',
  segments,
  params: v.object({}),
  answer: RECEIPT_ANSWER,
});

export const cancel = endpoint({
  method: 'POST',
  path: 'receipts/{receipt}/cancel',
  summary: 'Ends the repetitions of an emergency message',
  by: 'app',
  segments,
  params: v.object({}),
  answer: NOTHING,
});

export const cancelByTag = endpoint({
  method: 'POST',
  path: 'receipts/cancel_by_tag/{tag+}',
  summary: 'Ends the repetitions of all emergency messages that the app has sent with a tag',
  by: 'app',
  segments: { tag: v.pipe(v.string(), v.description('The tag, with anything in it, slashes as well')) },
  params: v.object({}),
  answer: CANCELED_ANSWER,
});

export const acknowledge = endpoint({
  method: 'POST',
  path: 'receipts/{receipt}/acknowledge',
  summary: 'Acknowledges an emergency message, for all its recipients',
  by: 'session',
  segments,
  params: v.object({
    device_id: v.exactOptional(
      v.pipe(v.string(), v.description('Id of the device, whose name the sender is told')),
    ),
  }),
  answer: NOTHING,
});

export const state = endpoint({
  method: 'GET',
  path: 'receipts/{receipt}/state',
  summary: 'Says a recipient whether an emergency message still asks to be acknowledged',
  by: 'session',
  segments,
  params: NOTHING,
  answer: STATE_ANSWER,
});
