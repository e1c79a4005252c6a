/** Apple Push Notification service as far as a sender can tell (Apple, "Sending notification requests to APNs"). */

import { randomUUID } from 'node:crypto';
import type { Asked } from './asked.ts';
import { isSignedBy, parseJwt } from './jwt.ts';
import type { Notes } from './notes.ts';
import type { Behaviour, Decision } from './respond.ts';

const HOUR = 3600;
const ALLOWED_SKEW = 60;
/** Apple counts how often the provider token changes over this time. Milliseconds. */
const UPDATE_SPAN = 20 * 60_000;
const MAX_BYTES = 4096;
const MAX_COLLAPSE_BYTES = 64;
/** A token that Apple has given to no device. */
const NOBODYS = /^0+$/;
const DEVICE_TOKEN = /^(?:[0-9a-f]{2}){32,100}$/i;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const TOPIC = /^[a-z0-9.-]{1,255}$/i;
const PUSH_TYPES = [
  'alert background location voip complication fileprovider mdm liveactivity pushtotalk controls widgets',
].flatMap((names) => names.split(' '));

/** HTTP status of each reason. */
const STATUS: Record<string, number> = {
  BadPath: 404,
  MethodNotAllowed: 405,
  ExpiredProviderToken: 403,
  InvalidProviderToken: 403,
  MissingProviderToken: 403,
  PayloadTooLarge: 413,
  TooManyProviderTokenUpdates: 429,
  ExpiredToken: 410,
  Unregistered: 410,
};

export interface ApnsOptions {
  keyId: string;
  teamId: string;
  /** SPKI PEM of the P-256 key. */
  publicKey: string;
  /** Apps of the team; absent: any. */
  topics?: readonly string[];
  environment: 'sandbox' | 'production';
  /** SETTINGS_MAX_CONCURRENT_STREAMS once a connection has authenticated; 1 until then. */
  maxStreams: number;
  /** Different provider tokens within 20 minutes that pass; default 2, the present one and the one before it. */
  maxTokens?: number;
  /** Wall clock in milliseconds. */
  now: () => number;
}

export class Apns implements Behaviour {
  readonly carrier = 'apns';
  readonly #options: ApnsOptions;
  readonly #notes: Notes;
  /** Provider token → when it was last used. */
  readonly #tokens = new Map<string, number>();
  /** Provider tokens whose signature is good → when issued: checking it for each request would be the bottleneck. */
  readonly #verified = new Map<string, number>();
  readonly #welcome = new Set<number>();

  constructor(options: ApnsOptions, notes: Notes) {
    this.#options = options;
    this.#notes = notes;
  }

  targetOf(asked: Asked): string {
    return /^\/3\/device\/(.*)$/.exec(asked.path)?.[1] ?? '';
  }

