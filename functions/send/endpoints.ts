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
  answer: SENT,
  headers: LIMITS_HEADERS,
  errors: { 503: 'A request with the same idempotency_key is under way: try again' },
  maxBytes: DEFAULT_LIMITS.bodyBytes,
});
