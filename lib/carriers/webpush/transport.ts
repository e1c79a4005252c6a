/**
 * POSTs to push services: over kept HTTP/2 sessions where the service speaks it, as the large ones do and RFC 8030
 * asks for, else over HTTP/1.1.
 *
 * Endpoints come from users' browsers, so anybody can name any host. Only public addresses are connected to; and the
 * hosts that nobody vouches for have sessions apart, so that slow ones among them hold up each other and not the rest.
 */

import type { SecureClientSessionOptions } from 'node:http2';
import type { LookupFunction } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { httpPost } from '../../net/post.ts';
import { createHttp2Client } from '../http2/client.ts';
import { RequestError, TimeLimitError } from '../http2/errors.ts';
import type { Answer } from '../http2/exchange.ts';

/** Push services of the browsers' makers: Chrome and Edge on Android, Firefox, Safari, Edge on Windows. */
const KNOWN = [
  /^fcm\.googleapis\.com$/,
  /^updates\.push\.services\.mozilla\.com$/,
  /\.push\.apple\.com$/,
  /\.notify\.windows\.com$/,
];

/** Whether an address is a browser maker's push service, which no user can make slow; another port of its host is not. */
export const isWellKnown = ({ hostname, port }: Pick<URL, 'hostname' | 'port'>): boolean =>
  port === '' && KNOWN.some((name) => name.test(hostname));

/**
 * Most sessions to hosts that nobody vouches for. As many as a batch may ask side by side, so that none of them waits for
 * another's session to end; those of both lanes together stay below the 1,024 files of an environment (Lambda).
 */
const MAX_STRANGER_SESSIONS = 450;

/** For how long a service is taken to speak HTTP/1.1 only, before it is asked again. Milliseconds. */
const HTTP1_LIFE = 3_600_000;

/** Most services that are remembered as speaking HTTP/1.1 only. */
const MAX_HTTP1 = 1_000;

export interface TransportOptions {
  /** Most that a request to a browser maker's service is given. Milliseconds. */
  timeout: number;
  /** Most that a request to any other host is given, and to connect to it. Milliseconds. */
  strangerTimeout: number;
  /** Resolves names; see {@link publicLookup}. */
  lookup: LookupFunction;
  /** Wall clock in milliseconds. */
  now: () => number;
}

export interface Transport {
  /**
   * POSTs to an endpoint.
   *
   * @param limit milliseconds
   * @throws {RequestError} for anything but a complete answer
   */
  post(url: URL, headers: Record<string, string>, body: Uint8Array, limit: number): Promise<Answer>;
  close(): Promise<void>;
}

/** The peer took the connection, but for HTTP/1.1. */
class NotHttp2Error extends Error {
  override readonly name = 'NotHttp2Error';
}

/** Creates a transport; connections are made when they are needed. */
export function createTransport({ timeout, strangerTimeout, lookup, now }: TransportOptions): Transport {
  const open = opener(lookup, timeout / 2);
  const known = createHttp2Client({ timeout, now, connect: open.connect });
  // A connection that is being made must not outlast the request that wants it: it would take another's place.
  const openStranger = opener(lookup, strangerTimeout);
  const strangers = createHttp2Client({
    timeout: strangerTimeout,
    connectLimit: strangerTimeout,
    now,
    connect: openStranger.connect,
    maxSessions: MAX_STRANGER_SESSIONS,
  });
  /** Origin → until when it is taken to speak HTTP/1.1 only, Unix milliseconds; oldest first. */
  const http1 = new Map<string, number>();

  function remember(origin: string): void {
    http1.delete(origin);
    http1.set(origin, now() + HTTP1_LIFE);
    for (const [oldest] of http1) {
      if (http1.size <= MAX_HTTP1) break;
      http1.delete(oldest);
    }
  }

  return {
    async post(url, headers, body, limit) {
      const { origin, pathname, search } = url;
      const deadline = performance.now() + limit;
      if ((http1.get(origin) ?? 0) < now()) {
        const client = isWellKnown(url) ? known : strangers;
        try {
          const path = `${pathname}${search}`;
          return await client.request({ origin, path, headers, body, timeout: limit });
        } catch (error) {
          if (!(error instanceof RequestError && error.cause instanceof NotHttp2Error)) throw error;
          remember(origin);
        }
      }
      const left = Math.max(1, deadline - performance.now());
      return httpPost({ url, headers, body, lookup, timeout: left });
    },
    async close() {
      open.close();
      openStranger.close();
      await Promise.all([known.close(), strangers.close()]);
    },
  };
}

/** Connects with the given lookup and settles when it is clear what is spoken. */
function opener(lookup: LookupFunction, limit: number) {
  const opening = new Set<TLSSocket>();

  function open(origin: URL, options: SecureClientSessionOptions): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect({
        ...options,
        host: origin.hostname,
        port: Number(origin.port || 443),
        servername: origin.hostname,
        ALPNProtocols: ['h2', 'http/1.1'],
        lookup,
      });
      opening.add(socket);
      const timer = setTimeout(
        () => socket.destroy(new TimeLimitError(`not connected within ${Math.round(limit)} ms`)),
        limit,
      );
      // Stays: an error between here and the session that takes the socket over has no other reader.
      socket.on('error', reject);
      socket.once('close', () => {
        clearTimeout(timer);
        opening.delete(socket);
        reject(new Error('the connection was closed'));
      });
      socket.once('secureConnect', () => {
        clearTimeout(timer);
        opening.delete(socket);
        if (socket.alpnProtocol === 'h2') {
          resolve(socket);
          return;
        }
        reject(new NotHttp2Error(`${origin.host} does not speak HTTP/2`));
        socket.destroy();
      });
    });
  }

  return {
    connect: open,
    close() {
      for (const socket of opening) socket.destroy();
    },
  };
}
