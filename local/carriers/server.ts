/** A stand-in's listener: TLS with HTTP/2 and, if wanted, HTTP/1.1, on a port of the loopback interface. */

import { createServer as createHttp1 } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import { createServer as createTls, type TLSSocket } from 'node:tls';
import { listen as listenOn } from '../network/listen.ts';
import { type Asked, readRequest, readStream } from './asked.ts';
import { mendScheme } from './scheme.ts';

export interface ListenerOptions {
  /** PEM. */
  key: string;
  /** PEM; names the hosts that the stand-in stands for. */
  cert: string;
  /** Also HTTP/1.1, and firebase-admin's odd `:scheme`. */
  lenient: boolean;
  /** SETTINGS_MAX_CONCURRENT_STREAMS of a new connection. */
  maxStreams: number;
  handle: (asked: Asked) => void;
}

export interface Listener {
  port: number;
  close(): Promise<void>;
}

/** Listens on a free port. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const sockets = new Set<TLSSocket>();
  const http1 = createHttp1((request, response) => readRequest(request, response, options.handle));
  const http2 = createHttp2({ settings: { maxConcurrentStreams: options.maxStreams } });
  // Emitting `connection` creates the session before it returns, so the socket of a session is the one at hand.
  const carriedBy = new WeakMap<object, TLSSocket>();
  let atHand: TLSSocket | undefined;
  http2.on('session', (session) => {
    if (!atHand) return;
    carriedBy.set(session, atHand);
    // Before anything else hears of it: what a session still writes to a socket that is not one of Node's own (see
    // `mendScheme`) once that has begun to close fails an assertion of Node's, which no listener can catch.
    for (const over of ['end', 'close']) atHand.prependListener(over, () => session.destroy());
  });
  http2.on('stream', (stream, headers) => {
    // A stream that its client cancels reports it as an error, which is no news to a stand-in; nor is one that has lost
    // its session by now.
    stream.on('error', () => {});
    const socket = stream.session && carriedBy.get(stream.session);
    if (socket) readStream(stream, headers, socket, options.handle);
  });
  // Clients that drop their connection are part of what is tested here.
  http2.on('sessionError', () => {});

  const tls = createTls(
    {
      key: options.key,
      cert: options.cert,
      ALPNProtocols: options.lenient ? ['h2', 'http/1.1'] : ['h2'],
    },
    (socket) => {
      sockets.add(socket);
      // node:http2 does this for sockets that it reads itself; without, each answer waits 40 ms for the peer's ACK.
      socket.setNoDelay(true);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => socket.destroy());
      atHand = socket;
      if (socket.alpnProtocol === 'h2')
        http2.emit('connection', options.lenient ? mendScheme(socket) : socket);
      else if (options.lenient) http1.emit('connection', socket);
      else socket.destroy();
    },
  );
  return {
    port: await listenOn(tls, 0),
    close: () =>
      new Promise((resolve) => {
        tls.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
