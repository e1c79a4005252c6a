import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomKey } from '../../lib/accounts/keys.ts';
import { usageOf } from '../../lib/history/usage.ts';
import { nextMonth } from '../../lib/messages/limits.ts';
import { Quota } from '../../lib/messages/quota.ts';
import { useDirectory } from '../support/table.ts';

const directory = useDirectory();

/** A new account's usage. */
function account(limit: number) {
  const owner = randomKey('u');
  const quota = new Quota({
    directory: directory(),
    withoutRetries: directory(),
    limit,
    log: (_level, message) => assert.fail(message),
  });
  return {
    spend: (users: number, at: string) => quota.spend({ owner, users, at: Date.parse(at) }, async () => ({})),
    usage: (at: string) => usageOf(directory(), owner, Date.parse(at), limit),
  };
}

test('thirty days are shown, today at the end, and those of nothing among them', async () => {
  const { spend, usage } = account(0);
  await spend(7, '2026-10-29T23:59:59Z');
  await spend(1, '2026-10-30T00:00:00Z');
  await spend(2, '2026-11-28T12:00:00Z');
  await spend(3, '2026-11-28T13:00:00Z');

  const { days, used, ...rest } = await usage('2026-11-28T14:00:00Z');

  assert.equal(days.length, 30);
  assert.deepEqual(
    days.filter(({ users }) => users > 0),
    [
      { date: '2026-10-30', users: 1 },
      { date: '2026-11-28', users: 5 },
    ],
  );
  assert.equal(days.at(-1)!.date, '2026-11-28');
  assert.equal(used, 5);
  assert.deepEqual(rest, { reset: nextMonth(Date.parse('2026-11-28T14:00:00Z')) });
});

test('a day in two months of the quota is one day, and thirty days may touch three months', async () => {
  const { spend, usage } = account(100);
  // The quota's month begins at 06:00 UTC in winter.
  await spend(1, '2027-01-31T12:00:00Z');
  await spend(2, '2027-02-15T12:00:00Z');
  await spend(3, '2027-03-01T05:59:59Z');
  await spend(4, '2027-03-01T06:00:00Z');

  const { days, used, limit, remaining } = await usage('2027-03-01T07:00:00Z');

  assert.deepEqual(
    days.filter(({ users }) => users > 0),
    [
      { date: '2027-01-31', users: 1 },
      { date: '2027-02-15', users: 2 },
      { date: '2027-03-01', users: 7 },
    ],
  );
  assert.deepEqual([used, limit, remaining], [4, 100, 96]);
});
