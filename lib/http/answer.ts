import { randomUUID } from 'node:crypto';
import type { Log } from '../log.ts';
import { Refusal } from '../refusal.ts';
import { BodyError } from './errors.ts';
import type { HttpAnswer } from './message.ts';

/** Headers of every answer, as Pushover's server gives them. */
export const COMMON = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Methods': 'POST, OPTIONS',
  'Access-Control-Allow-Headers':
    'X-Requested-With, X-Prototype-Version, Origin, Accept, Content-Type, X-CSRF-Token, X-Pushover-App, Authorization',
  'Access-Control-Max-Age': '1728000',
  'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
  'X-Content-Type-Options': 'nosniff',
};

/**
 * A request succeeded: status 1, a request id, and the fields. Never an `errors` key: some clients trip over it.
 *
 * @param request its id, where it has one already
 */
export function success(
  fields: object = {},
  headers: Record<string, string> = {},
  request: string = randomUUID(),
): HttpAnswer {
  return json(200, { ...fields, status: 1, request }, request, {
    'Cache-Control': 'max-age=0, private, must-revalidate',
    ...headers,
  });
}

/** How `errors` is shaped: a list of sentences, but an object of lists where Pushover does so (`devices.json`). */
export type ErrorStyle = 'byField' | 'list';

/** A request is refused: every parameter at fault as a key, and the sentences. */
export function failure(refusal: Refusal, style: ErrorStyle = 'list'): HttpAnswer {
  const request = randomUUID();
  const fields = Object.fromEntries(refusal.faults.map(({ field, reason }) => [field, reason]));
  const byField = Object.groupBy(refusal.faults, ({ field }) => field);
  const errors =
    style === 'list'
      ? refusal.sentences
      : Object.fromEntries(
          Object.entries(byField).map(([field, faults]) => [field, faults!.map(({ reason }) => reason)]),
        );
  const body = { ...fields, errors, status: 0, request };
  return json(refusal.status, body, request, { 'Cache-Control': 'no-cache', ...refusal.headers });
}

/**
 * What a handler threw, as an answer: a refusal as it says, anything else as a 500 that says nothing but an id, under
 * which the log has the rest. The sender may try again after five seconds (Pushover's rule for 5xx).
 */
export function thrown(error: unknown, route: string, log: Log, style: ErrorStyle = 'list'): HttpAnswer {
  if (error instanceof Refusal) return failure(error, style);
  if (error instanceof BodyError) {
    return failure(new Refusal({ field: error.field, reason: error.reason }, error.status), style);
  }
  const request = randomUUID();
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  log('error', 'request failed', { request, path: route, error: `${name}: ${message}`, stack });
  const errors = ['internal server error, please try again later'];
  return json(500, { errors, status: 0, request }, request, { 'Cache-Control': 'no-cache' });
}

/** Something to be read as it is, a page or a document: anybody may keep it for a few minutes. */
export function content(body: string, type: string, headers: Record<string, string> = {}): HttpAnswer {
  const all = { ...COMMON, 'Content-Type': type, 'Cache-Control': 'public, max-age=300', ...headers };
  return { status: 200, headers: all, body };
}

/** What the reader has is still what there is. */
export function notModified(etag: string): HttpAnswer {
  return { status: 304, headers: { ...COMMON, ETag: etag }, body: '' };
}

/** The answer to a browser that asks whether it may call us. */
export function preflight(): HttpAnswer {
  return { status: 204, headers: COMMON, body: '' };
}

function json(status: number, body: object, request: string, headers: Record<string, string>): HttpAnswer {
  const all = {
    ...COMMON,
    'Content-Type': 'application/json; charset=utf-8',
    'X-Request-Id': request,
    ...headers,
  };
  return { status, headers: all, body: JSON.stringify(body) };
}
