import type { Device } from '../accounts/devices.ts';
import type { Session } from '../accounts/sessions.ts';
import type { Envelope } from '../protocol/envelope.ts';
import type { StoredMessage } from './item.ts';
import type { Page } from './mailbox.ts';

/**
 * The answer to a sync, as Pushover's Open Client API has it.
 *
 * @param asking receipts that still ask to be acknowledged
 */
export function syncAnswer(
  page: Page,
  session: Session,
  device: Device,
  asking: ReadonlySet<string> = new Set(),
): object {
  return {
    messages: page.messages.map((message) =>
      message.kind === 'sealed' ? sealed(message) : classic(message, asking),
    ),
    user: userOf(session),
    device: deviceOf(device),
    ...(page.more && { more: true }),
  };
}

/** A sealed message: nothing but its ids is outside the box. */
function sealed({ id, umid, body }: StoredMessage): object {
  return { ...ids(id, umid), sealed: Buffer.from(body).toString('base64') };
}

/** A message for a device without a key, in the classic fields. Empty ones are left out. */
function classic({ id, umid, body }: StoredMessage, asking: ReadonlySet<string>): object {
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

function ids(id: number, umid: number): object {
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
function userOf(session: Session): object {
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

function deviceOf(device: Device): object {
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
