import { setImmediate as turn } from 'node:timers/promises';
import type { Table } from '../../lib/storage/table.ts';

/**
 * What becomes of a call of the table: it is done; it is done twice, as when the answer to the first is lost and the SDK
 * repeats it; it is done, and done once more much later, by a request that was on its way all the time; the process dies
 * before it, or after it.
 */
export type Fate = 'dies after' | 'dies before' | 'does' | 'does again later' | 'does twice';

/** What came of a piece of work: what it answered, how it failed, or nothing, since it died. */
export type Outcome<T> = { value: T } | { error: unknown } | { died: true };

/** Work against a table of its own, which is the same table for all. */
export type Work<T> = (table: Table) => Promise<T>;

/** What is called once for every call: which of those that wait goes next, and what becomes of it. */
export interface Schedule {
  /** @param waiting how many wait @returns below that */
  next(waiting: number): number;
  fate?(): Fate;
}

interface Waiting {
  worker: number;
  run(fate: Fate): Promise<void>;
  late(): Promise<unknown>;
}

/**
 * Runs work at once, one call of the table at a time, in the order that a schedule says: between two calls of one piece
 * of work any number of calls of the others may come, which is all that concurrency can do to it.
 */
export async function interleave<T>(
  table: Table,
  works: Work<T>[],
  { next, fate = () => 'does' }: Schedule,
): Promise<Outcome<T>[]> {
  const waiting: Waiting[] = [];
  const late: (() => Promise<unknown>)[] = [];
  const outcomes: (Outcome<T> | undefined)[] = works.map(() => undefined);
  let changed = Promise.withResolvers<void>();
  const wake = () => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  for (const [worker, work] of works.entries()) {
    const send = (command: unknown): Promise<unknown> => {
      const call = () => table.client.send(command as never) as Promise<unknown>;
      return new Promise((resolve, reject) => {
        const run = async (what: Fate) => {
          if (what === 'dies before') outcomes[worker] = { died: true };
          else {
            let answer = call();
            if (what === 'does twice') answer = answer.then(call, call);
            if (what === 'dies after') outcomes[worker] = { died: true };
            const [result] = await Promise.allSettled([answer]);
            if (outcomes[worker]) return;
            if (result.status === 'fulfilled') resolve(result.value);
            else reject(result.reason);
          }
          // What follows from the answer comes first.
          await turn();
        };
        waiting.push({ worker, run, late: call });
        wake();
      });
    };
    const client = new Proxy(table.client, {
      get: (target, name) => (name === 'send' ? send : Reflect.get(target, name)),
    });
    const settle = (outcome: Outcome<T>) => {
      outcomes[worker] ??= outcome;
      wake();
    };
    void work({ client, name: table.name }).then(
      (value) => settle({ value }),
      (error: unknown) => settle({ error }),
    );
  }
  for (;;) {
    const isIdle = (_: unknown, worker: number) =>
      outcomes[worker] !== undefined || waiting.some((call) => call.worker === worker);
    while (!works.every(isIdle)) await changed.promise;
    const alive = waiting.filter(({ worker }) => outcomes[worker] === undefined);
    if (alive.length === 0 && late.length === 0) return outcomes as Outcome<T>[];
    const chosen = next(alive.length + late.length);
    const call = alive[chosen];
    if (!call) {
      const [again] = late.splice(chosen - alive.length, 1);
      await Promise.allSettled([again!()]);
      continue;
    }
    waiting.splice(waiting.indexOf(call), 1);
    const what = fate();
    await call.run(what);
    if (what === 'does again later') late.push(call.late);
  }
}
