/** One request at a stand-in, over HTTP/2 or HTTP/1.1, and everything that may be done to it. */

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
  /** Number of the connection it came on. */
  readonly connection: number;
  /** Answers; with `bodyAfter`, sends the headers at once and the body so many milliseconds later. */
  answer(status: number, headers: Record<string, string>, body: string, bodyAfter?: number): void;
  /** Resets the stream (HTTP/1.1: the connection). */
  reset(): void;
  /** Drops the connection without a word. */
  drop(): void;
  /** Announces that the connection takes no streams after this one. */
  goaway(): void;
  /** Changes how many streams the peer may have open. */
  allowStreams(count: number): void;
}

/** Longest body that is read: far more than a carrier takes, so that it is the carrier's check that refuses. */
const MAX_BODY_BYTES = 1024 * 1024;

const numbers = new WeakMap<object, number>();
let connections = 0;

function connectionNumber(of: object): number {
  const known = numbers.get(of);
  if (known !== undefined) return known;
  connections++;
  numbers.set(of, connections);
  return connections;
}

/** Reads an HTTP/2 request and hands it over, unless the client goes away meanwhile. */
export function readStream(
  stream: ServerHttp2Stream,
  fields: IncomingHttpHeaders,
  socket: Socket,
  handle: (asked: Asked) => void,
): void {
  const session = stream.session as ServerHttp2Session;
  // Node throws where something is said on a stream or a session that is over, and a client ends either when it likes.
  const isOver = () => stream.destroyed || stream.closed || session.destroyed;
  read(stream, (body) =>
    handle({
      method: String(fields[':method']),
      path: String(fields[':path']),
      headers: flat(fields),
      body,
      connection: connectionNumber(session),
      answer(status, headers, text, bodyAfter) {
        if (isOver()) return;
        const all = { ':status': status, ...headers };
        if (bodyAfter === undefined && text === '') {
          stream.respond(all, { endStream: true });
          return;
        }
        stream.respond(all);
        if (bodyAfter === undefined) stream.end(text);
        else later(bodyAfter, () => isOver() || stream.end(text));
      },
      reset: () => isOver() || stream.close(constants.NGHTTP2_INTERNAL_ERROR),
      // After what is to be said, a GOAWAY for instance, has gone out.
      drop: () => setImmediate(() => socket.destroySoon()),
      goaway: () => session.destroyed || session.goaway(constants.NGHTTP2_NO_ERROR, stream.id),
      allowStreams: (count) => session.destroyed || session.settings({ maxConcurrentStreams: count }),
    }),
  );
}

/** Reads an HTTP/1.1 request and hands it over, unless the client goes away meanwhile. */
export function readRequest(
  request: IncomingMessage,
  response: ServerResponse,
  handle: (asked: Asked) => void,
): void {
  const { socket } = request;
  read(request, (body) =>
    handle({
      method: request.method ?? '',
      path: request.url ?? '',
      headers: flat(request.headers),
      body,
      connection: connectionNumber(socket),
      answer(status, headers, text, bodyAfter) {
        if (response.destroyed) return;
        response.writeHead(status, headers);
        if (bodyAfter === undefined) {
          response.end(text);
          return;
        }
        response.flushHeaders();
        later(bodyAfter, () => response.destroyed || response.end(text));
      },
      reset: () => socket.destroy(),
      drop: () => socket.destroy(),
      goaway: () => response.setHeader('connection', 'close'),
      allowStreams: () => {},
    }),
  );
}

/** Does something after a while, without keeping the process for it. */
export function later(ms: number, act: () => unknown): void {
  setTimeout(act, ms).unref();
}

function flat(fields: IncomingHttpHeaders): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name in fields) {
    const value = fields[name];
    if (name[0] !== ':' && value !== undefined)
      headers[name] = typeof value === 'string' ? value : String(value);
  }
  return headers;
}

function read(source: ServerHttp2Stream | IncomingMessage, done: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  source.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
  });
  source.on('end', () => done(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
}
