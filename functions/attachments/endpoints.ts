import * as v from 'valibot';
import { DEVICE, FETCH_ANSWER, MESSAGE_ID, UPLOAD_ANSWER } from '../../lib/attachments/parameters.ts';
import { endpoint, NOTHING } from '../endpoint.ts';

const segments = { id: MESSAGE_ID };
const NOT_THERE = { 404: 'No message with an attachment waits for this device under this id' };

export const upload = endpoint({
  method: 'POST',
  path: 'attachments',
  summary: 'Prepares the upload of an image that a message of this app will name',
  by: 'app',
  params: v.object({}),
  answer: UPLOAD_ANSWER,
});

export const fetch = endpoint({
  method: 'GET',
  path: 'messages/{id}/attachment',
  summary: 'Says where a device gets the attachment of a message that waits for it',
  by: 'session',
  segments,
  params: DEVICE,
  answer: FETCH_ANSWER,
  errors: { ...NOT_THERE, 410: 'The attachment is no longer there' },
});

export const downloaded = endpoint({
  method: 'POST',
  path: 'messages/{id}/attachment/downloaded',
  summary: 'Reports that a device has stored the attachment of a message',
  by: 'session',
  segments,
  params: DEVICE,
  answer: NOTHING,
  errors: NOT_THERE,
});
