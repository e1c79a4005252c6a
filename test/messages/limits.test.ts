import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextMonth } from '../../lib/messages/limits.ts';

for (const [now, then] of [
  ['2026-11-23T12:00:00Z', '2026-12-01T06:00:00Z'],
  ['2026-12-31T23:59:59Z', '2027-01-01T06:00:00Z'],
  ['2026-12-01T05:59:59Z', '2026-12-01T06:00:00Z'],
  ['2026-12-01T06:00:00Z', '2027-01-01T06:00:00Z'],
  ['2026-07-04T00:00:00Z', '2026-08-01T05:00:00Z'],
  // The clocks change on the 1st itself, after midnight.
  ['2026-10-31T12:00:00Z', '2026-11-01T05:00:00Z'],
] as const) {
  test(`the month of ${now} ends at midnight US Central, ${then}`, () => {
    assert.equal(nextMonth(Date.parse(now)), Date.parse(then) / 1000);
  });
}
