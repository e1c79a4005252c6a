/** Shapes that the carriers' stand-ins share. */

export const STAND_INS = ['fcm', 'apns', 'webpush'] as const;

export type StandIn = (typeof STAND_INS)[number];

/** One push that a stand-in accepted: what the device would get. */
export interface Received {
  carrier: StandIn;
  /** Registration token, installation id, APNs device token or Web Push endpoint. */
  target: string;
  headers: Record<string, string>;
  /** FCM: the request's `message`. APNs: the JSON payload. Web Push: the encrypted `body`, base64. */
  payload: Record<string, unknown>;
  /** Unix milliseconds. */
  time: number;
  /** APNs only. */
  environment?: 'sandbox' | 'production';
}

/** One request that a stand-in answered or dropped, accepted or not. */
export interface Handled {
  carrier: StandIn | 'oauth';
  /** Empty if the request was not far enough along to name one. */
  target: string;
  /** HTTP status; 0 for a request that a fault left without an answer. */
  status: number;
  /** APNs reason, google.rpc status or a push service's word, if it was refused; the fault's kind, if one struck. */
  reason?: string;
  /** Process-wide number of the connection it came on. */
  connection: number;
}

/** How a stand-in is told to fail. */
export type Fault =
  /** Answer this instead of looking at the request. `reason` makes the carrier's own error body. */
  | {
      kind: 'status';
      status: number;
      reason?: string;
      headers?: Record<string, string>;
      body?: string;
    }
  /** Handle the request as usual, later. */
  | { kind: 'delay'; ms: number }
  /** Never answer. */
  | { kind: 'silence' }
  /** Reset the stream without having taken the message. */
  | { kind: 'reset-before' }
  /** Take the message and reset the stream instead of answering. */
  | { kind: 'reset-after' }
  /** Drop the connection without having taken the message. */
  | { kind: 'close' }
  /** Announce GOAWAY, and handle this request and those in flight as usual. */
  | { kind: 'goaway' }
  /** Announce GOAWAY and drop the connection without having taken the message. */
  | { kind: 'goaway-close' }
  /** From now on allow this connection so many streams (SETTINGS_MAX_CONCURRENT_STREAMS), and handle the request as usual. */
  | { kind: 'stream-limit'; streams: number }
  /** Take the message and send the answer's body only after a while. */
  | { kind: 'slow-body'; ms: number };

/** A fault with what it strikes. */
export interface FaultRule {
  carrier: StandIn | 'oauth';
  /** Only requests for this token, installation id or endpoint; absent: all. */
  target?: string;
  /** How many requests it strikes; absent: all until the faults are cleared. */
  times?: number;
  fault: Fault;
}

/** What a stand-in knows of a target beyond what its requests say. */
export interface TargetNote {
  carrier: StandIn;
  target: string;
  /** The app was removed at this time (Unix milliseconds). */
  deadSince?: number;
  /** APNs: known only there; at the other host it is a BadDeviceToken. */
  environment?: 'sandbox' | 'production';
  /** APNs: the app it belongs to; FCM: the project; Web Push: the VAPID public key it was subscribed with. */
  owner?: string;
}
