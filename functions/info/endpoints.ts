import * as v from 'valibot';
import { LIMITS_ANSWER } from '../../lib/messages/limits.ts';
import { VALIDATED, VALIDATION } from '../../lib/messages/validated.ts';
import { endpoint } from '../endpoint.ts';

export const validate = endpoint({
  method: 'POST',
  path: 'users/validate',
  summary: 'Says whether a user or group key is good, and which active devices a user has',
  by: 'app',
  params: VALIDATION,
  answer: VALIDATED,
});

export const sounds = endpoint({
  method: 'GET',
  path: 'sounds',
  summary: 'Lists the sounds that a message may name: the built-in ones, and those of the app’s owner',
  by: 'app',
  params: v.object({}),
  answer: v.object({ sounds: v.record(v.string(), v.string()) }),
});

export const limits = endpoint({
  method: 'GET',
  path: 'apps/limits',
  summary: 'Says how many messages may be sent this month',
  by: 'app',
  params: v.object({}),
  answer: LIMITS_ANSWER,
});
