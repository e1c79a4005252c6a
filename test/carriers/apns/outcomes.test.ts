import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Verdict, verdict } from '../../../lib/carriers/apns/outcomes.ts';

const NOW = 1_795_000_000_000;
const later = { kind: 'failed' } as const;
const refuse = { kind: 'refused', retire: false } as const;
const fault = { kind: 'fault' } as const;
const stub = { kind: 'stub' } as const;

interface Row {
  reason?: string;
  status: number;
  more?: object;
  headers?: Record<string, string>;
  raw?: string;
  expect: Partial<Verdict>;
  /** If the request carried only the stub; default the same. */
  stub?: Partial<Verdict>;
}

const rows: Row[] = [
  { status: 200, raw: '', expect: { kind: 'accepted' } },
  ...[
    'BadCollapseId',
    'BadExpirationDate',
    'BadMessageId',
    'BadPriority',
    'DuplicateHeaders',
    'InvalidPushType',
    'MissingDeviceToken',
    'PayloadEmpty',
  ].map((reason) => ({ reason, status: 400, expect: refuse })),
  ...['BadTopic', 'DeviceTokenNotForTopic', 'MissingTopic', 'TopicDisallowed'].map((reason) => ({
    reason,
    status: 400,
    expect: fault,
  })),
  ...[
    'BadCertificate',
    'BadCertificateEnvironment',
    'BadEnvironmentKeyIdInToken',
    'BadEnvironmentKeyInToken',
    'Forbidden',
    'InvalidProviderToken',
    'MissingProviderToken',
    'UnrelatedKeyIdInToken',
  ].map((reason) => ({ reason, status: 403, expect: fault })),
  { reason: 'BadDeviceToken', status: 400, expect: { kind: 'other-environment' } },
  { reason: 'IdleTimeout', status: 400, expect: later },
  { reason: 'ExpiredProviderToken', status: 403, expect: { kind: 'fresh-token' } },
  { reason: 'BadPath', status: 404, expect: refuse },
  { reason: 'MethodNotAllowed', status: 405, expect: refuse },
  {
    reason: 'Unregistered',
    status: 410,
    more: { timestamp: 1_790_000_000_999 },
    expect: { kind: 'refused', retire: true, deadSince: 1_790_000_000 },
  },
  {
    reason: 'ExpiredToken',
    status: 410,
    more: { timestamp: 1_790_000_000_000 },
    expect: { kind: 'refused', retire: true, deadSince: 1_790_000_000 },
  },
  { reason: 'Unregistered', status: 410, expect: { kind: 'refused', retire: true } },
  { reason: 'PayloadTooLarge', status: 413, expect: stub, stub: refuse },
  { reason: 'TooManyRequests', status: 429, expect: { kind: 'failed', retryAfter: 60 } },
  {
    reason: 'TooManyRequests',
    status: 429,
    headers: { 'retry-after': '300' },
    expect: { kind: 'failed', retryAfter: 300 },
  },
  { reason: 'TooManyProviderTokenUpdates', status: 429, expect: { kind: 'failed', retryAfter: 1200 } },
  { reason: 'InternalServerError', status: 500, expect: later },
  { reason: 'ServiceUnavailable', status: 503, expect: later },
  { reason: 'Shutdown', status: 503, expect: later },
  {
    reason: 'ServiceUnavailable',
    status: 503,
    headers: { 'retry-after': '9' },
    expect: { kind: 'failed', retryAfter: 9 },
  },
  { reason: 'ReasonOfTomorrow', status: 400, expect: refuse },
  { reason: 'ReasonOfTomorrow', status: 403, expect: fault },
  { status: 410, raw: '', expect: { kind: 'refused', retire: true } },
  { status: 413, raw: '<html>', expect: stub, stub: refuse },
  { status: 429, raw: 'null', expect: { kind: 'failed', retryAfter: 60 } },
  { status: 502, raw: '<html>', expect: later },
];

describe("APNs' answers", () => {
  for (const row of rows) {
    const said = [row.status, row.reason ?? (row.raw ? `with body ${row.raw}` : 'without a body')];
    const extra = row.headers ? ' with Retry-After' : row.more ? ' with a timestamp' : '';
    it(`${said.join(' ')}${extra} is ${row.expect.kind}`, () => {
      const body = row.raw ?? JSON.stringify({ reason: row.reason, ...row.more });
      const answer = { status: row.status, headers: row.headers ?? {}, body };

      const sealed = verdict(answer, true, NOW);
      const bare = verdict(answer, false, NOW);

      assert.partialDeepStrictEqual(sealed, row.expect);
      assert.partialDeepStrictEqual(bare, row.stub ?? row.expect);
      if (row.expect === later) assert.equal('retryAfter' in sealed, false);
      if (row.status === 410 && !row.more) assert.equal('deadSince' in sealed, false);
    });
  }
});
