/** Firebase Cloud Messaging's HTTP v1 API as far as a sender can tell (Firebase, "FCM REST API v1"). */

import { randomUUID } from 'node:crypto';
import type { Asked } from './asked.ts';
import { readMessage, type Violation } from './fcm-request.ts';
import type { Notes } from './notes.ts';
import type { Oauth } from './oauth.ts';
import type { Behaviour, Decision } from './respond.ts';

const FCM_ERROR = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest';
const QUOTA_FAILURE = 'type.googleapis.com/google.rpc.QuotaFailure';
const JSON_TYPE = { 'content-type': 'application/json; charset=UTF-8' };
const MINUTE = 60_000;

/** google.rpc status and HTTP status of FcmError codes. */
const FCM_CODES: Record<string, string> = {
  UNREGISTERED: 'NOT_FOUND',
  SENDER_ID_MISMATCH: 'PERMISSION_DENIED',
  THIRD_PARTY_AUTH_ERROR: 'UNAUTHENTICATED',
  INVALID_ARGUMENT: 'INVALID_ARGUMENT',
  QUOTA_EXCEEDED: 'RESOURCE_EXHAUSTED',
  INTERNAL: 'INTERNAL',
  UNAVAILABLE: 'UNAVAILABLE',
  UNSPECIFIED_ERROR: 'UNKNOWN',
};

export interface FcmOptions {
  projectId: string;
  /** Messages a minute to one target. Real: 240. */
  perTargetMinute: number;
  /** Messages a minute in all. Real: 600,000. */
  perProjectMinute: number;
  /** Wall clock in milliseconds. */
  now: () => number;
}

export class Fcm implements Behaviour {
  readonly carrier = 'fcm';
  readonly #options: FcmOptions;
  readonly #oauth: Oauth;
  readonly #notes: Notes;
  #minute = 0;
  #sent = new Map<string, number>();
  #sentInAll = 0;

  constructor(options: FcmOptions, oauth: Oauth, notes: Notes) {
    this.#options = options;
    this.#oauth = oauth;
    this.#notes = notes;
  }

  targetOf(asked: Asked): string {
    const found = /"(?:token|fid|topic|condition)"\s*:\s*"([^"]*)"/.exec(asked.body.toString());
    return found?.[1] ?? '';
  }

  errorBody(status: number, reason: string): string {
    const rpc = FCM_CODES[reason];
    const details = rpc ? [{ '@type': FCM_ERROR, errorCode: reason }] : [];
    return errorJson(status, rpc ?? reason, `${reason} as ordered`, details);
  }

  decide(asked: Asked): Decision {
    if (asked.method !== 'POST') return refusal(404, 'NOT_FOUND', 'no such method');
    const project = /^\/v1\/projects\/([^/]+)\/messages:send$/.exec(asked.path)?.[1];
    if (project === undefined) return refusal(404, 'NOT_FOUND', 'no such method');

    const token = /^Bearer (\S+)$/i.exec(asked.headers.authorization ?? '')?.[1];
    if (!token || !this.#oauth.accepts(token)) {
      return refusal(401, 'UNAUTHENTICATED', 'the request had no valid OAuth 2 access token');
    }
    if (decodeURIComponent(project) !== this.#options.projectId) {
      return refusal(403, 'PERMISSION_DENIED', `no permission on project ${project}`);
    }

    const read = readMessage(asked.body);
    if ('fcm' in read) return invalid(read);
    const unreachable = read.broadcast ? undefined : this.#checkTarget(read.target);
    if (unreachable) return unreachable;
    if (read.validateOnly) return taken(this.#options.projectId, 'fake_message_id');
    const refused = this.#count(read.target);
    if (refused) return refused;
    return {
      ...taken(this.#options.projectId, randomUUID()),
      accepted: {
        carrier: 'fcm',
        target: read.target,
        headers: asked.headers,
        payload: read.message,
        time: this.#options.now(),
      },
    };
  }

  #checkTarget(target: string): Decision | undefined {
    const note = this.#notes.get('fcm', target);
    if (note?.deadSince !== undefined || !this.#notes.isKnown('fcm', target)) {
      return fcmRefusal(404, 'UNREGISTERED', 'Requested entity was not found.');
    }
    if (note?.owner !== undefined && note.owner !== this.#options.projectId) {
      return fcmRefusal(403, 'SENDER_ID_MISMATCH', 'SenderId mismatch');
    }
    return undefined;
  }

  /** Counts by the calendar minute; what is refused does not count. */
  #count(target: string): Decision | undefined {
    const now = this.#options.now();
    const minute = Math.floor(now / MINUTE);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#sent = new Map();
      this.#sentInAll = 0;
    }
    const sent = this.#sent.get(target) ?? 0;
    if (sent >= this.#options.perTargetMinute || this.#sentInAll >= this.#options.perProjectMinute) {
      const wait = Math.ceil(((minute + 1) * MINUTE - now) / 1000);
      const details = [
        { '@type': QUOTA_FAILURE, violations: [{ subject: target, description: 'messages a minute' }] },
      ];
      return fcmRefusal(429, 'QUOTA_EXCEEDED', 'Quota exceeded.', details, { 'retry-after': String(wait) });
    }
    this.#sent.set(target, sent + 1);
    this.#sentInAll++;
    return undefined;
  }
}

function taken(project: string, message: string) {
  const name = `projects/${project}/messages/${message}`;
  return { status: 200, headers: JSON_TYPE, body: JSON.stringify({ name }) };
}

function invalid(violation: Violation): Decision {
  const { field, message } = violation;
  const bad =
    field === undefined ? [] : [{ '@type': BAD_REQUEST, fieldViolations: [{ field, description: message }] }];
  if (violation.fcm) return fcmRefusal(400, 'INVALID_ARGUMENT', message, bad);
  return refusal(400, 'INVALID_ARGUMENT', message, bad);
}

function fcmRefusal(
  status: number,
  code: string,
  message: string,
  details: object[] = [],
  headers: Record<string, string> = {},
): Decision {
  const all = [...details, { '@type': FCM_ERROR, errorCode: code }];
  return { ...refusal(status, FCM_CODES[code] ?? code, message, all, headers), reason: code };
}

function refusal(
  status: number,
  rpc: string,
  message: string,
  details: object[] = [],
  headers: Record<string, string> = {},
): Decision {
  return {
    status,
    headers: { ...JSON_TYPE, ...headers },
    body: errorJson(status, rpc, message, details),
    reason: rpc,
  };
}

/** google.rpc.Status as Google's APIs put it into JSON. */
function errorJson(code: number, status: string, message: string, details: object[]): string {
  return JSON.stringify({
    error: { code, message, status, ...(details.length > 0 ? { details } : {}) },
  });
}
