import * as v from 'valibot';
import { PUSH_KEY } from '../../lib/carriers/webpush/credentials.ts';
import { endpoint } from '../endpoint.ts';

export const pushKey = endpoint({
  method: 'GET',
  path: 'push_key',
  summary: 'Gives the key that a browser subscribes to Web Push with',
  by: 'session',
  params: v.object({}),
  answer: PUSH_KEY,
  errors: { 404: 'Web Push is off: the operator has not put a key there' },
});
