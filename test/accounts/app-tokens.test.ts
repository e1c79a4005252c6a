/**
 * Tokens of apps, which are stored where sending finds them and where their owner does: whatever comes in between and
 * whatever dies, nothing sends that its owner cannot take away.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScanCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { authorize } from '../../lib/accounts/app-token.ts';
import { Apps } from '../../lib/accounts/apps.ts';
import { tokenKey } from '../../lib/accounts/directory.ts';
import { hashSecret } from '../../lib/accounts/keys.ts';
import { AccountRemoval } from '../../lib/accounts/removal.ts';
import { SessionRegistry } from '../../lib/accounts/session-registry.ts';
import { Refusal } from '../../lib/refusal.ts';
import type { Table } from '../../lib/storage/table.ts';
import { seedAccount } from '../support/directory.ts';
import { type Fate, interleave, type Outcome, type Work } from '../support/interleaving.ts';
import { useDirectory } from '../support/table.ts';

const directory = useDirectory();
const apps = () => new Apps(directory(), Date.now);

let people = 0;

/** An account with one app, and what may be done to it at once. Each answers a token, or none. */
async function newAccount() {
  const email = `apps${++people}@example.org`;
  const { user, token } = await seedAccount(directory(), email);
  const [app] = await apps().list(user);
  const { id } = app!;
  const removed = async (table: Table) => {
    const sessions = new SessionRegistry(table, Date.now, async () => {});
    const context = { directory: table, mailbox: table, sessions, clock: Date.now };
    // It has neither sounds nor devices: no bucket is asked.
    const unused = { attachments: undefined as never, media: undefined as never };
    await new AccountRemoval({ ...context, ...unused }).remove(email, Infinity);
    return undefined;
  };
  const works: Record<'create' | 'delete' | 'remove' | 'rotate' | 'send', Work<string | undefined>> = {
    create: async (table) => (await new Apps(table, Date.now).create(user, 'More')).token,
    rotate: (table) => new Apps(table, Date.now).rotate(user, id),
    delete: async (table) => {
      await new Apps(table, Date.now).remove(user, id);
      return undefined;
    },
    remove: removed,
    send: async (table) => {
      await authorize(table, token);
      return undefined;
    },
  };
  return { email, user, id, token, works };
}

type Name = keyof Awaited<ReturnType<typeof newAccount>>['works'];

/** How many tokens of an account send. */
async function sending(user: string): Promise<number> {
  const { Items = [] } = await directory().client.send(
    new ScanCommand({
      TableName: directory().name,
      FilterExpression: 'begins_with(pk, :token) AND #owner = :user AND attribute_not_exists(pending)',
      ExpressionAttributeNames: { '#owner': 'owner' },
      ExpressionAttributeValues: { ':token': 'token#', ':user': user },
      ConsistentRead: true,
    }),
  );
  return Items.length;
}

/** How many items there are of tokens that are gone and that nothing purges. */
async function endless(): Promise<number> {
  const { Items = [] } = await directory().client.send(
    new ScanCommand({
      TableName: directory().name,
      FilterExpression: 'gone = :yes AND attribute_not_exists(#ttl)',
      ExpressionAttributeNames: { '#ttl': 'ttl' },
      ExpressionAttributeValues: { ':yes': true },
    }),
  );
  return Items.length;
}

