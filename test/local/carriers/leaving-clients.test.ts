/**
 * The kind of fault: a client that goes away at a bad moment, and a stand-in that ends the whole process for it, by an
 * error event that nobody listens to or by an exception in a callback. Either fails this file.
 */
import assert from 'node:assert/strict';
import { connect as connectHttp2, constants } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { after, before, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import { createFcm } from '../../../lib/carriers/fcm/fcm.ts';
import type { Fault, FaultRule } from '../../../local/carriers/index.ts';
import { push, type StandIns, startStandIns } from '../../carriers/stand-ins.ts';

const VISITS = 250;

const CARRIERS: Record<keyof StandIns['ports'], FaultRule['carrier']> = {
  fcm: 'fcm',
  oauth: 'oauth',
  production: 'apns',
  sandbox: 'apns',
  safari: 'webpush',
  firefox: 'webpush',
};

const fault = fc.constantFrom<Fault | undefined>(
  undefined,
  undefined,
  { kind: 'silence' },
  { kind: 'delay', ms: 2 },
  { kind: 'reset-before' },
  { kind: 'reset-after' },
  { kind: 'close' },
  { kind: 'goaway' },
  { kind: 'goaway-close' },
  { kind: 'slow-body', ms: 2 },
  { kind: 'stream-limit', streams: 1 },
  { kind: 'status', status: 503 },
);

const visits = fc.record({
  port: fc.constantFrom(...(Object.keys(CARRIERS) as (keyof StandIns['ports'])[])),
  fault,
  /** Whether each stream's request is whole. */
  streams: fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }),
  /** Whether the connection is reset with the first answer. */
  resets: fc.boolean(),
  /** Turns of the event loop until it leaves. */
  stays: fc.nat({ max: 7 }),
  leaves: fc.constantFrom('reset', 'cancel', 'destroy', 'half-close', 'close'),
});

type Visit = typeof visits extends fc.Arbitrary<infer V> ? V : never;

let standIns: StandIns;

before(async () => {
  standIns = await startStandIns();
});
after(() => standIns.close());

async function visit({ port, fault: wanted, streams, resets, stays, leaves }: Visit): Promise<void> {
  if (wanted) standIns.fail({ carrier: CARRIERS[port], times: 1, fault: wanted });
  const socket = connectTcp(standIns.ports[port], '127.0.0.1');
  const tls = connectTls({ socket, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
  const session = connectHttp2('https://stand-in.example', { createConnection: () => tls });
  for (const each of [socket, tls, session]) each.on('error', () => {});
  const opened = streams.map((whole) => {
    const stream = session.request({ ':method': 'POST', ':path': '/3/device/abab' });
    stream.on('error', () => {});
    stream.on('response', () => resets && socket.resetAndDestroy());
    stream.write('{"a":');
    if (whole) stream.end('1}');
    return stream;
  });
  for (let n = 0; n < stays; n++) await turn();
  const away = {
    reset: () => socket.resetAndDestroy(),
    cancel: () => {
      for (const stream of opened) stream.close(constants.NGHTTP2_CANCEL);
    },
    destroy: () => session.destroy(),
    'half-close': () => tls.end(),
    close: () => tls.destroy(),
  };
  away[leaves]();
  if (leaves !== 'cancel') return;
  // The rest of the way on a connection that is alive.
  for (let n = 0; n < stays; n++) await turn();
  socket.resetAndDestroy();
}

test('a stand-in outlives clients that go away whenever they like, and serves the next one', async () => {
  for (const each of fc.sample(visits, { numRuns: VISITS, seed: 7325 })) await visit(each);

  standIns.reset();
  const fcm = createFcm({ serviceAccount: standIns.credentials.serviceAccount });
  assert.equal((await fcm.send(push({ type: 'fcm', token: 'device-aaaa' }))).kind, 'accepted');
  await fcm.close();
});
