import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  forget,
  NOTHING_SERVED,
  packed,
  provenUpTo,
  recordAnswer,
  SERVED_LIMIT,
  type Served,
  type ServedPage,
  unpacked,
} from '../../lib/mailbox/served.ts';

/** The record after answers that give these ids, each asked for from the first. */
const after = (...answers: number[][]): Served =>
  answers.reduce(
    (served, ids) => recordAnswer(served, { after: 0, ids, more: false }) ?? served,
    NOTHING_SERVED,
  );

test('an acknowledgement does not reach a message that was stored late and may have been in a lost answer', () => {
  const [low, high] = [1, 2];

  const served = after([high], [low, high]);

  assert.deepEqual(provenUpTo(served, high), [high]);
  assert.deepEqual(provenUpTo(served, low), [low]);
});

test('an acknowledgement of what came with or after it takes a late message along', () => {
  const served = after([2], [1, 2], [1, 2, 3]);

  assert.deepEqual(provenUpTo(served, 3), [1, 2, 3]);
});

test('pages that were asked for one after another are acknowledged together', () => {
  const first = recordAnswer(NOTHING_SERVED, { after: 0, ids: [1, 2], more: true })!;
  const second = recordAnswer(first, { after: 2, ids: [3, 4], more: false })!;

  assert.deepEqual(provenUpTo(second, 4), [1, 2, 3, 4]);
});

test('what was asked for after an id proves no more than that id does', () => {
  const lost = after([2], [1, 2]);
  const served = recordAnswer(lost, { after: 2, ids: [3], more: false })!;

  assert.deepEqual(provenUpTo(served, 3), [2, 3]);
});

test('an id that was never given proves nothing', () => {
  assert.deepEqual(provenUpTo(after([1, 3]), 2), []);
  assert.deepEqual(provenUpTo(after([1, 3]), Number.MAX_SAFE_INTEGER), []);
});

test('the same answer again needs no write, nor does an empty one', () => {
  const served = after([1, 2]);

  assert.equal(recordAnswer(served, { after: 0, ids: [1, 2], more: false }), undefined);
  assert.equal(recordAnswer(served, { after: 2, ids: [], more: false }), undefined);
});

test('a record is bounded, and what is beyond is as if it had not been given', () => {
  const ids = Array.from({ length: SERVED_LIMIT + 5 }, (_, n) => 2 ** 50 + n);

  const served = after(ids);

  assert.deepEqual(provenUpTo(served, ids.at(-1)!), ids.slice(5));
  assert.deepEqual(provenUpTo(served, ids[0]!), []);
  assert.ok(packed(served).byteLength < 200_000);
});

test('a record is read as it was written', () => {
  const served = after([2 ** 50], [7, 2 ** 50], [7, 2 ** 50, Number.MAX_SAFE_INTEGER]);

  assert.deepEqual(unpacked(packed(served)), served.ids);
});

/** A step of a server, its devices and the network between them. `pick` chooses among what there is by then. */
type Move =
  | { kind: 'store'; id: number }
  /** A sync looks into the mailbox; its answer is recorded, and arrives or is lost, by a later move. */
  | { kind: 'look'; after: number; cut: boolean }
  | { kind: 'answer'; pick: number; lost: boolean }
  | { kind: 'acknowledge'; pick: number; forgets: boolean }
  /** A worker stores again what was deleted. */
  | { kind: 'again'; pick: number };

const pick = fc.nat(7);
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('store' as const), id: fc.integer({ min: 1, max: 6 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('look' as const), after: fc.nat(6), cut: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('answer' as const), pick, lost: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('acknowledge' as const), pick, forgets: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('again' as const), pick }) },
);

const chosen = <T>(list: readonly T[], n: number): T | undefined => list[list.length - 1 - (n % list.length)];

test('no order of answers, pages, losses and acknowledgements takes away what has not arrived', () => {
  fc.assert(
    fc.property(fc.array(move, { minLength: 4, maxLength: 24 }), (moves) => {
      let served = NOTHING_SERVED;
      const waiting = new Set<number>();
      const deleted: number[] = [];
      const arrived: number[] = [];
      const looks: ServedPage[] = [];
      for (const one of moves) {
        if (one.kind === 'store' && !deleted.includes(one.id)) waiting.add(one.id);
        if (one.kind === 'again' && deleted.length > 0) waiting.add(chosen(deleted, one.pick)!);
        if (one.kind === 'look') {
          // A device goes on after an id that it has been given; most often it begins at the first.
          const from = one.after < 3 || arrived.length === 0 ? 0 : chosen(arrived, one.after)!;
          const ids = [...waiting].filter((id) => id > from).sort((a, b) => a - b);
          const more = one.cut && ids.length > 2;
          looks.push({ after: from, ids: more ? ids.slice(0, 2) : ids, more });
        }
        if (one.kind === 'answer' && looks.length > 0) {
          const page = chosen(looks, one.pick)!;
          looks.splice(looks.indexOf(page), 1);
          served = recordAnswer(served, page) ?? served;
          if (!one.lost) arrived.push(...page.ids);
        }
        if (one.kind === 'acknowledge' && arrived.length > 0) {
          const proven = provenUpTo(served, chosen(arrived, one.pick)!);
          for (const id of proven) {
            assert.ok(arrived.includes(id), `${id} was taken for one that has arrived`);
            if (waiting.delete(id)) deleted.push(id);
          }
          if (one.forgets) served = forget(served, proven);
        }
      }
    }),
    { seed: 20_260, numRuns: 40_000 },
  );
});
