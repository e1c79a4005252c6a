/** Opening connections on which HTTP/2 is spoken. */

import type { SecureClientSessionOptions } from 'node:http2';
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { TimeLimitError } from './errors.ts';

/** Opens a connection on which HTTP/2 is spoken; rejects if there is none. Limits its own time. */
export type Connect = (origin: URL, options: SecureClientSessionOptions) => Promise<TLSSocket>;

/** Most TLS sessions that are kept to be resumed. */
const MAX_RESUMABLE = 100;

/** Connects to whatever address an origin's name has, within a time limit in milliseconds. */
export function connectTls(
  origin: URL,
  options: SecureClientSessionOptions,
  limit: number,
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const host = origin.hostname.replace(/^\[(.*)\]$/, '$1');
    const socket = connect({
      ...options,
      host,
      port: Number(origin.port || 443),
      ALPNProtocols: ['h2'],
      // A server name is never an address (RFC 6066, section 3).
      ...(isIP(host) === 0 && { servername: host }),
    });
    const timer = setTimeout(() => {
      socket.destroy(new TimeLimitError(`not connected within ${Math.round(limit)} ms`));
    }, limit);
    timer.unref();
    // Stays: an error between here and the connection that takes the socket over has no other reader.
    socket.on('error', reject);
    socket.once('close', () => {
      clearTimeout(timer);
      reject(new Error('the connection was closed'));
    });
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      if (socket.alpnProtocol === 'h2') {
        resolve(socket);
        return;
      }
      reject(new Error(`${origin.host} does not speak HTTP/2`));
      socket.destroy();
    });
  });
}

/** TLS sessions by origin, so that the next connection to it need not begin from nothing (RFC 8446, section 2.2). */
export class Resumption {
  readonly #tickets = new Map<string, Buffer>();

  options(origin: string): SecureClientSessionOptions {
    const session = this.#tickets.get(origin);
    return session ? { session } : {};
  }

  keep(origin: string, socket: TLSSocket): void {
    socket.on('session', (ticket: Buffer) => {
      this.#tickets.delete(origin);
      this.#tickets.set(origin, ticket);
      for (const [oldest] of this.#tickets) {
        if (this.#tickets.size <= MAX_RESUMABLE) break;
        this.#tickets.delete(oldest);
      }
    });
  }

  /** The connection did not work: begin from nothing. */
  forget(origin: string): void {
    this.#tickets.delete(origin);
  }
}
