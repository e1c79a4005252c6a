import { ACKNOWLEDGE, ACKNOWLEDGE_UP_TO, DEVICE_KEY, SYNC } from '../../lib/mailbox/parameters.ts';
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

const segments = { id: DEVICE_KEY };

export const acknowledge = endpoint({
  method: 'POST',
  path: 'devices/{id}/acknowledge',
  summary: 'Deletes messages that the device has stored',
  description:
    'Exactly those that it names. Ids under which nothing waits are passed over: repeat it if in doubt.',
  by: 'session',
  segments,
  params: ACKNOWLEDGE,
  answer: NOTHING,
});

export const acknowledgeUpTo = endpoint({
  method: 'POST',
  path: 'devices/{id}/update_highest_message',
  summary: 'Deletes what the device has stored, up to an id, for a device without a key',
  description:
    'Of the messages up to that id, those that every answer had in which the device could have got it. ' +
    'A device with a key names what it has stored: `devices/{id}/acknowledge`.',
  by: 'session',
  segments,
  params: ACKNOWLEDGE_UP_TO,
  answer: NOTHING,
});
