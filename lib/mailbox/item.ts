import { isNewer, kind, newest, unchanged, versioned } from '../storage/schema.ts';

const MESSAGE = kind('message', unchanged);

/** A message of a device, named. */
export interface MessageRef {
  device: string;
  id: number;
}

/** A message in a device's mailbox. */
export interface StoredMessage {
  device: string;
  /** Message id on this device. */
  id: number;
  /** Id of the message across all its recipients. */
  umid: number;
  /** Account that owns the device. */
  user: string;
  /** −2 … 2; outside the sealed part, because carriers need it. */
  priority: number;
  /** When the message stops existing. Unix seconds; DynamoDB's TTL attribute. */
  expiresAt: number;
  /** Random id of the request that stored it: makes storing repeatable. */
  request: string;
  /** `sealed`: `body` is a sealed box. `plain`: `body` is the envelope's JSON, for a device without a key. */
  kind: 'plain' | 'sealed';
  body: Uint8Array;
  /** Id of its attachment. Outside the seal: it is what lets the device fetch it. */
  attachment?: string;
}

/** The DynamoDB item of a message. */
export function itemOf(message: StoredMessage): Record<string, unknown> {
  return versioned(MESSAGE, {
    pk: message.device,
    sk: message.id,
    umid: message.umid,
    user: message.user,
    priority: message.priority,
    ttl: message.expiresAt,
    request: message.request,
    [message.kind]: message.body,
    ...(message.attachment !== undefined && { attachment: message.attachment }),
  });
}

/** Whether a message was stored by later code: it stays where it is until that runs again. */
export function isUnreadable(item: Record<string, unknown>): boolean {
  return isNewer(MESSAGE, item);
}

/** The message of a DynamoDB item. @throws NewerItem */
export function messageOf(stored: Record<string, unknown>): StoredMessage {
  const item = newest(MESSAGE, stored);
  const kind = item.sealed === undefined ? 'plain' : 'sealed';
  return {
    device: item.pk as string,
    id: item.sk as number,
    umid: item.umid as number,
    user: item.user as string,
    priority: item.priority as number,
    expiresAt: item.ttl as number,
    request: item.request as string,
    kind,
    body: item[kind] as Uint8Array,
    ...(item.attachment !== undefined && { attachment: item.attachment as string }),
  };
}
