/** Processes that are started ahead, so that a cold start has only the bundle left to load. */
import { type BootOptions, boot, type Environment } from './environment.ts';

/** Keeps one waiting process for each way of starting. Share one among functions that start alike. */
export interface Spares {
  /** A process that was started ahead, or else a new one. */
  take(options: BootOptions): Environment;
  /** Has one waiting for the next `take`. Call it when the machine is not busy with a cold start. */
  refill(options: BootOptions): void;
  close(): Promise<void>;
}

/** @param ahead whether any are started before they are taken */
export function createSpares(ahead = true): Spares {
  const waiting = new Map<string, Environment>();
  let closed = false;
  return {
    take(options) {
      const key = JSON.stringify(options);
      const spare = waiting.get(key);
      waiting.delete(key);
      return spare === undefined || spare.dead ? boot(options) : spare;
    },
    refill(options) {
      const key = JSON.stringify(options);
      if (!ahead || closed || waiting.get(key)?.dead === false) return;
      waiting.set(key, boot(options));
    },
    async close() {
      closed = true;
      const all = [...waiting.values()];
      waiting.clear();
      for (const spare of all) spare.kill();
      await Promise.all(all.map((spare) => spare.gone));
    },
  };
}
