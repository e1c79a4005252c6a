/** One Peal for the test files of a process: starting one, and each of its functions, costs more than most files do. */
import type { PealConfig } from '#config';
import { openPeal, type TestPeal } from './peal.ts';

/** Rounds of emptying the queues until nothing that runs fills them again. */
const ROUNDS = 20;

/** By configuration; undefined where every file has its own. */
let shared: Map<string, Promise<TestPeal>> | undefined;

/** From now on, files that ask for nothing but a configuration have one Peal with it, one file after another. */
export function sharePeals(): void {
  shared = new Map();
}

/** Ends the Peals that files have shared. */
export async function endSharedPeals(): Promise<void> {
  const all = [...(shared?.values() ?? [])];
  shared = undefined;
  for (const peal of all) await (await peal).close();
}

/**
 * The Peal of this process with a configuration, for one file, and the lines that it logs from now on.
 *
 * @returns undefined where every file starts one of its own; `close` empties it for the next file
 */
export async function sharedPeal(config?: PealConfig): Promise<TestPeal | undefined> {
  if (!shared) return undefined;
  const key = JSON.stringify(config ?? {});
  const opened = shared.get(key) ?? openPeal(config && { config });
  shared.set(key, opened);
  const peal = await opened;
  peal.lines.length = 0;
  return { ...peal, close: () => rinse(peal) };
}

/**
 * Takes away what would reach into the next file: what waits on the queues, what still runs, what the carriers were
 * told and have taken. What is stored stays; a test has accounts of its own.
 */
async function rinse({ cloud, carriers }: TestPeal): Promise<void> {
  const { engine, front } = cloud;
  const queues = [...engine.queues.values()];
  const waiting = ({ name }: { name: string }) => {
    const { ready, delayed, inFlight } = engine.queueState(name);
    return ready + delayed + inFlight > 0;
  };
  for (let round = 0; round === 0 || queues.some(waiting); round++) {
    if (round === ROUNDS) throw new Error('the queues do not become empty');
    for (const { url } of queues.filter(waiting)) {
      await front.send('local-root', 'sqs', 'PurgeQueue', { QueueUrl: url });
    }
    await Promise.all(engine.pollers.map((poller) => poller.drained()));
  }
  carriers.faults.clear();
  front.faults.clear();
  carriers.notes.clear();
  carriers.journal.clear();
  cloud.meter.reset();
}
