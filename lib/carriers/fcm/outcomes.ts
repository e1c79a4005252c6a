/**
 * What FCM's answers mean to us (Firebase, "FCM error codes"; google.rpc.Code for answers of the front end).
 *
 * An answer is known by the FcmError code in its details if there is one, else by google.rpc's status, else by HTTP's.
 */

import type { Outcome } from '../carrier.ts';
import type { Answer } from '../http2/exchange.ts';
import { retryAfterSeconds } from '../retry-after.ts';

/** What to do with an answer: an outcome, or one more request of another kind. */
export type Verdict =
  | Outcome
  /** The access token was not accepted: repeat with a fresh one, once. */
  | { kind: 'fresh-token'; reason: string }
  /** This payload was not accepted: send the sync stub instead, once. */
  | { kind: 'stub'; reason: string };

/** Shortest wait after a quota was exceeded, in seconds: quotas are counted by the minute. */
export const QUOTA_WAIT_SECONDS = 60;

type Rule = 'retire' | 'fault' | 'fresh-token' | 'message' | 'quota' | 'later';

/** By FcmError code: what FCM itself said. */
const BY_FCM_ERROR: Record<string, Rule> = {
  /** 404: the app was uninstalled, or its token replaced. */
  UNREGISTERED: 'retire',
  /** 403: the token belongs to another Firebase project than our service account. */
  SENDER_ID_MISMATCH: 'fault',
  /** 401: the project lacks valid APNs or Web Push credentials for this target. */
  THIRD_PARTY_AUTH_ERROR: 'fault',
  /** 400: something in this message, unless the details say that it is the target. */
  INVALID_ARGUMENT: 'message',
  /** 429: project, device or topic quota. */
  QUOTA_EXCEEDED: 'quota',
  /** 500 and 503: Google's side. */
  INTERNAL: 'later',
  UNAVAILABLE: 'later',
  UNSPECIFIED_ERROR: 'later',
};

/** By google.rpc status, when FCM said nothing. */
const BY_STATUS: Record<string, Rule> = {
  INVALID_ARGUMENT: 'message',
  OUT_OF_RANGE: 'message',
  UNAUTHENTICATED: 'fresh-token',
  PERMISSION_DENIED: 'fresh-token',
  /** Without UNREGISTERED this is about the project: retiring every target for a wrong project id would be fatal. */
  NOT_FOUND: 'fault',
  FAILED_PRECONDITION: 'fault',
  UNIMPLEMENTED: 'fault',
  RESOURCE_EXHAUSTED: 'quota',
  ABORTED: 'later',
  CANCELLED: 'later',
  DEADLINE_EXCEEDED: 'later',
  INTERNAL: 'later',
  UNAVAILABLE: 'later',
  UNKNOWN: 'later',
};

/** By HTTP status, when the body says nothing. */
const BY_HTTP: Record<number, Rule> = {
  400: 'message',
  401: 'fresh-token',
  403: 'fresh-token',
  404: 'fault',
  408: 'later',
  413: 'message',
  429: 'quota',
};

interface ErrorBody {
  error?: {
    message?: unknown;
    status?: unknown;
    details?: { '@type'?: unknown; errorCode?: unknown; fieldViolations?: { field?: unknown }[] }[];
  };
}

/**
 * Reads an answer.
 *
 * @param answer FCM's, complete
 * @param sealed whether the request carried the sealed message, so that a stub could still be sent
 * @param now Unix milliseconds, for a Retry-After date
 */
export function verdict(answer: Answer, sealed: boolean, now: number): Verdict {
  if (answer.status >= 200 && answer.status < 300) return { kind: 'accepted' };

  const error = errorOf(answer.body);
  const details = Array.isArray(error?.details) ? error.details : [];
  const code = details.find((detail) => typeof detail?.errorCode === 'string')?.errorCode as
    | string
    | undefined;
  const status = typeof error?.status === 'string' ? error.status : undefined;
  const text = typeof error?.message === 'string' ? error.message : '';
  const reason =
    `FCM ${answer.status} ${code ?? status ?? ''}`.trimEnd() + (text ? `: ${text.slice(0, 200)}` : '');
  const retryAfter = retryAfterSeconds(answer.headers['retry-after'], now);

  const rule =
    (code === undefined ? undefined : BY_FCM_ERROR[code]) ??
    (status === undefined ? undefined : BY_STATUS[status]) ??
    BY_HTTP[answer.status] ??
    (answer.status >= 500 ? 'later' : 'fault');

  switch (rule) {
    case 'retire':
      return { kind: 'refused', reason, retire: true };
    case 'fault':
      return { kind: 'fault', reason };
    case 'fresh-token':
      return { kind: 'fresh-token', reason };
    case 'message':
      if (isAboutTarget(details, text)) return { kind: 'refused', reason, retire: true };
      return sealed ? { kind: 'stub', reason } : { kind: 'refused', reason, retire: false };
    case 'quota':
      return { kind: 'failed', reason, retryAfter: Math.max(retryAfter ?? 0, QUOTA_WAIT_SECONDS) };
    case 'later':
      return retryAfter === undefined ? { kind: 'failed', reason } : { kind: 'failed', reason, retryAfter };
  }
}

/**
 * INVALID_ARGUMENT says what is wrong by a field violation, or for a malformed token only by its text (the documented
 * example has an FcmError without any field). Anything less clear is not taken as the death of a target.
 */
function isAboutTarget(details: NonNullable<ErrorBody['error']>['details'], text: string): boolean {
  const fields = (details ?? []).flatMap((detail) =>
    Array.isArray(detail?.fieldViolations) ? detail.fieldViolations.map((violation) => violation?.field) : [],
  );
  if (fields.length > 0) return fields.every((field) => field === 'message.token' || field === 'message.fid');
  return /(registration token|installation id|fid) is not (a )?valid/i.test(text);
}

function errorOf(body: string): ErrorBody['error'] {
  try {
    const parsed: ErrorBody | null = JSON.parse(body);
    return parsed?.error;
  } catch {
    // Front ends answer HTML when they are overloaded; the HTTP status then speaks alone.
    return undefined;
  }
}
