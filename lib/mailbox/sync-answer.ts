import * as v from 'valibot';
import type { Device } from '../accounts/devices.ts';
import type { Session } from '../accounts/sessions.ts';
import { weightOf } from '../http/weight.ts';
import type { Envelope } from '../protocol/envelope.ts';
import type { StoredMessage } from './item.ts';
import type { Page } from './mailbox.ts';

const integer = v.pipe(v.number(), v.integer());
const bit = v.picklist([0, 1]);

/** Ids of a message: on this device, and across all its recipients. */
const IDS = {
  id: v.pipe(v.number(), v.integer(), v.description('By which the device knows and acknowledges it')),
  id_str: v.string(),
  umid: v.pipe(v.number(), v.integer(), v.description('The same for all recipients')),
  umid_str: v.string(),
};

const SEALED = v.object({
  ...IDS,
  sealed: v.pipe(
    v.string(),
    v.description('For a device with a key: the envelope in a libsodium sealed box, base64'),
  ),
});

const CLASSIC = v.object({
  ...IDS,
  message: v.string(),
  title: v.exactOptional(v.string()),
  app: v.string(),
  aid: integer,
  aid_str: v.string(),
  icon: v.string(),
  date: v.pipe(v.number(), v.integer(), v.description('Unix seconds: the time to show and to sort by')),
  queued_date: v.pipe(v.number(), v.integer(), v.description('Unix seconds: when it was received')),
  priority: v.pipe(v.number(), v.integer(), v.minValue(-2), v.maxValue(2)),
  acked: v.pipe(bit, v.description('0 as long as it asks to be acknowledged')),
  sound: v.exactOptional(v.string()),
  url: v.exactOptional(v.string()),
  url_title: v.exactOptional(v.string()),
  receipt: v.exactOptional(v.string()),
  html: v.exactOptional(v.literal(1)),
  monospace: v.exactOptional(v.literal(1)),
  encrypted: v.exactOptional(
    v.pipe(v.literal(1), v.description('The text fields are as their sender encrypted them')),
  ),
  expiration_date: v.exactOptional(
    v.pipe(v.number(), v.integer(), v.description('Unix seconds: when the device deletes it')),
  ),
  attachment: v.exactOptional(
    v.pipe(
      v.object({
        type: v.string(),
        size: v.pipe(v.number(), v.integer()),
      }),
      v.description('An image: its MIME type and its bytes. `messages/{id}/attachment` says where it is'),
    ),
  ),
});

/** What a sync answers: the messages, sealed for a device with a key and classic for one without. */
export const SYNC_ANSWER = v.object({
  messages: v.array(v.union([SEALED, CLASSIC])),
  user: v.object({
    quiet_hours: v.boolean(),
    is_android_licensed: v.boolean(),
    is_ios_licensed: v.boolean(),
    is_desktop_licensed: v.boolean(),
    email: v.string(),
    first_email_alias: v.string(),
    show_tipjar: v.string(),
    show_team_ad: v.string(),
  }),
  device: v.object({
    name: v.string(),
    encryption_enabled: v.pipe(v.boolean(), v.description('Whether it registered a key')),
    default_sound: v.string(),
    always_use_default_sound: v.boolean(),
    default_high_priority_sound: v.string(),
    always_use_default_high_priority_sound: v.boolean(),
    dismissal_sync_enabled: v.boolean(),
  }),
  more: v.exactOptional(v.pipe(v.literal(true), v.description('There is more, behind the last id'))),
});

type SyncAnswer = v.InferOutput<typeof SYNC_ANSWER>;

/**
 * The answer to a sync, as Pushover's Open Client API has it.
 *
 * @param asking receipts that still ask to be acknowledged
 */
export function syncAnswer(
  page: Page,
  session: Session,
  device: Device,
  asking: ReadonlySet<string> = NONE,
): SyncAnswer {
  return {
    messages: page.messages.map((message) => answerOf(message, asking)),
    user: userOf(session),
    device: deviceOf(device),
    ...(page.more && { more: true as const }),
  };
}

/** Bytes that a message takes in the answer. Whether it still asks to be acknowledged makes no difference. */
export function weightOfMessage(message: StoredMessage): number {
  return weightOf(answerOf(message, NONE)) + COMMA;
}

const NONE: ReadonlySet<string> = new Set();
const COMMA = 1;

function answerOf(message: StoredMessage, asking: ReadonlySet<string>): SyncAnswer['messages'][number] {
  return message.kind === 'sealed' ? sealed(message) : classic(message, asking);
}

/** A sealed message: nothing but its ids is outside the box. */
function sealed({ id, umid, body }: StoredMessage): v.InferOutput<typeof SEALED> {
  return { ...ids(id, umid), sealed: Buffer.from(body).toString('base64') };
}

/** A message for a device without a key, in the classic fields. Empty ones are left out. */
function classic(
  { id, umid, body }: StoredMessage,
  asking: ReadonlySet<string>,
): v.InferOutput<typeof CLASSIC> {
  const { v, app, aid, icon, date, received, expires, retry, ack_until, attachment, ...fields } =
    envelopeOf(body);
  return {
    ...fields,
    ...ids(id, umid),
    app,
    aid,
    aid_str: String(aid),
    icon,
    date,
    queued_date: received ?? date,
    // Open Clients ask their user as long as it is 0.
    acked: fields.receipt !== undefined && !asking.has(fields.receipt) ? 1 : 0,
    ...(expires !== undefined && { expiration_date: expires }),
    // Its key stays here: whoever may fetch it gets it opened.
    ...(attachment && { attachment: { type: attachment.type, size: attachment.size } }),
  };
}

function ids(id: number, umid: number) {
  return { id, id_str: String(id), umid, umid_str: String(umid) };
}

/** Receipts of the plain messages of a page: those whose answer says whether they were acknowledged. */
export function receiptsOf({ messages }: Page): string[] {
  return messages.flatMap(({ kind, priority, body }) => {
    const receipt = kind === 'plain' && priority === 2 ? envelopeOf(body).receipt : undefined;
    return receipt === undefined ? [] : [receipt];
  });
}

function envelopeOf(body: Uint8Array): Envelope {
  return JSON.parse(Buffer.from(body).toString('utf8')) as Envelope;
}

/** Nobody buys a licence here: every device is entitled to everything. */
function userOf(session: Session): SyncAnswer['user'] {
  return {
    quiet_hours: false,
    is_android_licensed: true,
    is_ios_licensed: true,
    is_desktop_licensed: true,
    email: session.email,
    first_email_alias: '',
    show_tipjar: '',
    show_team_ad: '',
  };
}

function deviceOf(device: Device): SyncAnswer['device'] {
  return {
    name: device.name,
    encryption_enabled: device.publicKey !== undefined,
    default_sound: 'po',
    always_use_default_sound: false,
    default_high_priority_sound: 'po',
    always_use_default_high_priority_sound: false,
    dismissal_sync_enabled: false,
  };
}
