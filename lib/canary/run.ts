import { randomUUID } from 'node:crypto';
import { createListener, createMemoryStore, type PealApi } from '../device/index.ts';
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

/** Limits of the steps, milliseconds. All of them together are below the function's. */
export const CANARY_LIMITS = { connect: 7_000, send: 7_000, receive: 18_000, acknowledge: 7_000 };

/** A call to the API that takes longer has failed; one is waited for at the end. Milliseconds. */
export const CANARY_CALL = 7_000;

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
  const acknowledged = Promise.withResolvers<void>();
  // Nobody may be waiting for these when they are rejected.
  for (const { promise } of [connected, arrived, acknowledged]) promise.catch(() => undefined);
  /** The id of its message; acknowledging and showing go side by side, so either may be first. */
  let own: number | undefined;
  const named = new Set<number>();
  const look = () => {
    if (own !== undefined && named.has(own)) acknowledged.resolve();
  };
  let overtaken = false;
  let trouble: unknown;
  const listener = createListener({
    api: noting(api, (ids) => {
      for (const id of ids) named.add(id);
      look();
    }),
    socket: context.socket,
    store,
    onMessage(stored) {
      if (stored.kind !== 'message' || stored.message.message !== message) return;
      own = stored.id;
      arrived.resolve(clock());
      look();
    },
    onError(error) {
      trouble = error;
    },
    onState({ state }) {
      if (state === 'connected') connected.resolve();
    },
    onEnd(end) {
      overtaken = end === 'replaced';
      for (const { reject } of [connected, arrived, acknowledged]) reject(new Error(`the device is ${end}`));
    },
  });
  const step = async <T>(name: keyof typeof CANARY_LIMITS, work: Promise<T>): Promise<T> => {
    try {
      return await within(work, CANARY_LIMITS[name]);
    } catch (error) {
      const also = trouble === undefined ? '' : ` (${String(trouble)})`;
      throw new Error(`the canary could not ${name}: ${String(error)}${also}`, { cause: error });
    }
  };
  try {
    await listener.start();
    await step('connect', connected.promise);
    const start = clock();
    const { request } = await step(
      'send',
      api.sendMessage({ token, user: identity.user, message, ttl: LIFE }),
    );
    const accepted = clock() - start;
    const arrival = (await step('receive', arrived.promise)) - start;
    await step('acknowledge', acknowledged.promise);
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

/** The same API, which tells of what it has acknowledged. */
function noting(api: PealApi, onAcknowledged: (ids: readonly number[]) => void): PealApi {
  return {
    ...api,
    withSecret: (secret) => noting(api.withSecret(secret), onAcknowledged),
    async acknowledge(device, ids) {
      await api.acknowledge(device, ids);
      onAcknowledged(ids);
    },
  };
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
