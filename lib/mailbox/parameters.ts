import * as v from 'valibot';
import { DEVICE_ID } from '../accounts/keys.ts';

/**
 * A message id in a parameter. One beyond 2^53 (a client's sentinel, a real Pushover id) is none of ours, and larger
 * than all of them.
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

/** Most ids in one acknowledgement: bounds what one request costs, and how long it takes. */
export const MAX_ACKNOWLEDGED = 500;

const NOT_IDS = 'must be message ids, joined by commas';

/** Ids from a text, with white space around them; duplicates collapse. */
const ids = v.pipe(
  v.optional(v.string(), ''),
  v.transform((text) => text.split(',').map((one) => one.trim())),
  v.transform((texts) => texts.filter((one) => one !== '')),
  v.minLength(1, 'cannot be blank'),
  v.maxLength(MAX_ACKNOWLEDGED, `are too many (maximum is ${MAX_ACKNOWLEDGED})`),
  v.everyItem((one) => /^\d{1,16}$/.test(one), NOT_IDS),
  v.transform((texts) => [...new Set(texts.map(Number))]),
  v.everyItem((id) => id > 0 && Number.isSafeInteger(id), NOT_IDS),
);

/** What an acknowledgement by ids takes. */
export const ACKNOWLEDGE = v.object({
  messages: v.pipe(
    ids,
    v.description(
      `Ids of messages that the device has stored, up to ${MAX_ACKNOWLEDGED}: joined by commas, or a list in JSON, of numbers or of texts`,
    ),
  ),
});

/** What an acknowledgement up to an id takes. */
export const ACKNOWLEDGE_UP_TO = v.object({
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
