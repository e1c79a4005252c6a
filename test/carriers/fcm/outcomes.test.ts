import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Verdict, verdict } from '../../../lib/carriers/fcm/outcomes.ts';

const NOW = 1_795_000_000_000;

interface Row {
  says: string;
  status: number;
  code?: string;
  rpc?: string;
  text?: string;
  field?: string;
  headers?: Record<string, string>;
  raw?: string;
  expect: Partial<Verdict>;
  /** If the request carried only the stub; default the same. */
  stub?: Partial<Verdict>;
}

const later = { kind: 'failed' } as const;
const quota = { kind: 'failed', retryAfter: 60 } as const;
const retire = { kind: 'refused', retire: true } as const;
const refuse = { kind: 'refused', retire: false } as const;
const fault = { kind: 'fault' } as const;
const fresh = { kind: 'fresh-token' } as const;
const stub = { kind: 'stub' } as const;

const rows: Row[] = [
  { says: 'success', status: 200, raw: '{"name":"projects/p/messages/1"}', expect: { kind: 'accepted' } },
  { says: 'UNREGISTERED', status: 404, rpc: 'NOT_FOUND', code: 'UNREGISTERED', expect: retire },
  { says: 'NOT_FOUND without UNREGISTERED', status: 404, rpc: 'NOT_FOUND', expect: fault },
  {
    says: 'SENDER_ID_MISMATCH',
    status: 403,
    rpc: 'PERMISSION_DENIED',
    code: 'SENDER_ID_MISMATCH',
    expect: fault,
  },
  { says: 'THIRD_PARTY_AUTH_ERROR', status: 401, code: 'THIRD_PARTY_AUTH_ERROR', expect: fault },
  { says: 'UNAUTHENTICATED', status: 401, rpc: 'UNAUTHENTICATED', expect: fresh },
  { says: 'PERMISSION_DENIED', status: 403, rpc: 'PERMISSION_DENIED', expect: fresh },
  { says: 'INVALID_ARGUMENT', status: 400, code: 'INVALID_ARGUMENT', expect: stub, stub: refuse },
  {
    says: 'INVALID_ARGUMENT about the data',
    status: 400,
    rpc: 'INVALID_ARGUMENT',
    field: 'message.data[0].value',
    expect: stub,
    stub: refuse,
  },
  {
    says: 'INVALID_ARGUMENT about a field, with a text that mentions tokens',
    status: 400,
    code: 'INVALID_ARGUMENT',
    field: 'message.android.ttl',
    text: 'the registration token is not valid',
    expect: stub,
    stub: refuse,
  },
  {
    says: 'INVALID_ARGUMENT for a malformed token',
    status: 400,
    code: 'INVALID_ARGUMENT',
    text: 'The registration token is not a valid FCM registration token',
    expect: retire,
  },
  {
    says: 'INVALID_ARGUMENT at message.token',
    status: 400,
    code: 'INVALID_ARGUMENT',
    field: 'message.token',
    expect: retire,
  },
  { says: 'INVALID_ARGUMENT at message.fid', status: 400, field: 'message.fid', expect: retire },
  { says: 'QUOTA_EXCEEDED', status: 429, code: 'QUOTA_EXCEEDED', expect: quota },
  { says: 'RESOURCE_EXHAUSTED', status: 429, rpc: 'RESOURCE_EXHAUSTED', expect: quota },
  {
    says: 'QUOTA_EXCEEDED with a long Retry-After',
    status: 429,
    code: 'QUOTA_EXCEEDED',
    headers: { 'retry-after': '120' },
    expect: { kind: 'failed', retryAfter: 120 },
  },
  {
    says: 'QUOTA_EXCEEDED with a short Retry-After',
    status: 429,
    code: 'QUOTA_EXCEEDED',
    headers: { 'retry-after': '3' },
    expect: quota,
  },
  { says: 'INTERNAL', status: 500, code: 'INTERNAL', expect: later },
  { says: 'UNAVAILABLE', status: 503, code: 'UNAVAILABLE', expect: later },
  {
    says: 'UNAVAILABLE with Retry-After in seconds',
    status: 503,
    code: 'UNAVAILABLE',
    headers: { 'retry-after': '7' },
    expect: { kind: 'failed', retryAfter: 7 },
  },
  {
    says: 'UNAVAILABLE with a Retry-After date',
    status: 503,
    code: 'UNAVAILABLE',
    headers: { 'retry-after': new Date(NOW + 30_000).toUTCString() },
    expect: { kind: 'failed', retryAfter: 30 },
  },
  { says: 'UNSPECIFIED_ERROR', status: 500, code: 'UNSPECIFIED_ERROR', expect: later },
  { says: 'DEADLINE_EXCEEDED', status: 504, rpc: 'DEADLINE_EXCEEDED', expect: later },
  { says: 'FAILED_PRECONDITION', status: 400, rpc: 'FAILED_PRECONDITION', expect: fault },
  { says: 'a code of tomorrow', status: 418, code: 'TEAPOT', rpc: 'TEAPOT', expect: fault },
  { says: '502 in HTML', status: 502, raw: '<html>', expect: later },
  { says: '429 without a body', status: 429, raw: '', expect: quota },
  { says: '401 without a body', status: 401, raw: '', expect: fresh },
  { says: '413 in HTML', status: 413, raw: '<html>', expect: stub, stub: refuse },
  { says: '404 in HTML', status: 404, raw: '<html>', expect: fault },
  { says: '408 without a body', status: 408, raw: '', expect: later },
  { says: 'JSON that is no object', status: 500, raw: 'null', expect: later },
  {
    says: 'details of another shape',
    status: 503,
    raw: '{"error":{"details":{"a":1},"status":7}}',
    expect: later,
  },
];

function body(row: Row): string {
  if (row.raw !== undefined) return row.raw;
  const details: object[] = [];
  if (row.field) {
    const fieldViolations = [{ field: row.field, description: 'wrong' }];
    details.push({ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations });
  }
  if (row.code) {
    details.push({ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode: row.code });
  }
  return JSON.stringify({
    error: { code: row.status, status: row.rpc, message: row.text ?? 'x', details },
  });
}

describe("FCM's answers", () => {
  for (const row of rows) {
    it(`${row.says} is ${row.expect.kind}`, () => {
      const answer = { status: row.status, headers: row.headers ?? {}, body: body(row) };

      const sealed = verdict(answer, true, NOW);
      const bare = verdict(answer, false, NOW);

      assert.partialDeepStrictEqual(sealed, row.expect);
      assert.partialDeepStrictEqual(bare, row.stub ?? row.expect);
      if (row.expect === later) assert.equal('retryAfter' in sealed, false);
    });
  }

  it('says what FCM said, in a reason of bounded length', () => {
    const error = { code: 400, status: 'INVALID_ARGUMENT', message: 'm'.repeat(5000) };

    const read = verdict({ status: 400, headers: {}, body: JSON.stringify({ error }) }, false, NOW);

    assert.ok('reason' in read && read.reason.startsWith('FCM 400 INVALID_ARGUMENT: mmm'));
    assert.ok('reason' in read && read.reason.length < 300);
  });
});
