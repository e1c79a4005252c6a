/** A connection in the pool, and what the pool knows of it. */

import type { TLSSocket } from 'node:tls';
import { Connection, type ConnectionEvents } from './connection.ts';
import type { Done, Exchange } from './exchange.ts';

export interface SessionRequest {
  path: string;
  headers: Record<string, string>;
  body: string | Uint8Array;
}

export class Session {
  readonly origin: string;
  /** Wall clock in milliseconds. */
  usedAt = 0;
  /** Takes no new requests. */
  retired = false;
  /** The peer has answered as to somebody it knows. */
  proven = false;
  check: Promise<void> | undefined;
  readonly #authority: string;
  readonly #connection: Connection;

  constructor(origin: URL, socket: TLSSocket, events: ConnectionEvents) {
    this.origin = origin.origin;
    this.#authority = origin.host;
    socket.setNoDelay(true);
    // Requests in flight have timers that keep the process; a connection that waits for the next one does not.
    socket.unref();
    this.#connection = new Connection(socket, events);
  }

  get destroyed(): boolean {
    return this.#connection.destroyed;
  }

  get streams(): number {
    return this.#connection.streams;
  }

  get hasRoom(): boolean {
    return !this.retired && this.#connection.hasRoom;
  }

  /** See {@link Connection.request}. */
  post({ path, headers, body }: SessionRequest, done: Done): Exchange {
    const pseudo = { ':method': 'POST', ':scheme': 'https', ':authority': this.#authority, ':path': path };
    return this.#connection.request(pseudo, headers, body, done);
  }

  abandon(exchange: Exchange): void {
    this.#connection.abandon(exchange);
  }

  /** Whether the peer answers a PING within so many milliseconds. */
  ping(limit: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), limit);
      this.#connection.ping((alive) => {
        clearTimeout(timer);
        resolve(alive);
      });
    });
  }

  /** Ends at once; exchanges fail. */
  end(error?: Error): void {
    this.#connection.destroy(error);
  }
}
