import * as v from 'valibot';
import { checkFields } from '../http/fields.ts';
import type { Params } from '../http/params.ts';
import { HTTP_PROTOCOLS, publicUrl } from '../net/public-address.ts';
import type { Fault } from '../refusal.ts';
import { wholeSeconds } from './seconds.ts';

/** What an emergency message (priority 2) has besides. */
export interface EmergencyFields {
  /** Seconds between repetitions. */
  retry: number;
  /** Seconds until it stops asking to be acknowledged. */
  expire: number;
  /** Who is told of the acknowledgement. */
  callback?: string;
  /** By which its receipts can be cancelled together. */
  tags: string[];
}

/** Pushover's bounds, seconds. */
const LEAST_RETRY = 30;
const MOST_EXPIRE = 10_800;
const MAX_CALLBACK = 512;
const MAX_TAGS = 10;
const MAX_TAG = 100;

const MISSING = 'must be supplied with priority=2';

/** The parameters that a message with priority 2 has besides. */
export const EMERGENCY = v.object({
  expire: v.pipe(
    v.optional(v.string(), ''),
    v.nonEmpty(MISSING),
    wholeSeconds('must be a positive number of seconds', 1),
    v.maxValue(MOST_EXPIRE, `must be at most ${MOST_EXPIRE} seconds`),
    v.description('With priority 2: seconds until it stops asking to be acknowledged'),
  ),
  retry: v.pipe(
    v.optional(v.string(), ''),
    v.nonEmpty(MISSING),
    wholeSeconds('must be a positive number of seconds', 0),
    v.minValue(LEAST_RETRY, `must be at least ${LEAST_RETRY} seconds`),
    v.description('With priority 2: seconds between repetitions'),
  ),
  callback: v.exactOptional(
    v.pipe(
      v.string(),
      v.maxLength(MAX_CALLBACK, `is too long (maximum is ${MAX_CALLBACK} characters)`),
      v.check((text) => publicUrl(text, HTTP_PROTOCOLS) !== undefined, 'must be a public http or https URL'),
      v.description('With priority 2: a public http or https URL, which is told of the acknowledgement'),
    ),
  ),
  tags: v.pipe(
    v.optional(v.string(), ''),
    v.transform((text) => [
      ...new Set(
        text
          .split(',')
          .map((tag) => tag.trim())
          .filter((tag) => tag !== ''),
      ),
    ]),
    v.maxLength(MAX_TAGS, `cannot be more than ${MAX_TAGS}`),
    v.everyItem((tag) => [...tag].length <= MAX_TAG, `are too long (maximum is ${MAX_TAG} characters each)`),
    v.description('With priority 2: tags by which receipts are cancelled together, joined by commas'),
  ),
});

/** Checks the parameters of an emergency message. All faults are reported at once. */
export function emergencyFields(params: Params): { faults: Fault[]; fields?: EmergencyFields } {
  return checkFields(params, EMERGENCY);
}
