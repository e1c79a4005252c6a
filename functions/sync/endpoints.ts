import { ACKNOWLEDGE, DEVICE_KEY, SYNC } from '../../lib/mailbox/parameters.ts';
import { SYNC_ANSWER } from '../../lib/mailbox/sync-answer.ts';
import { endpoint, NOTHING } from '../endpoint.ts';

export const sync = endpoint({
  method: 'GET',
  path: 'messages',
  summary: 'Gives what waits for a device',
  by: 'session',
  params: SYNC,
  answer: SYNC_ANSWER,
});

export const acknowledge = endpoint({
  method: 'POST',
  path: 'devices/{id}/update_highest_message',
  summary: 'Deletes what the device has stored, up to an id',
  description: 'Of the messages up to that id, those are deleted that were given to the device.',
  by: 'session',
  segments: { id: DEVICE_KEY },
  params: ACKNOWLEDGE,
  answer: NOTHING,
});
