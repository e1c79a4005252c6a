import { INLINE_BYTES } from '../../lib/attachments/given.ts';
import { DEFAULT_LIMITS } from '../../lib/http/limits.ts';
import { ENCRYPTED_SENDING, SENDING, SENT } from '../../lib/messages/fields.ts';
import { LIMITS_HEADERS } from '../../lib/messages/limits.ts';
import { endpoint } from '../endpoint.ts';

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
