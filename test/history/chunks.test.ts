/**
 * Whom a message to very many has reached is noted by the chunk, in partitions of their own: workers note hundreds of
 * chunks a second, of several units each, and one partition takes a thousand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { randomDeviceId, randomKey } from '../../lib/accounts/keys.ts';
import { type CopyRef, chunkKeys, type Entry } from '../../lib/history/entry.ts';
import { History } from '../../lib/history/history.ts';
import { HistoryReader } from '../../lib/history/reader.ts';
import { useMailbox } from '../support/table.ts';
import { sumOf, unitsOf } from '../support/units.ts';

const mailbox = useMailbox();
const NOW = 1_900_000_000;

const copies = (count: number): CopyRef[] =>
  Array.from({ length: count }, (_, n) => ({ device: randomDeviceId(), id: n, user: randomKey('u') }));

const fannedOut = (chunks: number): Entry => ({
  owner: randomKey('u'),
  id: 1,
  request: randomKey('r'),
  app: { id: 1, name: 'Tests' },
  priority: 0,
  receivedAt: NOW,
  expiresAt: NOW + 600,
  users: chunks * 20,
  chunks,
});

const history = () => new History({ mailbox: mailbox(), log: (_level, message) => assert.fail(message) });

/** All copies of a message, page by page, as a sender looks at them. */
async function pagesOf(entry: Entry): Promise<CopyRef[][]> {
  const reader = new HistoryReader(mailbox(), () => NOW * 1000);
  const pages: CopyRef[][] = [];
  let after: number | undefined;
  do {
    const page = await reader.copies(entry, after);
    pages.push(page.items);
    ({ after } = page);
  } while (after !== undefined);
  return pages;
}

test('each chunk is a partition of its own, and costs a unit for each dozen copies', async () => {
  const { request } = fannedOut(3);
  const add = (chunk: number, of: CopyRef[]) =>
    unitsOf(mailbox(), () => history().addChunk({ request, umid: 1, chunk }, of, NOW));

  const units = [await add(0, copies(12)), await add(1, copies(60)), await add(2, copies(1))].map(sumOf);

  assert.deepEqual(units, [1, 5, 1]);
  assert.equal(new Set(chunkKeys(request, 3).map(({ pk }) => pk)).size, 3);
});

test('pages give each copy once, whichever chunks are done, and in whatever order they were', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.integer({ min: 0, max: 29 }), { maxLength: 12 }),
      fc.constantFrom(1, 40, 130),
      async (done, size) => {
        const entry = fannedOut(30);
        const noted: CopyRef[] = [];
        for (const chunk of done) {
          const of = copies(size);
          noted.push(...of);
          // A chunk that comes twice adds nothing.
          for (const some of [of.slice(1), of])
            await history().addChunk({ request: entry.request, umid: 1, chunk }, some, NOW);
        }

        const pages = await pagesOf(entry);

        const texts = (of: CopyRef[]) => of.map(({ device, user }) => `${device} ${user}`).sort();
        assert.deepEqual(texts(pages.flat()), texts(noted));
        assert.ok(pages.every(({ length }) => length < 100 + size));
      },
    ),
    { numRuns: 15, seed: 45 },
  );
});
