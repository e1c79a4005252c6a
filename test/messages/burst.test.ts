import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { authorize } from '../../lib/accounts/app-token.ts';
import { tokenKey } from '../../lib/accounts/directory.ts';
import { hashSecret, randomKey } from '../../lib/accounts/keys.ts';
import { BurstLimit, waitOf } from '../../lib/messages/burst.ts';
import { Refusal } from '../../lib/refusal.ts';
import type { Table } from '../../lib/storage/table.ts';
import { useDirectory } from '../support/table.ts';

const directory = useDirectory();

const MINUTE = 60_000;

/** A new app under a limit, with a clock and a random number of its own. */
async function app(limit: number, random: () => number = () => 0) {
  const token = randomKey('a');
  const { name, client } = directory();
  const Key = tokenKey(hashSecret(token));
  const Item = { ...Key, id: 1, name: 'App', icon: 'default', owner: randomKey('u') };
  await client.send(new PutCommand({ TableName: name, Item }));
  const warnings: string[] = [];
  const state = { now: 30 * MINUTE };
  const burst = (table: Table = directory()) =>
    new BurstLimit({
      directory: table,
      limit,
      clock: () => state.now,
      random,
      log: (_level, message) => void warnings.push(message),
    });
  const read = async () => (await authorize(directory(), token)).sent;
  return {
    state,
    warnings,
    burst,
    token,
    read,
    item: async () => (await client.send(new GetCommand({ TableName: name, Key }))).Item,
    remove: () => client.send(new DeleteCommand({ TableName: name, Key })),
    /** Whether a message passes. */
    pass: async () => {
      try {
        await burst().pass(token, await read());
        return true;
      } catch (error) {
        if (error instanceof Refusal && error.status === 429) return false;
        throw error;
      }
    },
  };
}

test('who has to wait, waits until the next minute and no longer', () => {
  const times = fc.integer({ min: 0, max: 4_102_444_800_000 });
  const counts = fc.integer({ min: 0, max: 20 });

  fc.assert(
    fc.property(
      times,
      fc.integer({ min: -2, max: 2 }),
      counts,
      fc.integer({ min: 1, max: 20 }),
      (...args) => {
        const [now, behind, count, limit] = args;
        const sent = { minute: Math.floor(now / MINUTE) - behind, count };

        const wait = waitOf(sent, limit, now);

        assert.equal(wait > 0, behind === 0 && count >= limit);
        if (wait === 0) return;
        assert.ok(Number.isInteger(wait) && wait <= 60);
        assert.equal(waitOf(sent, limit, now + wait * 1000), 0);
        assert.ok(waitOf(sent, limit, now + (wait - 1) * 1000) > 0);
      },
    ),
  );
});

test('of every minute a small limit lets through exactly as many as it says', async () => {
  const pauses = fc.array(fc.integer({ min: 0, max: MINUTE }), { minLength: 1, maxLength: 25 });

  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), pauses, async (limit, waits) => {
      const { state, pass } = await app(limit);
      const passed = new Map<number, number>();

      for (const wait of waits) {
        state.now += Math.floor(wait / 4);
        const minute = Math.floor(state.now / MINUTE);
        const before = passed.get(minute) ?? 0;
        assert.equal(await pass(), before < limit);
        passed.set(minute, Math.min(limit, before + 1));
      }
    }),
    { numRuns: 20 },
  );
});

test('of many at once, none of which has seen the others, a small limit lets exactly as many through', async () => {
  const { burst, token, read } = await app(5);
  const sent = await read();

  const results = await Promise.allSettled(Array.from({ length: 7 }, () => burst().pass(token, sent)));
  const more = await Promise.allSettled(Array.from({ length: 7 }, () => burst().pass(token, sent)));

  const passed = [...results, ...more].filter(({ status }) => status === 'fulfilled').length;
  assert.equal((await read())?.count, 5);
  assert.equal(passed, 5);
});

test('a large limit is counted for a sample, and ends about where it should', async () => {
  let writes = 0;
  // A linear congruential generator (Numerical Recipes): the same numbers in every run.
  let seed = 1;
  const random = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
  const { burst, token, read } = await app(600, random);
  const limit = burst();
  let sent = await read();
  let passed = 0;

  for (; passed < 2000; passed++) {
    try {
      await limit.pass(token, sent);
    } catch {
      break;
    }
    const now = await read();
    if (now?.count !== sent?.count) writes++;
    sent = now;
  }

  assert.ok(passed > 420 && passed < 780, `let ${passed} through`);
  assert.equal(writes, 100);
});

test('what is not in the sample is not written', async () => {
  const { pass, item } = await app(200, () => 0.5);

  assert.equal(await pass(), true);
  assert.equal((await item())?.sent, undefined);
});

test('a token that was taken away does not come back as a count', async () => {
  const { burst, token, read, remove, item } = await app(5);
  await burst().pass(token, undefined);
  const sent = await read();
  await remove();

  await burst().pass(token, undefined);
  await burst().pass(token, sent);

  assert.equal(await item(), undefined);
});

test('a message goes through when it cannot be counted', async () => {
  const { burst, token, read, warnings } = await app(5);
  const nowhere = { ...directory(), name: 'Nowhere' };

  await burst(nowhere).pass(token, await read());

  assert.deepEqual(warnings, ['a message was not counted for the burst limit']);
});

test('without a limit nothing is counted', async () => {
  const { pass, item } = await app(0);

  assert.equal(await pass(), true);
  assert.equal((await item())?.sent, undefined);
});
