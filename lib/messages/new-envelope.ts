import type { App } from '../accounts/apps.ts';
import { ENVELOPE_VERSION, type Envelope } from '../protocol/envelope.ts';
import type { Receipt } from '../receipts/receipts.ts';
import type { EmergencyFields } from './emergency.ts';
import type { MessageFields } from './fields.ts';

/** What the envelope of an emergency message says besides. */
export function asksOf(
  receipt: Receipt | undefined,
  emergency: EmergencyFields | undefined,
): Partial<Envelope> {
  if (!receipt || !emergency) return {};
  return { receipt: receipt.receipt, retry: emergency.retry, ack_until: receipt.expiresAt };
}

/** What the envelope of a message says; its id is the one that most devices get. */
export function envelopeOf(fields: MessageFields, app: App, umid: number, received: number): Envelope {
  const date = fields.timestamp ?? received;
  return {
    v: ENVELOPE_VERSION,
    id: umid,
    umid,
    app: app.name,
    aid: app.id,
    icon: app.icon,
    date,
    ...(date !== received && { received }),
    message: fields.message,
    ...(fields.title !== undefined && { title: fields.title }),
    ...(fields.url !== undefined && { url: fields.url }),
    ...(fields.urlTitle !== undefined && { url_title: fields.urlTitle }),
    priority: fields.priority,
    ...(fields.sound !== undefined && { sound: fields.sound }),
    ...(fields.html && { html: 1 as const }),
    ...(fields.monospace && { monospace: 1 as const }),
    ...(fields.encrypted && { encrypted: 1 as const }),
    ...(fields.ttl !== undefined && { expires: received + fields.ttl }),
  };
}
