import * as v from 'valibot';
import { checkFields, flag, optionalForm, optionalText, requiredText, sentence } from '../http/fields.ts';
import type { Params } from '../http/params.ts';
import { RECEIPT_KEY } from '../receipts/view.ts';
import { Refusal } from '../refusal.ts';
import { EMERGENCY, type EmergencyFields, emergencyFields } from './emergency.ts';
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
  /** Its text fields are ciphertext of the sender's; nobody but the account's devices can read them. */
  encrypted: boolean;
  /** Makes a repeat of the request harmless. */
  idempotencyKey?: string;
  /** There with priority 2, and only then. */
  emergency?: EmergencyFields;
}

/** Most user keys in one request (Pushover's rule). */
export const MAX_USERS = 50;

/** Pushover's limits in characters, a four-byte one counting as one. */
const LIMITS = { message: 1024, title: 250, url: 512, url_title: 100 };

/**
 * How long the ciphertext of a field may be (Pushover's E2EE, see `lib/device/e2ee.ts`) whose plain text is within its
 * limit: 5,632 for a message, 1,496 for a title, 2,904 for an address, 704 for its name. The plain text has up to four
 * bytes a character; where gzip can do nothing, it adds 18 bytes (RFC 1952 §2.3) and 5 a stored block (RFC 1951
 * §3.2.4), for which, with a file name that some put into the header, 64 are allowed; padding fills a block of 16, and
 * adds one where it is full; then come 16 bytes of IV and 32 of MAC, and base64 makes four characters of each three.
 */
function encryptedLimit(characters: number): number {
  const zipped = 4 * characters + 64;
  const padded = 16 * (Math.floor(zipped / 16) + 1);
  return 4 * Math.ceil((16 + padded + 32) / 3);
}

/** A year: the farthest that a sender's time to live reaches; the mailbox ends within 21 days anyway. */
const MAX_TTL = 31_536_000;

const number = (reason: string, least: number, most: number, about: string) =>
  v.exactOptional(v.pipe(wholeSeconds(reason, least), v.maxValue(most, reason), v.description(about)));

/** The parameters of a message, but for those of an emergency and `attachment`, which may be a file. */
export const MESSAGE = v.object({
  message: requiredText(LIMITS.message, 'The text'),
  title: optionalText(LIMITS.title, 'The title; without it, devices show the app’s name'),
  url: optionalText(LIMITS.url, 'An address to open'),
  url_title: optionalText(LIMITS.url_title, 'What the address is called; without it, the address'),
  device: v.exactOptional(
    v.pipe(
      v.string(),
      v.maxLength(2048, 'is too long (maximum is 2048 characters)'),
      v.description('Names of the devices that it is for, joined by commas; without it, all'),
    ),
  ),
  priority: v.pipe(
    v.optional(
      v.pipe(
        v.picklist(['-2', '-1', '0', '1', '2'], 'is invalid, can only be -2, -1, 0, 1, or 2'),
        v.transform(Number),
      ),
      '0',
    ),
    sentence('priority is invalid'),
    v.description('-2 no alert, -1 quiet, 0 normal, 1 high, 2 emergency: repeated until acknowledged'),
  ),
  sound: optionalForm(
    /^[A-Za-z0-9_-]{1,40}$/,
    'is invalid',
    'Name of the sound; without it, the device’s own',
  ),
  timestamp: number(
    'must be a Unix timestamp in seconds',
    0,
    253_402_300_799,
    'Unix seconds: the time to show, instead of that of receipt',
  ),
  idempotency_key: optionalForm(
    /^[\x20-\x7e]{1,64}$/,
    'must be 1 to 64 printable ASCII characters',
    'Makes repeating the request harmless: of two with the same key, one message comes',
  ),
  ttl: number('must be a positive number of seconds', 1, MAX_TTL, 'Seconds until devices delete it'),
  html: flag('1: the text has `b`, `i`, `u`, `font` and `a`. Not with monospace'),
  monospace: flag('1: shown in a monospaced face. Not with html'),
  encrypted: flag(
    '1: message, title, url and url_title are encrypted with the account’s E2EE key, and may be longer',
  ),
  attachment_base64: v.exactOptional(
    v.pipe(v.string(), v.description('An image in base64, in the place of the file `attachment`')),
  ),
  attachment_type: v.exactOptional(
    v.pipe(v.string(), v.description('What the image is said to be; its bytes tell what it is')),
  ),
});

/** The same with `encrypted`: what is counted is ciphertext. It is passed on unread. */
export const ENCRYPTED_MESSAGE = v.object({
  ...MESSAGE.entries,
  message: requiredText(encryptedLimit(LIMITS.message), 'The text, encrypted'),
  title: optionalText(encryptedLimit(LIMITS.title), 'The title, encrypted'),
  url: optionalText(encryptedLimit(LIMITS.url), 'An address to open, encrypted'),
  url_title: optionalText(encryptedLimit(LIMITS.url_title), 'What the address is called, encrypted'),
});

/** What `POST /1/messages.json` takes: whom it is for, the message, and what only priority 2 must or may have. */
export const SENDING = v.object({
  ...MESSAGE.entries,
  user: v.pipe(v.string(), v.description(`Key of the user or group; up to ${MAX_USERS}, joined by commas`)),
  ...v.partial(EMERGENCY).entries,
});

/** The same with `encrypted`. */
export const ENCRYPTED_SENDING = v.object({
  ...SENDING.entries,
  ...ENCRYPTED_MESSAGE.entries,
  encrypted: v.pipe(
    v.picklist(['1', 'true']),
    v.metadata({ flag: 'on' }),
    v.description('The fields are encrypted'),
  ),
});

/** What accepting a message answers. */
export const SENT = v.object({
  receipt: v.exactOptional(v.pipe(RECEIPT_KEY, v.description('With priority 2: key of the receipt, `r…`'))),
});

/**
 * Checks the fields of a message (Pushover's table of parameters). All faults are reported at once; unknown
 * parameters and those of other priorities are ignored, since senders send them always.
 *
 * @throws Refusal naming every parameter that is wrong
 */
export function messageFields(params: Params): MessageFields {
  const { faults, fields: checked } = checkFields(
    params,
    params.flag('encrypted') ? ENCRYPTED_MESSAGE : MESSAGE,
  );
  if (params.flag('html') && params.flag('monospace')) {
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
  if (!checked || faults.length > 0) throw new Refusal(faults);
  const {
    url_title: urlTitle,
    idempotency_key: idempotencyKey,
    device,
    attachment_base64: _base64,
    attachment_type: _type,
    ...fields
  } = checked;
  // An emergency stays until it is stored (Pushover's rule).
  if (emergency.fields) delete fields.ttl;
  return {
    ...fields,
    ...(urlTitle !== undefined && { urlTitle }),
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    ...(device !== undefined && { devices: device.split(',').map((name) => name.trim()) }),
    ...(emergency.fields && { emergency: emergency.fields }),
  };
}
