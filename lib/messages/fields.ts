import * as v from 'valibot';
import { checkFields, optionalText, requiredText } from '../http/fields.ts';
import type { Params } from '../http/params.ts';
import { type Fault, Refusal } from '../refusal.ts';
import { type EmergencyFields, emergencyFields } from './emergency.ts';
import { wholeSeconds } from './seconds.ts';

/** A message as its sender gave it, checked. Absent means not given. */
export interface MessageFields {
  message: string;
  title?: string;
  url?: string;
  urlTitle?: string;
  /** Names of the devices it is for; absent: all. */
  devices?: string[];
  priority: number;
  sound?: string;
  /** Unix seconds, instead of the time of receipt. */
  timestamp?: number;
  /** Seconds from receipt. */
  ttl?: number;
  html: boolean;
  monospace: boolean;
  /** Makes a repeat of the request harmless. */
  idempotencyKey?: string;
  /** There with priority 2, and only then. */
  emergency?: EmergencyFields;
}

/** Most user keys in one request (Pushover's rule). */
export const MAX_USERS = 50;

/** Pushover's limits in characters, a four-byte one counting as one. */
const LIMITS = { message: 1024, title: 250, url: 512, url_title: 100 };

/** A year: the farthest that a sender's time to live reaches; the mailbox ends at 21 days anyway. */
const MAX_TTL = 31_536_000;

const BAD_PRIORITY: Fault = {
  field: 'priority',
  reason: 'is invalid, can only be -2, -1, 0, 1, or 2',
  sentence: 'priority is invalid',
};

const number = (reason: string, least: number, most: number) =>
  v.pipe(wholeSeconds(reason, least), v.maxValue(most, reason));

/** The parameters of a message, but for those of an emergency and `attachment`, which may be a file. */
export const MESSAGE = v.object({
  message: requiredText(LIMITS.message),
  title: optionalText(LIMITS.title),
  url: optionalText(LIMITS.url),
  url_title: optionalText(LIMITS.url_title),
  device: v.optional(v.pipe(v.string(), v.maxLength(2048, 'is too long (maximum is 2048 characters)'))),
  priority: v.optional(
    v.pipe(v.picklist(['-2', '-1', '0', '1', '2'], BAD_PRIORITY.reason), v.transform(Number)),
    '0',
  ),
  sound: v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,40}$/, 'is invalid'))),
  timestamp: v.optional(number('must be a Unix timestamp in seconds', 0, 253_402_300_799)),
  idempotency_key: v.optional(
    v.pipe(v.string(), v.regex(/^[\x20-\x7e]{1,64}$/, 'must be 1 to 64 printable ASCII characters')),
  ),
  ttl: v.optional(number('must be a positive number of seconds', 1, MAX_TTL)),
  attachment_base64: v.optional(v.string()),
  attachment_type: v.optional(v.string()),
});

/**
 * Checks the fields of a message (Pushover's table of parameters). All faults are reported at once; unknown
 * parameters and those of other priorities are ignored, since senders send them always.
 *
 * @throws Refusal naming every parameter that is wrong
 */
export function messageFields(params: Params): MessageFields {
  const checked = checkFields(params, MESSAGE);
  const faults = checked.faults.map((fault) => (fault.field === 'priority' ? BAD_PRIORITY : fault));
  const html = params.flag('html');
  const monospace = params.flag('monospace');
  if (html && monospace) {
    faults.push(
      {
        field: 'html',
        reason: 'cannot be set with monospace',
        sentence: 'html and monospace are mutually exclusive',
      },
      { field: 'monospace', reason: 'cannot be set with html', sentence: '' },
    );
  }
  const emergency = params.texts().priority === '2' ? emergencyFields(params) : { faults: [] };
  faults.push(...emergency.faults);
  if (!checked.fields || faults.length > 0) throw new Refusal(faults);
  const {
    url_title: urlTitle,
    idempotency_key: idempotencyKey,
    device,
    attachment_base64: _base64,
    attachment_type: _type,
    ...fields
  } = checked.fields;
  // An emergency stays until it is stored (Pushover's rule).
  if (emergency.fields) delete fields.ttl;
  return {
    ...withoutUndefined(fields),
    ...(urlTitle !== undefined && { urlTitle }),
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    ...(device !== undefined && { devices: device.split(',').map((name) => name.trim()) }),
    ...(emergency.fields && { emergency: emergency.fields }),
    html,
    monospace,
  } as MessageFields;
}

function withoutUndefined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
