import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Verdict, verdict } from '../../../lib/carriers/webpush/outcomes.ts';

const NOW = 1_795_000_000_000;
const later = { kind: 'failed' } as const;
const refuse = { kind: 'refused', retire: false } as const;
const retire = { kind: 'refused', retire: true } as const;
const fault = { kind: 'fault' } as const;
const stub = { kind: 'stub' } as const;
const apple = (reason: string) => JSON.stringify({ reason });
const mozilla = (errno: number) => JSON.stringify({ code: 400, errno, error: 'x', message: 'secret words' });

interface Row {
  status: number;
  body?: string;
  headers?: Record<string, string>;
  expect: Partial<Verdict>;
  /** If the request carried only the stub; default the same. */
  stub?: Partial<Verdict>;
  reason?: string;
}

const rows: Row[] = [
  ...[200, 201, 202, 204].map((status) => ({ status, expect: { kind: 'accepted' } as const })),
  { status: 404, body: mozilla(102), expect: retire, reason: 'push.example 404 errno 102' },
  { status: 410, body: apple('Unregistered'), expect: retire, reason: 'push.example 410 Unregistered' },
  { status: 410, expect: retire },
  { status: 413, body: mozilla(104), expect: stub, stub: refuse },
  { status: 429, expect: { kind: 'failed', retryAfter: 60 } },
  { status: 429, headers: { 'retry-after': '5' }, expect: { kind: 'failed', retryAfter: 60 } },
  { status: 429, headers: { 'retry-after': '300' }, expect: { kind: 'failed', retryAfter: 300 } },
  {
    status: 429,
    headers: { 'retry-after': new Date(NOW + 90_000).toUTCString() },
    expect: { kind: 'failed', retryAfter: 90 },
  },
  { status: 401, body: mozilla(109), expect: fault, reason: 'push.example 401 errno 109' },
  { status: 403, body: apple('BadJwtToken'), expect: fault, reason: 'push.example 403 BadJwtToken' },
  { status: 403, body: 'the credentials do not correspond', expect: fault, reason: 'push.example 403' },
  ...['BadJwtToken', 'BadVapidPublicKey', 'ExpiredJwtToken', 'VapidPkHashMismatch'].map((reason) => ({
    status: 400,
    body: apple(reason),
    expect: fault,
  })),
  { status: 400, body: apple('BadWebPushTopic'), expect: refuse },
  { status: 400, body: mozilla(110), expect: refuse },
  { status: 301, headers: { location: 'https://other.example/' }, expect: refuse },
  { status: 307, headers: { location: 'https://other.example/' }, expect: refuse },
  { status: 405, expect: refuse },
  { status: 408, expect: later },
  { status: 500, expect: later },
  { status: 502, body: '<html>', expect: later },
  { status: 503, headers: { 'retry-after': '9' }, expect: { kind: 'failed', retryAfter: 9 } },
  { status: 500, body: 'null', expect: later, reason: 'push.example 500' },
  { status: 500, body: apple('line\nbreak'), expect: later, reason: 'push.example 500' },
  { status: 500, body: apple('x'.repeat(41)), expect: later, reason: 'push.example 500' },
];

describe("push services' answers", () => {
  for (const row of rows) {
    const said = `${row.status} ${row.body ?? ''} ${Object.values(row.headers ?? {})}`.trim().slice(0, 60);
    it(`${JSON.stringify(said)} is ${row.expect.kind}`, () => {
      const answer = { status: row.status, headers: row.headers ?? {}, body: row.body ?? '' };

      const sealed = verdict('push.example', answer, true, NOW);
      const bare = verdict('push.example', answer, false, NOW);

      assert.partialDeepStrictEqual(sealed, row.expect);
      assert.partialDeepStrictEqual(bare, row.stub ?? row.expect);
      if (row.expect === later) assert.equal('retryAfter' in sealed, false);
      if (row.reason !== undefined) assert.equal('reason' in sealed && sealed.reason, row.reason);
    });
  }
});
