/** Starts dynalite, the DynamoDB emulator, in this process and on a loopback port. */
import type { RequestListener, Server } from 'node:http';
import { createRequire } from 'node:module';
import { listen } from '../network/listen.ts';

/** A running emulator. */
export interface Emulator {
  /** What answers its requests. */
  listener: RequestListener;
  close(): Promise<void>;
}

interface DynaliteOptions {
  /** Folder of the LevelDB; in memory without it. */
  path?: string;
  /** Milliseconds that a table stays in the status CREATING, DELETING or UPDATING. */
  createTableMs: number;
  deleteTableMs: number;
  updateTableMs: number;
}

// The package has no types of its own.
const dynalite = createRequire(import.meta.url)('dynalite') as (options: DynaliteOptions) => Server;

/**
 * @param path folder that keeps the tables; forgotten at close without it
 */
export async function startDynalite(path?: string): Promise<Emulator & { port: number }> {
  const options: DynaliteOptions = { createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 };
  if (path !== undefined) options.path = path;
  const server = dynalite(options);
  server.keepAliveTimeout = 60_000;
  return {
    port: await listen(server, 0),
    listener: server.listeners('request')[0] as RequestListener,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}
