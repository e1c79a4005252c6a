import { INLINE_BYTES } from '../../lib/attachments/given.ts';
import { DEFAULT_LIMITS } from '../../lib/http/limits.ts';
import { DEVICE_KEY } from '../../lib/mailbox/parameters.ts';
import { ENCRYPTED_SENDING, SENDING, SENT } from '../../lib/messages/fields.ts';
import { LIMITS_HEADERS } from '../../lib/messages/limits.ts';
import { endpoint, NOTHING } from '../endpoint.ts';

export const send = endpoint({
  method: 'POST',
  path: 'messages',
  summary: 'Sends a message',
  description: 'When this has answered, the message is stored for every device of its recipients.',
  by: 'app',
  params: SENDING,
  otherwise: ENCRYPTED_SENDING,
  files: {
    attachment: {
      description:
        'An image: PNG, JPEG, GIF, WebP or HEIC. As text, the id of an upload, which may be larger',
      maxBytes: INLINE_BYTES,
    },
  },
  answer: SENT,
  headers: LIMITS_HEADERS,
  errors: { 503: 'A request with the same idempotency_key is under way: try again' },
  maxBytes: DEFAULT_LIMITS.bodyBytes,
});

export const test = endpoint({
  method: 'POST',
  path: 'devices/{id}/test',
  summary: 'Sends a test message to one device',
  description:
    'It is Peal’s own, and goes the way that every message goes. It counts for the account’s quota.',
  by: 'session',
  segments: { id: DEVICE_KEY },
  params: NOTHING,
  answer: NOTHING,
  errors: { 429: 'There were too many: `Retry-After` says when there may be more' },
});
