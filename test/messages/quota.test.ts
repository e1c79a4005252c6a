import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { quotaKey } from '../../lib/accounts/directory.ts';
import { randomKey } from '../../lib/accounts/keys.ts';
import { nextMonth } from '../../lib/messages/limits.ts';
import { allowanceOf, Quota } from '../../lib/messages/quota.ts';
import { Refusal } from '../../lib/refusal.ts';
import { LeftBehind } from '../../lib/storage/left-behind.ts';
import { useDirectory } from '../support/table.ts';

const directory = useDirectory();

const NOVEMBER = Date.parse('2026-11-30T23:59:59-06:00');
const DECEMBER = Date.parse('2026-12-01T00:00:00-06:00');

/** A new account's quota, and short ways to spend it. */
function account(limit: number) {
  const owner = randomKey('u');
  const quota = new Quota({
    directory: directory(),
    withoutRetries: directory(),
    limit,
    log: (_level, message) => assert.fail(message),
  });
  return {
    owner,
    spend: (
      users: number,
      more: { at?: number; again?: boolean; own?: number; work?: () => Promise<object> } = {},
    ) => {
      const { at = NOVEMBER, again = false, own, work = async () => ({}) } = more;
      return quota.spend({ owner, users, at, limit: own, again }, work);
    },
    left: async (at = NOVEMBER) => (await allowanceOf(directory(), owner, at, limit))?.remaining,
    item: async () => {
      const { name, client } = directory();
      const Key = quotaKey(owner, '2026-11');
      return (await client.send(new GetCommand({ TableName: name, Key }))).Item;
    },
  };
}

const isSpent = (error: unknown) => error instanceof Refusal && error.status === 429;
const fails = (error: Error) => () => Promise.reject(error);

test('a month ends at midnight US Central, and the next begins with all of it', async () => {
  const { spend } = account(2);

  await spend(2);

  await assert.rejects(spend(1), isSpent);
  assert.deepEqual(await spend(1, { at: DECEMBER }), { allowance: { limit: 2, remaining: 1 } });
});

test('the count of a month is purged some weeks after its end', async () => {
  const { spend, item } = account(2);

  await spend(1);

  const { ttl, used } = (await item())!;
  assert.equal(used, 1);
  assert.ok(ttl > nextMonth(NOVEMBER) + 28 * 86_400);
});

test('work that fails is given back, unless something of it was left behind', async () => {
  const { spend, left } = account(5);
  const fault = new Error('no');
  const leftBehind = new LeftBehind('no');

  await assert.rejects(spend(3, { work: fails(fault) }), fault);
  const afterFault = await left();
  await assert.rejects(spend(3, { work: fails(leftBehind) }), leftBehind);

  assert.equal(afterFault, 5);
  assert.equal(await left(), 2);
});

test('what is refused does no work and takes nothing', async () => {
  const { spend, left } = account(3);
  let worked = 0;
  const work = async () => ({ worked: ++worked });

  await assert.rejects(spend(4, { work }), isSpent);
  await spend(2, { work });
  await assert.rejects(spend(2, { work }), isSpent);

  assert.equal(worked, 1);
  assert.equal(await left(), 1);
});

test('what may have been answered before is counted, and never refused', async () => {
  const { spend, left } = account(1);
  await spend(1);

  const { allowance } = await spend(1, { again: true });

  assert.deepEqual(allowance, { limit: 1, remaining: 0 });
  assert.equal(await left(), 0);
});

test('the days are counted beside the month, in UTC, and given back with it', async () => {
  const { spend, item } = account(9);
  const evening = Date.parse('2026-11-28T23:59:59Z');

  await spend(2, { at: evening });
  await spend(3, { at: evening + 1000 });
  await assert.rejects(spend(1, { at: evening, work: fails(new Error('no')) }));

  const { used, '2026-11-28': first, '2026-11-29': second } = (await item())!;
  assert.deepEqual([used, first, second], [5, 2, 3]);
});

test('without a quota the same is counted, nothing is refused, and nothing known of what is left', async () => {
  const { spend, left, item } = account(0);

  assert.deepEqual(await spend(1, { work: async () => ({ devices: 1 }) }), { devices: 1 });
  await assert.rejects(spend(5, { work: fails(new Error('no')) }));
  await assert.rejects(spend(2, { work: fails(new LeftBehind('no')) }));

  assert.equal(await left(), undefined);
  assert.equal((await item())!.used, 3);
});

test('an account that is exempt is counted, and refused nothing, where others have a quota', async () => {
  const { spend, item } = account(3);

  assert.deepEqual(await spend(5, { own: 0, work: async () => ({ devices: 1 }) }), { devices: 1 });
  await assert.rejects(spend(1, { own: 0, work: fails(new Error('no')) }));

  assert.equal((await item())!.used, 5);
  await assert.rejects(spend(1), isSpent);
});

test('an account has a quota of its own where others have none', async () => {
  const { spend, item } = account(0);

  const { allowance } = await spend(2, { own: 3 });

  assert.deepEqual(allowance, { limit: 3, remaining: 1 });
  await assert.rejects(spend(2, { own: 3 }), isSpent);
  assert.equal((await item())!.used, 2);
});

test('whatever comes at once, what is let through fits the limit, and is told what is left after it', async () => {
  const sizes = fc.array(fc.record({ users: fc.integer({ min: 1, max: 4 }), fail: fc.boolean() }), {
    minLength: 1,
    maxLength: 12,
  });

  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 15 }), sizes, async (limit, messages) => {
      const { spend, left } = account(limit);
      let accepted = 0;

      const results = await Promise.allSettled(
        messages.map(async ({ users, fail }) => {
          const work = fail ? fails(new Error('no')) : async () => ({});
          const { allowance } = await spend(users, { work });
          accepted += users;
          return allowance!.remaining;
        }),
      );

      const told = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      assert.ok(accepted <= limit);
      assert.equal(await left(), limit - accepted);
      assert.ok(told.every((remaining) => remaining >= 0 && remaining < limit));
      if (messages.every(({ fail }) => !fail)) assert.equal(new Set(told).size, told.length);
    }),
    { numRuns: 30 },
  );
});