async function isGood(token: string): Promise<boolean> {
  try {
    await authorize(directory(), token);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

const tokensOf = (outcomes: Outcome<string | undefined>[]) =>
  outcomes.flatMap((outcome) => ('value' in outcome && outcome.value !== undefined ? [outcome.value] : []));

/** Runs work at once, and looks at what its owner is left with. */
async function check(
  names: Name[],
  schedule: { next(waiting: number): number; fate?(): Fate },
  dies: boolean,
) {
  const { user, token, works } = await newAccount();

  const outcomes = await interleave(
    directory(),
    names.map((name) => works[name]),
    schedule,
  );

  for (const outcome of outcomes)
    if ('error' in outcome) assert.ok(outcome.error instanceof Refusal, `${outcome.error}`);
  const listed = await apps().list(user);
  const answered = [token, ...tokensOf(outcomes)];
  const good = (await Promise.all(answered.map(isGood))).filter(Boolean).length;
  const all = await sending(user);
  assert.ok(all <= listed.length, `${all} tokens send, of ${listed.length} apps in the list`);
  // Where nothing dies, each app in the list has one, and somebody was told it.
  if (!dies) assert.deepEqual([all, good], [listed.length, listed.length]);
  for (const { id } of listed) await apps().remove(user, id);
  assert.equal(await endless(), 0, 'a token that is gone stays for good');
  assert.equal(await sending(user), 0, 'what the owner cannot take away sends');
}

const WORK = fc.constantFrom<Name>('rotate', 'rotate', 'delete', 'create', 'remove', 'send');
const TURNS = fc.infiniteStream(fc.nat());

test('an app in the list has one token that sends, and nothing else does, in any order and with answers being lost', async () => {
  const fate = fc.constantFrom<Fate>('does', 'does', 'does', 'does twice');
  await fc.assert(
    fc.asyncProperty(
      fc.array(WORK, { minLength: 2, maxLength: 3 }),
      TURNS,
      fc.infiniteStream(fate),
      (names, turns, fates) =>
        check(names, { next: (n) => turns.next().value % n, fate: () => fates.next().value }, false),
    ),
    { numRuns: 12, seed: 46 },
  );
});

test('nothing sends that its owner cannot take away, wherever work dies and however late its calls arrive', async () => {
  const fate = fc.constantFrom<Fate>(
    'does',
    'does',
    'does',
    'does',
    'dies before',
    'dies after',
    'does again later',
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(WORK, { minLength: 2, maxLength: 3 }),
      TURNS,
      fc.infiniteStream(fate),
      (names, turns, fates) =>
        check(names, { next: (n) => turns.next().value % n, fate: () => fates.next().value }, true),
    ),
    { numRuns: 18, seed: 46 },
  );
});

test('rotations and a deletion at once leave one token, or none', async () => {
  await fc.assert(
    fc.asyncProperty(TURNS, (turns) =>
      check(['rotate', 'delete', 'rotate'], { next: (n) => turns.next().value % n }, false),
    ),
    { numRuns: 14, seed: 46 },
  );
});

test('a token that is written once more after it was taken away does not come back', async () => {
  const { user, works } = await newAccount();
  // A rotation up to its last write, then a deletion, the late repeat of the rotation's first write, and its last.
  const turns = [0, 1, 1, 1, 1, 0, 1, 1, 1, 0].values();
  const fates: Iterator<Fate> = (['does', 'does again later'] satisfies Fate[]).values();
  const schedule = { next: () => turns.next().value!, fate: () => fates.next().value ?? ('does' as const) };

  const [rotated, deleted] = await interleave(directory(), [works.rotate, works.delete], schedule);

  assert.ok('error' in rotated! && 'value' in deleted!);
  assert.deepEqual([await sending(user), await apps().list(user)], [0, []]);
});

test('an account that is deleted takes the tokens with it that are just being made', async () => {
  await fc.assert(
    fc.asyncProperty(TURNS, async (turns) => {
      const { user, works } = await newAccount();
      const all = (table: Table) => new Apps(table, Date.now).removeAllOf(user);

      const [closed] = await interleave<unknown>(directory(), [all, works.create, works.rotate], {
        next: (waiting) => turns.next().value % waiting,
      });

      assert.ok('value' in closed!);
      assert.equal(await sending(user), 0);
    }),
    { numRuns: 8, seed: 46 },
  );
});

test('a token that is pending, or gone, sends nothing', async () => {
  const { user, token } = await newAccount();
  const mark = (name: string) =>
    directory().client.send(
      new UpdateCommand({
        TableName: directory().name,
        Key: tokenKey(hashSecret(token)),
        UpdateExpression: `SET ${name} = :yes`,
        ExpressionAttributeValues: { ':yes': true },
      }),
    );

  const good = await isGood(token);
  await mark('pending');
  const pending = await isGood(token);
  await apps().rotate(user, (await apps().list(user))[0]!.id);
  const gone = await isGood(token);

  assert.deepEqual([good, pending, gone], [true, false, false]);
});

test('sending reads one item of the app; making one takes three writes, and another token four', async () => {
  const { works } = await newAccount();
  const calls: string[] = [];
  const client = new Proxy(directory().client, {
    get: (target, name) =>
      name === 'send'
        ? (command: object) => {
            calls.push(command.constructor.name.replace('Command', ''));
            return target.send(command as never);
          }
        : Reflect.get(target, name),
  });
  const callsOf = async (name: Name) => {
    calls.length = 0;
    await works[name]({ ...directory(), client });
    return [...calls];
  };

  assert.deepEqual(await callsOf('send'), ['BatchGet']);
  assert.deepEqual(await callsOf('create'), ['Get', 'Put', 'Update', 'Get', 'Update']);
  assert.deepEqual(await callsOf('rotate'), ['Get', 'Put', 'Put', 'Update', 'Get', 'Update']);
});