  errorBody(_status: number, reason: string): string {
    return JSON.stringify({
      reason,
      ...(STATUS[reason] === 410 ? { timestamp: this.#options.now() } : {}),
    });
  }

  decide(asked: Asked): Decision {
    const id = asked.headers['apns-id'] ?? randomUUID().toUpperCase();
    const refusal = (reason: string, more: object = {}): Decision => ({
      status: STATUS[reason] ?? 400,
      headers: { 'apns-id': UUID.test(id) ? id : randomUUID().toUpperCase() },
      body: JSON.stringify({ reason, ...more }),
      reason,
    });

    if (asked.method !== 'POST') return refusal('MethodNotAllowed');
    if (!asked.path.startsWith('/3/device/')) return refusal('BadPath');
    const unauthorized = this.#checkProviderToken(asked.headers.authorization);
    if (unauthorized) return refusal(unauthorized);
    if (!this.#welcome.has(asked.connection)) {
      this.#welcome.add(asked.connection);
      asked.allowStreams(this.#options.maxStreams);
    }

    const target = this.targetOf(asked);
    const wrong =
      this.#checkTopic(asked.headers['apns-topic']) ??
      this.#checkToken(target, asked.headers['apns-topic']) ??
      this.#checkHeaders(asked.headers);
    if (wrong) return refusal(wrong);

    if (asked.body.length === 0) return refusal('PayloadEmpty');
    if (asked.body.length > MAX_BYTES) return refusal('PayloadTooLarge');
    const payload = parsePayload(asked.body);
    if (!payload) return refusal('PayloadEmpty');

    const deadSince = this.#notes.get('apns', target)?.deadSince;
    if (deadSince !== undefined) return refusal('Unregistered', { timestamp: deadSince });
    return {
      status: 200,
      headers: { 'apns-id': id },
      body: '',
      accepted: {
        carrier: 'apns',
        target,
        headers: asked.headers,
        payload,
        time: this.#options.now(),
        environment: this.#options.environment,
      },
    };
  }

  #checkProviderToken(authorization: string | undefined): string | undefined {
    const text = /^bearer (\S+)$/i.exec(authorization ?? '')?.[1];
    if (!text) return 'MissingProviderToken';

    const now = this.#options.now();
    const issued = this.#verified.get(text) ?? this.#verify(text);
    if (issued === undefined) return 'InvalidProviderToken';
    this.#verified.set(text, issued);
    if (issued > now / 1000 + ALLOWED_SKEW) return 'InvalidProviderToken';
    if (issued < now / 1000 - HOUR) return 'ExpiredProviderToken';

    for (const [token, usedAt] of this.#tokens) {
      if (usedAt <= now - UPDATE_SPAN) this.#tokens.delete(token);
    }
    if (!this.#tokens.has(text) && this.#tokens.size >= (this.#options.maxTokens ?? 2))
      return 'TooManyProviderTokenUpdates';
    this.#tokens.set(text, now);
    return undefined;
  }

  /** When a good provider token was issued, Unix seconds. */
  #verify(text: string): number | undefined {
    const jwt = parseJwt(text);
    if (!jwt || jwt.header.kid !== this.#options.keyId || jwt.claims.iss !== this.#options.teamId)
      return undefined;
    if (!Number.isInteger(jwt.claims.iat) || !isSignedBy(jwt, 'ES256', this.#options.publicKey))
      return undefined;
    return Number(jwt.claims.iat);
  }

  #checkTopic(topic: string | undefined): string | undefined {
    if (!topic) return 'MissingTopic';
    if (!TOPIC.test(topic)) return 'BadTopic';
    return this.#options.topics && !this.#options.topics.includes(topic) ? 'TopicDisallowed' : undefined;
  }

  #checkToken(target: string, topic: string | undefined): string | undefined {
    if (target === '') return 'MissingDeviceToken';
    const anybodys = DEVICE_TOKEN.test(target) && !NOBODYS.test(target);
    if (!anybodys || !this.#notes.isKnown('apns', target)) return 'BadDeviceToken';

    const note = this.#notes.get('apns', target);
    if (note?.environment !== undefined && note.environment !== this.#options.environment)
      return 'BadDeviceToken';
    return note?.owner !== undefined && note.owner !== topic ? 'DeviceTokenNotForTopic' : undefined;
  }

  #checkHeaders(headers: Record<string, string>): string | undefined {
    const priority = headers['apns-priority'];
    const collapse = headers['apns-collapse-id'];
    if (!PUSH_TYPES.includes(headers['apns-push-type'] ?? 'alert')) return 'InvalidPushType';
    if (priority !== undefined && !['1', '5', '10'].includes(priority)) return 'BadPriority';
    if (!/^\d{1,12}$/.test(headers['apns-expiration'] ?? '0')) return 'BadExpirationDate';
    if (collapse !== undefined && Buffer.byteLength(collapse) > MAX_COLLAPSE_BYTES) return 'BadCollapseId';
    if (headers['apns-id'] !== undefined && !UUID.test(headers['apns-id'])) return 'BadMessageId';
    return undefined;
  }
}

function parsePayload(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    if (typeof value !== 'object' || value === null || !('aps' in value)) return undefined;
    return typeof value.aps === 'object' && value.aps !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    // Not JSON: as good as empty.
    return undefined;
  }
}
