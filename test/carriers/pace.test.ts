import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Carrier, Outcome } from '../../lib/carriers/carrier.ts';
import { type Pace, paced } from '../../lib/carriers/pace.ts';

/** A carrier that accepts everything, kept at a pace, on a clock that the test moves. */
function pacedCarrier(pace: Pace) {
  const clock = { now: Date.UTC(2026, 10, 23) };
  const accepting: Carrier = { send: async () => ({ kind: 'accepted' }), close: async () => undefined };
  const carrier = paced(accepting, pace, () => clock.now);
  const send = (device: string): Promise<Outcome> =>
    carrier.send({ user: 'u', device, id: 1, priority: 0, expiresAt: 0 });
  return { clock, send };
}

test('holds back what comes faster than a second’s allowance, and lets it through later', async () => {
  const { clock, send } = pacedCarrier({ perSecond: 10, perDeviceMinute: 1000 });

  const burst = await Promise.all(Array.from({ length: 15 }, (_, n) => send(`device ${n}`)));
  clock.now += 500;
  const later = await Promise.all(Array.from({ length: 6 }, (_, n) => send(`device ${n}`)));

  assert.equal(burst.filter(({ kind }) => kind === 'accepted').length, 10);
  assert.deepEqual(burst.at(-1), { kind: 'failed', reason: 'held back for pace', retryAfter: 1 });
  assert.equal(later.filter(({ kind }) => kind === 'accepted').length, 5);
});

test('holds one device back until its minute is over, and no other', async () => {
  const { clock, send } = pacedCarrier({ perSecond: 1000, perDeviceMinute: 3 });
  clock.now += 20_000;

  const same = await Promise.all(Array.from({ length: 4 }, () => send('busy')));
  const other = await send('quiet');
  clock.now += 40_000;
  const next = await send('busy');

  assert.deepEqual(same.at(-1), { kind: 'failed', reason: 'held back for pace', retryAfter: 40 });
  assert.deepEqual([other.kind, next.kind], ['accepted', 'accepted']);
});
