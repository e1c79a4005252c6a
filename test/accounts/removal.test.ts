/** Deleting an account while somebody signs up with its address: the two are different accounts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { findAccount } from '../../lib/accounts/account.ts';
import { listAccounts } from '../../lib/accounts/account-index.ts';
import { Accounts } from '../../lib/accounts/accounts.ts';
import { Apps } from '../../lib/accounts/apps.ts';
import { DeviceRegistry } from '../../lib/accounts/device-registry.ts';
import { AccountRemoval } from '../../lib/accounts/removal.ts';
import { SessionRegistry } from '../../lib/accounts/session-registry.ts';
import { findSession } from '../../lib/accounts/sessions.ts';
import { Groups } from '../../lib/groups/groups.ts';
import { Refusal } from '../../lib/refusal.ts';
import type { Table } from '../../lib/storage/table.ts';
import { PASSWORD, seedAccount } from '../support/directory.ts';
import { interleave, type Work } from '../support/interleaving.ts';
import { useDirectory } from '../support/table.ts';

const directory = useDirectory();
const sessionsOn = (table: Table) => new SessionRegistry(table, Date.now, async () => {});

/** Deletes an account that has neither sounds nor devices: no bucket is asked. */
const removed = (table: Table, email: string) =>
  new AccountRemoval({
    directory: table,
    mailbox: table,
    sessions: sessionsOn(table),
    attachments: undefined as never,
    media: undefined as never,
    clock: Date.now,
  }).remove(email, Infinity);

let people = 0;

test('who signs up with an address whose account is being deleted, even twice at once, has an account, and is listed', async () => {
  let signedUp = 0;
  await fc.assert(
    fc.asyncProperty(fc.infiniteStream(fc.nat()), async (turns) => {
      const email = `next${++people}@example.org`;
      const old = await seedAccount(directory(), email);
      let next: { id: string; secret: string } | undefined;
      const signUp: Work<unknown> = async (table) => {
        // Not before the old account is about to go.
        for (let n = 0; n < 14; n++) await findAccount(table, email);
        next = await new Accounts(table, Date.now, sessionsOn(table)).create(email, PASSWORD, '');
      };

      const outcomes = await interleave<unknown>(
        directory(),
        [(table) => removed(table, email), (table) => removed(table, email), signUp],
        { next: (waiting) => turns.next().value % waiting },
      );

      for (const outcome of outcomes)
        if ('error' in outcome) assert.ok(outcome.error instanceof Refusal, `${outcome.error}`);
      await assert.rejects(findSession(directory(), old.secret), Refusal);
      const listed = (await listAccounts(directory(), undefined, 100)).accounts;
      const found = listed.filter((account) => account.email === email);
      // A removal that began after the sign-up has deleted the new account as well.
      const there = await findAccount(directory(), email);
      assert.deepEqual(
        found.map(({ user }) => user),
        there ? [there.user] : [],
      );
      if (!next || !there) return;
      signedUp++;
      assert.equal(there.user, next.id);
      assert.equal((await findSession(directory(), next.secret)).user, next.id);
      assert.deepEqual(await new Apps(directory(), Date.now).list(next.id), []);
    }),
    { numRuns: 4, seed: 4 },
  );
  assert.ok(signedUp > 0, 'no order let anyone sign up');
});

test('a deletion that is overtaken by another, and by a sign-up after that, leaves the new account alone', async () => {
  const email = `overtaken${++people}@example.org`;
  await seedAccount(directory(), email);
  let next: { id: string } | undefined;
  const client = new Proxy(directory().client, {
    get: (target, name) => {
      if (name !== 'send') return Reflect.get(target, name);
      return async (command: { input: { Key?: { pk: string } } }) => {
        const last = command instanceof DeleteCommand && command.input.Key?.pk === `email#${email}`;
        if (last && !next) {
          await removed(directory(), email);
          next = await new Accounts(directory(), Date.now, sessionsOn(directory())).create(
            email,
            PASSWORD,
            '',
          );
        }
        return target.send(command as never);
      };
    },
  });

  await removed({ ...directory(), client }, email);

  const { accounts } = await listAccounts(directory(), undefined, 100);
  assert.equal((await findAccount(directory(), email))?.user, next!.id);
  assert.ok(accounts.some(({ user }) => user === next!.id));
});

test('what was still under way in an account that is gone makes nothing in it, and its sessions are none', async () => {
  const email = `gone${++people}@example.org`;
  const { user, secret } = await seedAccount(directory(), email);
  await removed(directory(), email);

  // A login that died between its two looks at the account.
  const late = await sessionsOn(directory()).open(user, email as never, 'late');
  const made = [
    () => new Apps(directory(), Date.now).create(user, 'App'),
    () => new Groups(directory(), Date.now).create(user, 'Group'),
    () => new DeviceRegistry(directory(), Date.now).register(user, { name: 'device', platform: 'web' }),
    () => findSession(directory(), late),
    () => findSession(directory(), secret),
  ];

  for (const make of made) await assert.rejects(make, { sentences: ['secret is invalid'] });
});
