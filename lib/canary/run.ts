import { randomUUID } from 'node:crypto';
import { createListener, createMemoryStore, type Listener, type PealApi } from '../device/index.ts';
import type { Log } from '../log.ts';
import type { Count } from '../metrics.ts';
import type { Canary } from './credentials.ts';

/** What a run of the canary needs. */
export interface CanaryContext {
  api: PealApi;
  /** The WebSocket's address. */
  socket: string;
  log: Log;
  count: Count;
  /** Unix milliseconds. */
  clock(): number;
}

/** Limits of a run, milliseconds. Together with the calls' own they stay below the function's. */
const CONNECT = 10_000;
const ARRIVE = 20_000;

/** How long its messages live, should nobody acknowledge them. Seconds. */
const LIFE = 600;

/**
 * Sends a message to itself over the public API as a sender would, and receives it as a device would: signalled over
 * the socket, synced, opened with its key, and acknowledged. Measures how long either took.
 *
 * Nothing is kept between runs. What a run that died has left is synced and acknowledged with the next one's first sync;
 * and it expires. Of two runs at once the later takes the socket from the earlier, which is told so and ends without a
 * word: one that is overtaken proves nothing, good or bad. The later acknowledges the other's message along with its own.
 *
 * @throws Error that says which step failed
 */
export async function runCanary({ token, identity }: Canary, context: CanaryContext): Promise<void> {
  const { api, clock, count, log } = context;
  const message = `canary ${randomUUID()}`;
  const store = createMemoryStore();
  await store.setIdentity(identity);
  const connected = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<number>();
  // Nobody may be waiting for these when they are rejected.
  for (const { promise } of [connected, arrived]) promise.catch(() => undefined);
  let overtaken = false;
  let trouble: unknown;
  const listener = createListener({
    api,
    socket: context.socket,
    store,
    onMessage(stored) {
      if (stored.kind === 'message' && stored.message.message === message) arrived.resolve(clock());
    },
    onError(error) {
      trouble = error;
    },
    onState({ state }) {
      if (state === 'connected') connected.resolve();
    },
    onEnd(end) {
      overtaken = end === 'replaced';
      for (const { reject } of [connected, arrived]) reject(new Error(`the device is ${end}`));
    },
  });
  const step = async <T>(name: string, work: Promise<T>, limit: number): Promise<T> => {
    try {
      return await within(work, limit);
    } catch (error) {
      const also = trouble === undefined ? '' : ` (${String(trouble)})`;
      throw new Error(`the canary could not ${name}: ${String(error)}${also}`, { cause: error });
    }
  };
  try {
    await listener.start();
    await step('connect', connected.promise, CONNECT);
    const start = clock();
    const sent = api.sendMessage({ token, user: identity.user, message, ttl: LIFE });
    const { request } = await step('send', sent, ARRIVE);
    const accepted = clock() - start;
    const arrival = (await step('receive', arrived.promise, ARRIVE)) - start;
    trouble = undefined;
    await step('acknowledge', acknowledged(listener), ARRIVE);
    if (trouble !== undefined) throw new Error(`the canary could not acknowledge: ${String(trouble)}`);
    count('CanaryAccept', accepted);
    count('CanaryArrival', arrival);
    count('CanaryFailed', 0);
    log('info', 'the canary has got its message', { request, accepted, arrival });
  } catch (error) {
    if (!overtaken) throw error;
    count('CanaryFailed', 0);
    log('info', 'another run of the canary took over', {});
  } finally {
    await listener.stop();
  }
}

/** A message is shown beside its acknowledgement: once nothing is under way any more, that has been answered as well. */
function acknowledged(listener: Listener): Promise<void> {
  return listener.stop();
}

async function within<T>(work: Promise<T>, limit: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing within ${limit / 1000} s`)), limit);
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
  }
}
