/**
 * What a carrier is: the thing that takes a message the last mile to a device (FCM, APNs, Web Push, a desktop socket).
 * A carrier is a folder here with a client, a payload and an outcome table; dispatch knows only this file.
 */

/** Where a device is reached. Stored with the device, changed by it, retired when the carrier says it is dead. */
export type PushTarget =
  | { type: 'fcm'; token: string }
  | { type: 'fcm'; fid: string }
  | {
      type: 'apns';
      token: string;
      topic: string;
      environment: 'sandbox' | 'production';
      /** Sound of its notifications: a file in the app's bundle. Absent: the system's. */
      sound?: string | undefined;
    }
  | { type: 'webpush'; endpoint: string; p256dh: string; auth: string };

/** The carriers: each has a folder here, and a queue and a Lambda of its own. */
export const CARRIERS = ['fcm', 'apns', 'webpush', 'desktop'] as const;

export type CarrierName = (typeof CARRIERS)[number];

/** One message for one device, ready to be handed to a carrier. */
export interface Push {
  /** Account that owns the device. */
  user: string;
  /** Device id. */
  device: string;
  /** Message id on this device, by which it knows a repeat; APNs and Web Push replace by it what still waits. */
  id: number;
  /** −2 … 2. */
  priority: number;
  /** When the message stops existing. Unix seconds. */
  expiresAt: number;
  /** Of a repetition of an emergency: when the next one takes over. Unix seconds. */
  until?: number;
  /** The sealed message; absent for a device without a key, which only ever gets the sync stub. */
  sealed?: Uint8Array;
  /** Where to. Absent for `desktop`, which looks up the device's connection by itself. */
  target?: PushTarget;
}

/** What a carrier answered, as far as dispatch needs to know. */
export type Outcome =
  /** The carrier has it: mark delivered. */
  | { kind: 'accepted' }
  /**
   * Never going to work for this message or target. With `retire`, the target is dead (since `deadSince`, Unix seconds,
   * if the carrier said). With `expected`, nothing is wrong: nobody is there, or the carrier is off.
   */
  | { kind: 'refused'; reason: string; retire: boolean; deadSince?: number; expected?: true }
  /**
   * Not now: try again by the queue, not before `retryAfter` seconds if the carrier said. `silent` names the host that
   * did not answer in time, if that is why: the fast lane leaves the push to the slow one then.
   */
  | { kind: 'failed'; reason: string; retryAfter?: number; silent?: string }
  /** The operator's credentials or configuration are wrong: alarm, keep target and message. */
  | { kind: 'fault'; reason: string };

/** A carrier's client. Never throws, and always settles within its own time limit. */
export interface Carrier {
  send(push: Push): Promise<Outcome>;
  /** Ends kept connections (tests and the end of a process). */
  close(): Promise<void>;
}
