import * as v from 'valibot';
import { DEVICE_ID } from '../accounts/keys.ts';

/**
 * A message id in a parameter. Ids beyond 2^53 (a client's sentinel, a real Pushover id) mean "everything".
 */
const id = v.pipe(
  v.string(),
  v.regex(/^\d{1,20}$/, 'is not a message id'),
  v.transform((text) => Math.min(Number(text), Number.MAX_SAFE_INTEGER)),
  v.minValue(0),
);

/** What a sync takes. */
export const SYNC = v.object({
  device_id: v.pipe(v.string(), v.description('Id of the device that asks')),
  after: v.pipe(
    v.optional(id, '0'),
    v.description('Only messages with a higher id: how a long list goes on'),
  ),
});

/** What an acknowledge takes. */
export const ACKNOWLEDGE = v.object({
  message: v.pipe(
    v.optional(v.string(), ''),
    v.nonEmpty('cannot be blank'),
    // One client ends its form with a line break.
    v.transform((text) => text.trim()),
    id,
    v.description('The highest id that the device has stored'),
  ),
});

/** The id of a device, as answers and paths have it. */
export const DEVICE_KEY = v.pipe(v.string(), v.regex(DEVICE_ID), v.description('Id of the device'));
