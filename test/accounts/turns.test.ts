/**
 * What ends sessions, or proves by a password who one is, while another does the same: a request that is answered that it worked
 * leaves what it was told, and nothing is overwritten that was changed since it was proved.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findAccount, isPasswordOf } from '../../lib/accounts/account.ts';
import { Accounts } from '../../lib/accounts/accounts.ts';
import { Authentication } from '../../lib/accounts/authentication.ts';
import { canonicalEmail } from '../../lib/accounts/email.ts';
import { plainHash } from '../../lib/accounts/keyed-hash.ts';
import { LoginGuard } from '../../lib/accounts/login-guard.ts';
import { SessionRegistry } from '../../lib/accounts/session-registry.ts';
import { findSession, type Session } from '../../lib/accounts/sessions.ts';
import { Throttles } from '../../lib/accounts/throttles.ts';
import { TwoFactor } from '../../lib/accounts/twofa.ts';
import { Refusal } from '../../lib/refusal.ts';
import type { Table } from '../../lib/storage/table.ts';
import { PASSWORD, seedAccount } from '../support/directory.ts';
import { type Fate, interleave, type Outcome } from '../support/interleaving.ts';
import { useDirectory } from '../support/table.ts';
import { codeOf } from '../support/totp.ts';

const directory = useDirectory();
const ADDRESS = '203.0.113.1';
const TURNS = fc.infiniteStream(fc.nat());
const FATES = fc.infiniteStream(fc.constantFrom<Fate>('does', 'does', 'does twice'));

const sessionsOn = (table: Table) => new SessionRegistry(table, Date.now, async () => {});

/** What the functions do, against a table. Attempts are counted elsewhere: they are no matter here. */
function on(table: Table) {
  const counts = new Throttles(directory(), Date.now, assert.fail, plainHash, {
    login: 1e6,
    loginAddress: 1e6,
    session: 1e6,
  });
  const guard = new LoginGuard(directory(), Date.now, counts, plainHash, assert.fail);
  const sessions = sessionsOn(table);
  const twofa = new TwoFactor(table, Date.now, async () => 'm'.repeat(64));
  const authentication = new Authentication({
    table,
    clock: Date.now,
    sessions,
    guard,
    twofa,
    log: assert.fail,
  });
  return { authentication, accounts: new Accounts(table, Date.now, sessions) };
}

let people = 0;

/** An account with two sessions. */
async function newAccount() {
  const email = canonicalEmail(`turns${++people}@example.org`)!;
  const { user, secret } = await seedAccount(directory(), email);
  const other = await sessionsOn(directory()).open(user, email, 'other');
  const [one, two] = [await findSession(directory(), secret), await findSession(directory(), other)];
  /** Changes the password to the name of the session. */
  const change = (table: Table, session: Session) =>
    on(table).authentication.changePassword(
      session,
      { password: PASSWORD, next: `password ${session.secret}` },
      ADDRESS,
    );
  const isPassword = async (password: string) =>
    isPasswordOf(await findAccount(directory(), email), password);
  return { email, user, one, two, change, isPassword };
}

async function isOpen({ secret }: Pick<Session, 'secret'>): Promise<boolean> {
  try {
    await findSession(directory(), secret);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

/** Whether each of what was done was answered that it worked; nothing fails but by a refusal. */
function worked(outcomes: Outcome<unknown>[]): boolean[] {
  return outcomes.map((outcome) => {
    if ('error' in outcome) assert.ok(outcome.error instanceof Refusal, `${outcome.error}`);
    return 'value' in outcome;
  });
}

/** A property over orders of calls, and over answers that are lost. */
const whatever = (
  body: (schedule: { next(waiting: number): number; fate(): Fate }) => Promise<void>,
  numRuns = 4,
) =>
  fc.assert(
    fc.asyncProperty(TURNS, FATES, (turns, fates) =>
      body({ next: (waiting) => turns.next().value % waiting, fate: () => fates.next().value }),
    ),
    { numRuns, seed: 46 },
  );

test('of two changes of the password at once one works, and its session goes on; the other has ended nothing', async () => {
  await whatever(async (schedule) => {
    const { one, two, change, isPassword } = await newAccount();

    const answers = worked(
      await interleave(
        directory(),
        [one, two].map((session) => (table: Table) => change(table, session)),
        schedule,
      ),
    );

    const open = await Promise.all([one, two].map(isOpen));
    const set = await Promise.all([one, two].map(({ secret }) => isPassword(`password ${secret}`)));
    assert.equal(answers.filter(Boolean).length, 1);
    assert.deepEqual([open, set], [answers, answers]);
  });
});

test('of two sessions that end each other at once one goes on, and it is the one that was told that it worked', async () => {
  await whatever(async (schedule) => {
    const { one, two } = await newAccount();

    const answers = worked(
      await interleave(
        directory(),
        [one, two].map((session) => (table: Table) => on(table).authentication.endOthers(session)),
        schedule,
      ),
    );

    assert.equal(answers.filter(Boolean).length, 1);
    assert.deepEqual(await Promise.all([one, two].map(isOpen)), answers);
  });
});

test('a password that the operator sets stays, and leaves no session, whatever else changes it', async () => {
  await whatever(async (schedule) => {
    const { email, one, two, change, isPassword } = await newAccount();

    const [, reset] = worked(
      await interleave<unknown>(
        directory(),
        [
          (table) => change(table, one),
          (table) => on(table).accounts.resetPassword(email, 'the operator’s', 'keep'),
        ],
        schedule,
      ),
    );

    assert.ok(reset);
    assert.ok(await isPassword('the operator’s'));
    assert.deepEqual(await Promise.all([one, two].map(isOpen)), [false, false]);
  });
});

test('a login that is answered while all others are ended has a session, or is told that it has none', async () => {
  await whatever(async (schedule) => {
    const { email, user, one, two, change } = await newAccount();
    const login = (table: Table) =>
      on(table).authentication.login({ email, password: PASSWORD, name: 'new' }, ADDRESS);

    const [changed] = worked(
      await interleave<unknown>(directory(), [(table) => change(table, one), login], schedule),
    );

    assert.ok(changed);
    assert.deepEqual(await Promise.all([one, two].map(isOpen)), [true, false]);
    assert.equal((await sessionsOn(directory()).list(user, '')).length, 1, 'a session of the old password');
  }, 12);
});

test('a password is not changed without a code where a second factor was set up meanwhile', async () => {
  await whatever(async (schedule) => {
    const { one, two, change } = await newAccount();
    const { secret } = await on(directory()).authentication.beginTwoFactor(two, PASSWORD, ADDRESS);

    const [changed, confirmed] = worked(
      await interleave<unknown>(
        directory(),
        [
          (table) => change(table, one),
          (table) => on(table).authentication.confirmTwoFactor(two, codeOf(secret), ADDRESS),
        ],
        schedule,
      ),
    );

    assert.notEqual(changed, confirmed);
  });
});
