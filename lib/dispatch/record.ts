import type { Device } from '../accounts/devices.ts';
import type { CarrierName } from '../carriers/carrier.ts';
import { kind, newest, unchanged } from '../storage/schema.ts';
import type { Place } from '../storage/succession.ts';

const RECORD = kind('dispatch record', unchanged);

/**
 * A record on a carrier's queue: which message goes to which devices. It names, it does not carry: the push Lambda
 * reads the message from the mailbox and the target from the directory, so that what was acknowledged, expired,
 * retired or registered anew in the meantime is respected, and a record stays small whatever the message.
 */
export interface DispatchRecord {
  v: 1;
  /** Id of the message across all its recipients, for the logs. */
  umid: number;
  /** Id that the sender was answered, for the logs. Records that were queued by an earlier release have none. */
  request?: string;
  /** When the message was accepted. Unix milliseconds; what the retry budget and the latency are counted from. */
  acceptedAt: number;
  /** When the message stops existing. Unix seconds. */
  expiresAt: number;
  /** −2 … 2. */
  priority: number;
  /** 0 for the first try. */
  attempt: number;
  /** Random name of this record: of several that try the same, one puts back what is left. */
  copy: string;
  /** Receipt of an emergency message, on which its delivery is noted. */
  receipt?: string;
  /** A repetition of an emergency message: its number, from 1, and when the next one takes over (Unix seconds). */
  again?: { n: number; until: number };
  /** `[user key, device id, message id on that device]`, at most `RECORD_DEVICES`. */
  to: Address[];
}

export type Address = [user: string, device: string, id: number];

/** Devices in one record: all of them are handed over side by side in one invocation. */
export const RECORD_DEVICES = 50;

/**
 * Where a record stands among those that try the same messages over one carrier. A redrive begins with a later time than
 * any try before it, since tries are seconds apart.
 */
export function placeOf({ acceptedAt, attempt, copy }: DispatchRecord): Place {
  return { turn: acceptedAt + attempt, copy };
}

/** A record for one carrier. */
export interface Routed {
  carrier: CarrierName;
  record: DispatchRecord;
}

/**
 * The carriers that reach a device: its push target's, and the socket, over which a desktop, a browser and an Open
 * Client are signalled while connected. With both, the signal reaches an open window first and the push a closed one;
 * neither knows of the other, and the device shows the message once, by its id. A phone without a push target syncs
 * when it is opened.
 */
export function carriersOf(device: Device): CarrierName[] {
  const socket = device.platform !== 'android' && device.platform !== 'ios';
  return [...(device.push ? [device.push.type] : []), ...(socket ? (['desktop'] as const) : [])];
}

/** Reads a record from a queue. @throws Error if it is not one; NewerItem: the queue keeps it for later code */
export function parseRecord(body: string): DispatchRecord {
  const record = newest(RECORD, JSON.parse(body));
  if (!Array.isArray(record.to)) throw new Error('not a dispatch record');
  return record as unknown as DispatchRecord;
}
