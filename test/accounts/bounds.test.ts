/**
 * Bounds of what an account may have hold however many are made at once: what is counted is counted by the write that
 * adds, and never by a read before it.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { Apps, MAX_APPS } from '../../lib/accounts/apps.ts';
import { DeviceRegistry } from '../../lib/accounts/device-registry.ts';
import { MAX_DEVICES } from '../../lib/accounts/devices.ts';
import {
  appsKey,
  devicesKey,
  groupKey,
  groupsKey,
  memberKey,
  soundsKey,
} from '../../lib/accounts/directory.ts';
import { randomKey } from '../../lib/accounts/keys.ts';
import { Groups, keysOfGroup, MAX_GROUPS, ownGroup } from '../../lib/groups/groups.ts';
import { Members } from '../../lib/groups/members.ts';
import type { MediaBucket } from '../../lib/media/bucket.ts';
import { CustomSounds, MAX_SOUNDS } from '../../lib/media/custom-sounds.ts';
import { Refusal } from '../../lib/refusal.ts';
import { batchGet } from '../../lib/storage/batches.ts';
import type { Table } from '../../lib/storage/table.ts';
import { mp3 } from '../media/builders.ts';
import { fill } from '../support/directory.ts';
import { interleave, type Work } from '../support/interleaving.ts';
import { useDirectory } from '../support/table.ts';

const directory = useDirectory();
/** Pieces of work at once, for two places. */
const AT_ONCE = 4;

const named = (count: number, entry: (n: number) => unknown) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`n${n}`, entry(n)]));

/** Runs work at once, each step of all before the next of any. @returns how many succeeded */
async function succeeded(work: (n: number) => Work<unknown>): Promise<number> {
  let turn = 0;
  const works = Array.from({ length: AT_ONCE }, (_, n) => work(n));
  const outcomes = await interleave(directory(), works, { next: (waiting) => turn++ % waiting });
  for (const outcome of outcomes)
    if ('error' in outcome) assert.ok(outcome.error instanceof Refusal, `${outcome.error}`);
  return outcomes.filter((outcome) => 'value' in outcome).length;
}

test('of apps', async () => {
  const user = randomKey('u');
  const app = { name: 'App', createdAt: 1, token: 'none', icon: 'default', iconVersion: 0 };
  await fill(directory(), [{ ...appsKey(user), entries: named(MAX_APPS - 2, () => app), version: 1 }]);

  const made = await succeeded(() => (table) => new Apps(table, Date.now).create(user, 'One more'));

  assert.equal(made, 2);
  assert.equal((await new Apps(directory(), Date.now).list(user)).length, MAX_APPS);
});

test('of groups', async () => {
  const user = randomKey('u');
  await fill(directory(), [
    { ...groupsKey(user), entries: named(MAX_GROUPS - 2, () => ({ createdAt: 1 })), version: 1 },
  ]);

  const made = await succeeded(() => (table) => new Groups(table, Date.now).create(user, 'One more'));

  assert.equal(made, 2);
  assert.equal((await new Groups(directory(), Date.now).keysOf(user)).length, MAX_GROUPS);
});

test('of devices', async () => {
  const user = randomKey('u');
  const device = (n: number) => ({ name: `d${n}`, platform: 'web', enabled: true, createdAt: 1 });
  await fill(directory(), [{ ...devicesKey(user), devices: named(MAX_DEVICES - 2, device), version: 1 }]);

  const made = await succeeded(
    (n) => (table) =>
      new DeviceRegistry(table, Date.now).register(user, { name: `more${n}`, platform: 'web' }),
  );

  assert.equal(made, 2);
  assert.equal((await new DeviceRegistry(directory(), Date.now).list(user)).devices.length, MAX_DEVICES);
});

test('of sounds', async () => {
  const user = randomKey('u');
  const sounds = Array.from({ length: MAX_SOUNDS - 2 }, (_, n) => ({
    name: `s${n}`,
    id: `i${n}`,
    description: '',
  }));
  await fill(directory(), [{ ...soundsKey(user), sounds, version: 1 }]);
  const bucket = { put: async () => {}, delete: async () => {} } as unknown as MediaBucket;

  const made = await succeeded(
    (n) => (table) => new CustomSounds(table, bucket).add(user, { name: `more${n}` }, mp3(20 + n)),
  );

  assert.equal(made, 2);
  assert.equal((await new CustomSounds(directory(), bucket).list(user)).length, MAX_SOUNDS);
});

describe('of members', () => {
  const LIMIT = 8;
  const MINUTE = 60;
  const NOW = 1_800_000_000;
  const owner = randomKey('u');
  const members = (table: Table, now = NOW) => new Members(table, LIMIT, () => now * 1000);

  /** A group with members, and what its item says of them. */
  async function newGroup(there: number, counted: number) {
    const key = randomKey('g');
    const users = Array.from({ length: LIMIT + AT_ONCE }, () => randomKey('u'));
    const item = { ...groupKey(key), name: 'Group', owner, members: counted, raisedAt: NOW - MINUTE };
    await fill(directory(), [
      item,
      ...users.map((user) => ({ ...devicesKey(user), devices: {}, version: 1 })),
      ...users.slice(0, there).map((user) => ({ ...memberKey(key, user, undefined), user })),
    ]);
    const read = async () => {
      const [items] = await batchGet([{ table: directory(), keys: keysOfGroup(key), consistent: true }]);
      return ownGroup({ user: owner, items: items! }, key);
    };
    const count = async () => {
      let all = 0;
      for await (const page of new Members(directory()).all(key)) all += page.length;
      return all;
    };
    return { key, users, read, count };
  }

  test('which hold for those who come at once', async () => {
    const { users, read, count } = await newGroup(LIMIT - 2, LIMIT - 2);
    const group = await read();

    const added = await succeeded((n) => (table) => members(table).add(group, { user: users[LIMIT + n]! }));

    assert.deepEqual([added, await count()], [2, LIMIT]);
  });

  test('which hold while a count that is too high is put right, while others are added and taken out', async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat()), fc.boolean(), async (turns, twice) => {
        const { users, read, count } = await newGroup(LIMIT - 1, LIMIT);
        const group = await read();
        const works: Work<unknown>[] = [
          (table) => members(table).remove(group, { user: users[0]! }),
          ...[0, 1, 2].map(
            (n): Work<unknown> =>
              (table) =>
                members(table).add(group, { user: users[LIMIT + n]! }),
          ),
        ];
        await interleave(directory(), works, {
          next: (waiting) => turns.next().value % waiting,
          fate: () => (twice ? 'does twice' : 'does'),
        });

        assert.ok((await count()) <= LIMIT);
        assert.ok((await read()).members >= (await count()), 'the count is too low');
      }),
      { numRuns: 10, seed: 46 },
    );
  });

  test('which are put right a minute after somebody was added, and not before', async () => {
    const { users, read } = await newGroup(LIMIT - 1, LIMIT);
    const group = await read();
    const [one, other] = users.slice(LIMIT);

    await members(directory()).add(group, { user: one! });
    await members(directory()).remove(await read(), { user: users[0]! });
    await directory().client.send(
      new UpdateCommand({
        TableName: directory().name,
        Key: groupKey(group.key),
        UpdateExpression: 'SET members = :full',
        ExpressionAttributeValues: { ':full': LIMIT },
      }),
    );

    await assert.rejects(members(directory(), NOW + MINUTE - 1).add(group, { user: other! }), Refusal);
    await members(directory(), NOW + MINUTE).add(group, { user: other! });
    assert.equal((await read()).members, LIMIT);
  });
});
