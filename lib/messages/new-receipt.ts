import type { App } from '../accounts/apps.ts';
import { KEY_LENGTH } from '../accounts/keys.ts';
import { derivedCharacters } from '../protocol/characters.ts';
import { RECEIPT_SECONDS, type Receipt } from '../receipts/receipts.ts';
import type { Identity } from './claims.ts';
import type { EmergencyFields } from './emergency.ts';
import type { MessageFields } from './fields.ts';

/**
 * The key of an emergency's receipt: derived from the request, so that a repeat of the request answers the same. It is
 * no secret: asking for it takes the app's token, acknowledging it a recipient's session.
 */
function receiptKeyOf({ request }: Identity): string {
  return `r${derivedCharacters(`receipt ${request}`, KEY_LENGTH - 1)}`;
}

/** The receipt of an emergency message, as the answer has it. */
export function receiptIn({ emergency }: MessageFields, identity: Identity): { receipt?: string } {
  return emergency ? { receipt: receiptKeyOf(identity) } : {};
}

/** The receipt of an emergency message that is being accepted. */
export function newReceipt(
  { expire, callback, tags }: EmergencyFields,
  { id, owner }: App,
  identity: Identity,
): Receipt {
  const received = Math.floor(identity.receivedAt / 1000);
  return {
    receipt: receiptKeyOf(identity),
    app: { id, owner },
    expiresAt: received + expire,
    ...(callback !== undefined && { callback }),
    tags,
    ttl: received + RECEIPT_SECONDS,
  };
}
