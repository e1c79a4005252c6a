/** Tests of the app's store, in the browser and the Peal of `web.test.ts`. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { NewMessage } from '../../lib/device/index.ts';
import { bundleScript } from '../browser/chromium.ts';
import type { Step, View } from './store-page.ts';
import type { Web } from './use-web.ts';

export function store({ visit }: Web): void {
  test('the store in IndexedDB does what the store in memory does', async (t) => {
    // The browser asks for an icon of a page that names none.
    const at = await visit(t, /status of 403/);
    const page = await at.open('/config.json');
    await page.evaluate(await bundleScript(join(import.meta.dirname, 'store-page.ts')));
    const compare = (steps: Step[]) =>
      page.evaluate((all) => (window as unknown as StorePage).compare(all), steps);

    const identities = await page.evaluate(() => (window as unknown as StorePage).identities());
    await fc.assert(
      fc.asyncProperty(fc.array(STEP, { maxLength: 12 }), async (steps) => {
        const [inMemory, inBrowser] = await compare(steps);
        assert.deepEqual(inBrowser, inMemory);
      }),
      { numRuns: 60 },
    );

    assert.deepEqual(identities, ['s', undefined, 'd', true, true]);
  });
}

interface StorePage {
  compare(steps: Step[]): Promise<[View, View]>;
  identities(): Promise<unknown[]>;
}

const ID = fc.integer({ min: 1, max: 5 });

/** Messages of few ids, so that they meet: readable ones, some of which expire, and unreadable ones. */
const MESSAGE: fc.Arbitrary<NewMessage> = ID.chain((id) =>
  fc.oneof(
    fc.record({ expires: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }) }).map(
      ({ expires }): NewMessage => ({
        kind: 'message',
        id,
        message: {
          id,
          umid: id,
          app: 'App',
          aid: 1,
          icon: 'default',
          date: 1,
          message: `${expires}`,
          priority: 0,
          ...(expires !== undefined && { expires }),
        },
      }),
    ),
    fc.constant<NewMessage>({ kind: 'unreadable', id, reason: 'version', kept: { sealed: 'AA==' } }),
  ),
);

const STEP: fc.Arbitrary<Step> = fc.oneof(
  fc.array(MESSAGE, { maxLength: 4 }).map((messages): Step => ({ op: 'add', messages })),
  fc.array(ID, { minLength: 1, maxLength: 3 }).map((ids): Step => ({ op: 'remove', ids })),
  fc.array(ID, { maxLength: 3 }).map((ids): Step => ({ op: 'shown', ids })),
  fc
    .record({
      id: ID,
      attachment: fc.oneof(
        fc.array(fc.nat(255), { maxLength: 4 }),
        fc.constantFrom('gone' as const, 'damaged' as const),
      ),
    })
    .map((given): Step => ({ op: 'attachment', ...given })),
);
