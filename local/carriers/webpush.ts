/**
 * Browsers' push services as far as a sender can tell (RFC 8030, 8291, 8292): Mozilla's and Apple's, which check the
 * same and differ in how they say what is wrong (Mozilla, "autopush-rs: Error Codes"; Apple, "Sending web push
 * notifications in web apps and browsers").
 */

import { randomUUID } from 'node:crypto';
import type { Asked } from './asked.ts';
import type { Notes } from './notes.ts';
import type { Behaviour, Decision } from './respond.ts';
import { readVapid } from './vapid.ts';
import { looksEncrypted } from './webpush-subscriber.ts';
import type { Waiting } from './webpush-waiting.ts';

const MAX_BYTES = 4096;
const URGENCIES = ['very-low', 'low', 'normal', 'high'];

type Complaint =
  | 'encryption'
  | 'gone'
  | 'method'
  | 'path'
  | 'size'
  | 'stranger'
  | 'topic'
  | 'ttl'
  | 'unknown'
  | 'urgency'
  | 'vapid-expired'
  | 'vapid-key'
  | 'vapid-token';

/** A push service of ours: where it is, and its words. */
export interface Service {
  origin: string;
  /** Beginning of an endpoint's path; what follows names the subscription. */
  prefix: string;
  words: Record<Complaint, [status: number, reason: string]>;
  errorBody(status: number, reason: string): string;
}

/** Reasons are Mozilla's error numbers. */
export const MOZILLA: Service = {
  origin: 'https://updates.push.services.mozilla.com',
  prefix: '/wpush/v2/',
  words: {
    encryption: [400, '110'],
    gone: [410, '106'],
    method: [405, '0'],
    path: [404, '102'],
    size: [413, '104'],
    stranger: [401, '109'],
    topic: [400, '113'],
    ttl: [400, '111'],
    unknown: [404, '102'],
    urgency: [400, '105'],
    'vapid-expired': [401, '109'],
    'vapid-key': [401, '109'],
    'vapid-token': [401, '109'],
  },
  errorBody: (code, reason) =>
    JSON.stringify({ code, errno: Number(reason) || 999, error: 'refused', message: 'see the error number' }),
};

export const APPLE: Service = {
  origin: 'https://web.push.apple.com',
  prefix: '/',
  words: {
    encryption: [400, 'BadWebPushRequest'],
    gone: [410, 'Unregistered'],
    method: [405, 'MethodNotAllowed'],
    path: [404, 'BadPath'],
    size: [413, 'PayloadTooLarge'],
    stranger: [403, 'VapidPkHashMismatch'],
    topic: [400, 'BadWebPushTopic'],
    ttl: [400, 'BadTtl'],
    unknown: [410, 'Unregistered'],
    urgency: [400, 'BadUrgency'],
    'vapid-expired': [403, 'ExpiredJwtToken'],
    'vapid-key': [403, 'BadVapidPublicKey'],
    'vapid-token': [403, 'BadJwtToken'],
  },
  errorBody: (_status, reason) => JSON.stringify({ reason }),
};

export class WebPush implements Behaviour {
  readonly carrier = 'webpush';
  readonly #service: Service;
  readonly #notes: Notes;
  readonly #waiting: Waiting;
  readonly #now: () => number;

  /** @param now wall clock in milliseconds */
  constructor(service: Service, notes: Notes, waiting: Waiting, now: () => number) {
    this.#service = service;
    this.#notes = notes;
    this.#waiting = waiting;
    this.#now = now;
  }

  /** The whole endpoint. */
  targetOf(asked: Asked): string {
    return `${this.#service.origin}${asked.path}`;
  }

  errorBody(status: number, reason: string): string {
    return this.#service.errorBody(status, reason);
  }

  decide(asked: Asked): Decision {
    const target = this.targetOf(asked);
    const wrong = this.#check(asked, target);
    if (wrong) {
      const [status, reason] = this.#service.words[wrong];
      return {
        status,
        headers: { 'content-type': 'application/json' },
        body: this.errorBody(status, reason),
        reason,
      };
    }

    const received = {
      carrier: 'webpush' as const,
      target,
      headers: asked.headers,
      payload: { body: asked.body.toString('base64') },
      time: this.#now(),
    };
    this.#waiting.add(received);
    return {
      status: 201,
      headers: { location: `${this.#service.origin}/m/${randomUUID()}`, ttl: asked.headers.ttl! },
      body: '',
      accepted: received,
    };
  }

  #check({ method, path, headers, body }: Asked, target: string): Complaint | undefined {
    const { prefix, origin } = this.#service;
    if (method !== 'POST') return 'method';
    if (!path.startsWith(prefix) || !/^[A-Za-z0-9_-]{20,}$/.test(path.slice(prefix.length))) return 'path';

    const vapid = readVapid(headers.authorization, origin, this.#now());
    if ('wrong' in vapid) return `vapid-${vapid.wrong}`;
    const note = this.#notes.get('webpush', target);
    if (note?.deadSince !== undefined) return 'gone';
    if (!this.#notes.isKnown('webpush', target)) return 'unknown';
    if (note?.owner !== undefined && note.owner !== vapid.key) return 'stranger';

    if (!/^\d{1,10}$/.test(headers.ttl ?? '')) return 'ttl';
    if (!URGENCIES.includes(headers.urgency ?? 'normal')) return 'urgency';
    if (!isTopic(headers.topic)) return 'topic';
    if (body.length > MAX_BYTES) return 'size';
    // Without a body it is a push without a message, which is nobody's business to encrypt.
    const encrypted = headers['content-encoding'] === 'aes128gcm' && looksEncrypted(body);
    return body.length === 0 || encrypted ? undefined : 'encryption';
  }
}

/** RFC 8030, section 5.4; Apple also wants base64url that decodes to a whole number of bytes. */
function isTopic(topic: string | undefined): boolean {
  return topic === undefined || (/^[A-Za-z0-9_-]{1,32}$/.test(topic) && topic.length % 4 !== 1);
}
