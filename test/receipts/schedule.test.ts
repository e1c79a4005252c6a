import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dueAt, latestDue, repetitions, type Schedule, wakeAt } from '../../lib/receipts/schedule.ts';

/** Everything that can be sent: as `send` makes a schedule of it. */
const schedules = fc
  .record({
    acceptedAt: fc.integer({ min: 1_767_225_600_000, max: 1_967_225_600_000 }),
    retry: fc.integer({ min: 30, max: 20_000 }),
    expire: fc.integer({ min: 1, max: 10_800 }),
  })
  .map(
    ({ acceptedAt, retry, expire }): Schedule => ({
      acceptedAt,
      retry,
      expiresAt: Math.floor(acceptedAt / 1000) + expire,
    }),
  );

test('repetitions keep the sender’s pace from the acceptance on, without drift over three hours', () => {
  const schedule = { acceptedAt: 1_000_000_000_500, retry: 300, expiresAt: 1_000_010_800 };

  assert.equal(repetitions(schedule), 35);
  assert.equal(dueAt(schedule, 35), 1_000_000_000_500 + 35 * 300_000);
});

test('there are at most fifty', () => {
  assert.equal(repetitions({ acceptedAt: 0, retry: 30, expiresAt: 10_800 }), 50);
});

test('a repetition that would fall on the expiry is left out', () => {
  assert.equal(repetitions({ acceptedAt: 0, retry: 60, expiresAt: 120 }), 1);
  assert.equal(repetitions({ acceptedAt: 0, retry: 60, expiresAt: 60 }), 0);
});

test('whatever is sent: at most fifty, each on its time, none after the expiry, none left out', () => {
  fc.assert(
    fc.property(schedules, (schedule) => {
      const { acceptedAt, retry, expiresAt } = schedule;
      const count = repetitions(schedule);
      assert.ok(count >= 0 && count <= 50);
      for (let n = 1; n <= count; n++) {
        assert.equal(wakeAt(schedule, n), acceptedAt + n * retry * 1000);
        assert.ok(dueAt(schedule, n) < expiresAt * 1000);
      }
      if (count < 50) assert.ok(dueAt(schedule, count + 1) >= expiresAt * 1000);
      assert.equal(wakeAt(schedule, count + 1), expiresAt * 1000);
      assert.equal(wakeAt(schedule, count + 2), undefined);
    }),
  );
});

test('whenever a chain wakes, the latest repetition that is due is the one', () => {
  fc.assert(
    fc.property(schedules, fc.integer({ min: 0, max: 12_000_000 }), (schedule, passed) => {
      const now = schedule.acceptedAt + passed;
      const n = latestDue(schedule, now);
      assert.ok(n === 0 || dueAt(schedule, n) <= now);
      assert.ok(n === repetitions(schedule) || dueAt(schedule, n + 1) > now);
    }),
  );
});
