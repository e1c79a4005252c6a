import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { messageIds } from '../../lib/mailbox/message-id.ts';

test('ids ascend whatever the clock does, and stay exact numbers', () => {
  const times = fc.array(fc.integer({ min: Date.UTC(2026, 5), max: Date.UTC(2095, 0) }), {
    minLength: 2,
    maxLength: 50,
  });

  fc.assert(
    fc.property(times, (clock) => {
      const next = messageIds(() => clock.shift() ?? Date.UTC(2026, 5));
      const ids = Array.from({ length: clock.length }, next);

      assert.ok(ids.every((id, n) => Number.isSafeInteger(id) && (n === 0 || id > ids[n - 1]!)));
    }),
  );
});

test('a later millisecond gives a higher id, whoever makes it', () => {
  const now = Date.UTC(2026, 10, 23);
  const [one, other] = [messageIds(() => now), messageIds(() => now + 1)];

  assert.ok(one() < other());
});

test('many ids of one millisecond are all different', () => {
  const next = messageIds(() => Date.UTC(2026, 10, 23));

  assert.equal(new Set(Array.from({ length: 10_000 }, next)).size, 10_000);
});
