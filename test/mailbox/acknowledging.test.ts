/**
 * Orders of storing, syncing and acknowledging. The fault of this kind: a server concludes from an acknowledgement, or
 * from its own answers, that a device has what it was never given.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Mailbox } from '../../lib/mailbox/mailbox.ts';
import { acknowledgedKey } from '../../lib/mailbox/traces.ts';
import { MemoryTable, type Step } from '../support/memory-table.ts';

const DEVICE = 'd'.repeat(40);
const NOTED = acknowledgedKey({ device: DEVICE, id: 0 }).pk;
const NOW = 1_800_000_000_000;
const IDS = 6;

/** Messages on a page. */
const PAGE = 2;

/** A request that ends at some step, and what it has done until then stays. */
class Died extends Error {}

/** A mailbox of one device, and what the device has been given. */
function world() {
  /** What has arrived in an answer, in whichever context of the device. */
  const arrived = new Set<number>();
  const reported = new Set<unknown>();
  const noted: number[] = [];
  const memory = new MemoryTable({
    onDelete({ pk, sk, attachment }) {
      if (pk !== DEVICE) return;
      assert.ok(arrived.has(sk as number), `message ${sk} was deleted and had never arrived`);
      assert.ok(attachment === undefined || reported.has(attachment), `attachment of ${sk} was not reported`);
    },
    onPut({ pk, sk }) {
      if (pk === NOTED) noted.push(sk as number);
    },
  });
  const attachments = {
    report: async (id: string) => reported.add(id).size > 0,
    remove: async () => {},
  };
  const waiting = () =>
    memory.partition(DEVICE).flatMap(({ sk }) => ((sk as number) > 0 ? [sk as number] : []));

  const at = (step: Step = async () => {}) => {
    const mailbox = new Mailbox(memory.table(step), () => NOW);
    return {
      store: (id: number) =>
        mailbox.put({
          device: DEVICE,
          id,
          umid: id,
          user: 'u',
          priority: 0,
          expiresAt: NOW / 1000 + 3600,
          request: `r${id}`,
          kind: 'plain',
          body: new Uint8Array(1),
          ...(id % 3 === 0 && { attachment: `a${id}` }),
        }),
      sync: async (after = 0) => {
        const page = { device: DEVICE, after, weigh: () => 1, maxBytes: PAGE, recorded: true };
        const { messages, more } = await mailbox.page(page);
        return { ids: messages.map(({ id }) => id), more };
      },
      upTo: (id: number) => mailbox.acknowledgeUpTo(DEVICE, id, attachments),
      byIds: (ids: number[]) => mailbox.acknowledge(DEVICE, ids, attachments),
    };
  };
  return { at, arrived, noted, waiting };
}

test('of two syncs at once, neither overwrites what the other has recorded', async () => {
  const { at, arrived, waiting } = world();
  /** Lets a sync look into the mailbox, and holds back what it does next. */
  const halfway = async () => {
    const release = Promise.withResolvers<void>();
    const looked = Promise.withResolvers<void>();
    // A step before the query, one for each item and one for the record; then it writes.
    let steps = waiting().length + 2;
    const synced = at(async () => {
      if (steps-- > 0) return;
      looked.resolve();
      await release.promise;
    }).sync();
    await looked.promise;
    return { release: release.resolve, synced };
  };
  await at().store(2);
  const first = await halfway();
  await at().store(1);
  const second = await halfway();

  first.release();
  for (const id of (await first.synced).ids) arrived.add(id);
  second.release();
  const lost = await second.synced;
  await at().upTo(2);

  assert.deepEqual([[...arrived], lost.ids], [[2], [1, 2]]);
  assert.deepEqual(waiting(), [1]);
});

/** What a context of the device does. Which id it names is chosen of those that it has been given by then. */
type Act =
  | { kind: 'sync'; continued: boolean; lost: boolean }
  | { kind: 'upTo'; pick: number; dies?: number | undefined }
  | { kind: 'byIds'; pick: number; dies?: number | undefined };

const dies = fc.option(fc.nat(6), { nil: undefined, freq: 3 });
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('sync' as const), continued: fc.boolean(), lost: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('upTo' as const), pick: fc.nat(9), dies }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('byIds' as const), pick: fc.nat(9), dies }) },
);

/** Several contexts of a device: browser tabs, or clients that were given the same device. */
const contexts = fc.array(fc.array(act, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 3 });

/** In the order in which workers come to store them; one that is in it twice is a repeat of its worker. */
const stores = fc.array(fc.integer({ min: 1, max: IDS }), { minLength: 2, maxLength: IDS + 1 });

/** Does everything, in an order of the scheduler's choice: whatever a request does may be overtaken at any step. */
async function perform(s: fc.Scheduler, plan: { contexts: Act[][]; stores: number[] }) {
  const { at, arrived, ...rest } = world();
  const turn = () => s.schedule(Promise.resolve());
  const failing = (dies: number | undefined): Step => {
    let left = dies ?? Number.POSITIVE_INFINITY;
    return async () => {
      if (left-- === 0) throw new Died();
      await turn();
    };
  };
  const store = async () => {
    for (const id of plan.stores) {
      await turn();
      await at(turn).store(id);
    }
  };
  const context = async (acts: Act[]) => {
    /** What has arrived in this one, the last answer at the end. */
    const given: number[] = [];
    for (const one of acts) {
      await turn();
      const named = given.at(-1 - ((one.kind === 'sync' ? 0 : one.pick) % Math.max(given.length, 1)));
      if (one.kind === 'sync') {
        const { ids } = await at(turn).sync(one.continued ? given.at(-1) : 0);
        await turn();
        if (one.lost) continue;
        given.push(...ids);
        for (const id of ids) arrived.add(id);
      } else if (named !== undefined) {
        const { upTo, byIds } = at(failing(one.dies));
        const acknowledged = one.kind === 'upTo' ? upTo(named) : byIds([named, named, 999]);
        await acknowledged.catch((error) => assert.ok(error instanceof Died, error));
      }
    }
  };
  await s.waitFor(Promise.all([store(), ...plan.contexts.map(context)]));
  return { at, arrived, ...rest };
}

const plans = fc.record({ contexts, stores });

test('no order of requests deletes a message, or counts it as acknowledged, that has not arrived', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), plans, async (s, plan) => {
      const { arrived, noted } = await perform(s, plan);

      assert.deepEqual(
        noted.filter((id) => !arrived.has(id)),
        [],
      );
    }),
    { seed: 20_261, numRuns: 200 },
  );
});

test('after any of them, a client that syncs and acknowledges in peace empties the mailbox', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), plans, fc.boolean(), async (s, plan, walks) => {
      const { at, arrived, waiting } = await perform(s, plan);
      const { sync, upTo } = at();

      const left = waiting().length;
      for (let round = 0; round < left; round++) {
        let page = await sync();
        for (const id of page.ids) arrived.add(id);
        while (walks && page.more) {
          page = await sync(page.ids.at(-1));
          for (const id of page.ids) arrived.add(id);
        }
        if (page.ids.length > 0) await upTo(page.ids.at(-1)!);
      }

      assert.deepEqual(waiting(), []);
    }),
    { seed: 20_262, numRuns: 80 },
  );
});
