/** Calls whose limits take no time. */
import { mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';

/**
 * Waits for a call while a clock of the test's goes on, a two hundredth of the limit with each turn of the event loop, in
 * which real sockets are read.
 *
 * @param limit of one try, milliseconds
 * @returns how it ended (`done`, or the error's name), and how long that took by this clock
 */
export async function timed(
  work: () => Promise<unknown>,
  { limit }: { limit: number },
): Promise<{ ended: string; time: number }> {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    let ended: string | undefined;
    work().then(
      () => {
        ended = 'done';
      },
      (error: Error) => {
        ended = error.name;
      },
    );
    let time = 0;
    for (; ended === undefined; time += limit / 200) {
      mock.timers.tick(limit / 200);
      await turn();
    }
    return { ended, time };
  } finally {
    mock.timers.reset();
  }
}
