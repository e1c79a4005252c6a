import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextDelay } from '../../lib/dispatch/retry.ts';

const NOW = Date.UTC(2026, 10, 23);
const record = { acceptedAt: NOW, attempt: 0, expiresAt: NOW / 1000 + 21 * 24 * 3600, priority: 0 };
const latest = () => 0.999_999;

test('waits longer with every try, with full jitter, and never over ten minutes', () => {
  const longest = Array.from({ length: 12 }, (_, attempt) =>
    nextDelay({ ...record, attempt }, 0, NOW, latest),
  );
  const shortest = nextDelay({ ...record, attempt: 8 }, 0, NOW, () => 0);

  assert.deepEqual(longest.slice(0, 5), [2, 4, 8, 16, 32]);
  assert.equal(longest.at(-1), 600);
  assert.equal(shortest, 0);
});

test('waits at least as long as the carrier asked, as far as SQS can', () => {
  assert.equal(
    nextDelay(record, 60, NOW, () => 0),
    60,
  );
  assert.equal(
    nextDelay(record, 1200, NOW, () => 0),
    900,
  );
});

test('gives up when the message would have expired', () => {
  const expiring = { ...record, expiresAt: NOW / 1000 + 30 };

  assert.equal(nextDelay(expiring, 29, NOW), 29);
  assert.equal(nextDelay(expiring, 30, NOW), undefined);
});

test('tries longer the higher the priority', () => {
  const hours = (priority: number) =>
    Array.from({ length: 48 }, (_, hour) => hour).findLast(
      (hour) => nextDelay({ ...record, priority }, 0, NOW + hour * 3_600_000, () => 0) !== undefined,
    );

  assert.deepEqual([-1, 0, 1].map(hours), [0, 5, 23]);
});
