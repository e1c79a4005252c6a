/** Invitations, each of which lets one person in, whatever is repeated and however late it arrives. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Invitations } from '../../lib/accounts/invitations.ts';
import { Refusal } from '../../lib/refusal.ts';
import type { Table } from '../../lib/storage/table.ts';
import { type Fate, interleave, type Work } from '../support/interleaving.ts';
import { useDirectory } from '../support/table.ts';

const directory = useDirectory();
const on = (table: Table) => new Invitations(table, Date.now);

const entered = async (code: string): Promise<boolean> => {
  try {
    await on(directory()).redeem(code);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
};

test('an invitation lets one person in, and none once it was taken back', async () => {
  const fates = fc.infiniteStream(fc.constantFrom<Fate>('does', 'does twice', 'does again later'));
  await fc.assert(
    fc.asyncProperty(fc.infiniteStream(fc.nat()), fates, fc.boolean(), async (turns, fate, takenBack) => {
      const schedule = { next: (n: number) => turns.next().value % n, fate: () => fate.next().value };
      let used = false;
      let code = '';
      // Calls that made it may arrive again after it was used or taken back.
      const work: Work<void> = async (table) => {
        const made = await on(table).make();
        code = made.code;
        if (takenBack) await on(table).revoke(made.id);
        else await on(table).redeem(code);
        used = true;
      };

      await interleave(directory(), [work], schedule);

      assert.ok(used, 'who had the code was refused');
      assert.equal(await entered(code), false);
      assert.ok(!(await on(directory()).list()).length);
    }),
    { numRuns: 10, seed: 46 },
  );
});

test('of several who use one invitation at once, one gets in', async () => {
  const { code } = await on(directory()).make();

  const answers = await Promise.all([1, 2, 3].map(() => entered(code)));

  assert.equal(answers.filter(Boolean).length, 1);
});
