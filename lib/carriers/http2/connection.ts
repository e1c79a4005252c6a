/**
 * The client's side of one HTTP/2 connection (RFC 9113), for short requests and answers: bodies are at hand when a
 * request begins, answers are read as a whole, nothing is pushed. What one turn of the event loop sends goes out in
 * one write.
 */

import type { Duplex } from 'node:stream';
import { BodySender } from './body-sender.ts';
import { ConnectionError, ErrorCode, RequestError, UnprocessedError } from './errors.ts';
import { type Answer, type Done, Exchange, StreamError } from './exchange.ts';
import {
  DEFAULT_WINDOW,
  Flag,
  FrameType,
  MAX_STREAM_ID,
  PREFACE,
  putFrame,
  putNumbers,
  putSettings,
  Setting,
} from './frames.ts';
import { MAX_HEADER_LIST_BYTES, putHeaders } from './header-blocks.ts';
import { HpackEncoder } from './hpack-encoder.ts';
import { Incoming } from './incoming.ts';
import { Output } from './output.ts';
import { PeerSettings } from './peer-settings.ts';

/** Of a stream: larger than an answer may be, so that the usual one needs no WINDOW_UPDATE. Bytes. */
const STREAM_WINDOW = 128 * 1024;
const CONNECTION_WINDOW = 1024 * 1024;
/** So much is written at once without waiting for the rest of the turn: the peer can begin. Bytes. */
const FLUSH_BYTES = 16 * 1024;
/** Most answers to PING and SETTINGS that a peer who does not read them is owed. */
const MAX_OWED = 1000;

/** What a connection tells its owner. */
export interface ConnectionEvents {
  /** The peer's first SETTINGS are here: requests may begin. */
  ready(): void;
  /** An exchange ended or the peer allows more of them. */
  room(): void;
  /** The peer takes no more requests; those that it has may still be answered. */
  goaway(): void;
  /** Once, when there is nothing any more. */
  closed(error: Error | undefined): void;
}

export class Connection {
  readonly #socket: Duplex;
  readonly #events: ConnectionEvents;
  readonly #open = new Map<number, Exchange>();
  readonly #output = new Output();
  readonly #incoming = new Incoming({
    data: (...frame) => this.#data(...frame),
    opens: (stream) => void this.#known(stream),
    section: (...section) => this.#section(...section),
    reset: (stream, code) => this.#resetByPeer(this.#known(stream), code),
    settings: (...payload) => this.#settled(...payload),
    // Of our only SETTINGS: from here on the peer's encoder has no table.
    settingsAck: () => this.#incoming.limitTable(0),
    ping: (payload) => this.#pinged(payload),
    pingAck: (payload) => this.#ponged(payload),
    goaway: (lastStream) => this.#goneAway(lastStream),
    windowUpdate: (stream, by) => this.#windowUpdate(stream, by),
  });
  readonly #encoder = new HpackEncoder();
  readonly #sender = new BodySender(this.#output);
  readonly #settings = new PeerSettings();
  readonly #pings = new Map<number, (answered: boolean) => void>();
  #pingCount = 0;
  #nextId = 1;
  #goaway = false;
  #unreturned = 0;
  #owed = 0;
  #flushing = false;
  #destroyed = false;

  /** @param socket connected, TLS and ALPN done; the connection takes it over */
  constructor(socket: Duplex, events: ConnectionEvents) {
    this.#socket = socket;
    this.#events = events;
    this.#output.reserve(PREFACE.length);
    this.#output.at += PREFACE.copy(this.#output.buffer, this.#output.at);
    putSettings(this.#output, [
      [Setting.HEADER_TABLE_SIZE, 0],
      [Setting.ENABLE_PUSH, 0],
      [Setting.INITIAL_WINDOW_SIZE, STREAM_WINDOW],
      [Setting.MAX_HEADER_LIST_SIZE, MAX_HEADER_LIST_BYTES],
    ]);
    putNumbers(this.#output, FrameType.WINDOW_UPDATE, 0, CONNECTION_WINDOW - DEFAULT_WINDOW);
    this.#flush();
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => this.destroy(error));
    socket.on('end', () => this.destroy());
    socket.on('close', () => this.destroy());
  }

  get destroyed(): boolean {
    return this.#destroyed;
  }

  /** Open exchanges. */
  get streams(): number {
    return this.#open.size;
  }

  /** Whether another request may begin. */
  get hasRoom(): boolean {
    return (
      this.#settings.received &&
      !this.#destroyed &&
      !this.#goaway &&
      this.#open.size < this.#settings.maxStreams &&
      this.#nextId <= MAX_STREAM_ID
    );
  }

  /**
   * Begins a request; only while there is {@link hasRoom}. `done` is called exactly once, and not before this returns.
   *
   * @throws {TypeError} if a header cannot be sent; `done` is not called then
   */
  request(
    pseudo: Record<string, string>,
    headers: Record<string, string>,
    body: string | Uint8Array,
    done: Done,
  ): Exchange {
    const id = this.#nextId;
    const ends = body.length === 0;
    putHeaders(this.#output, this.#encoder, { id, pseudo, headers, ends }, this.#sender.frameSize);
    this.#nextId += 2;
    const exchange = new Exchange(id, this.#sender.initialWindow, done);
    this.#open.set(id, exchange);
    if (!ends) this.#sender.send(exchange, body);
    if (this.#output.length >= FLUSH_BYTES) this.#flush();
    else this.#flushSoon();
    return exchange;
  }

  /** Gives an exchange up without calling its `done`. */
  abandon(exchange: Exchange): void {
    if (this.#open.get(exchange.id) !== exchange) return;
    this.#reset(exchange.id, ErrorCode.CANCEL);
    this.#remove(exchange);
    this.#events.room();
  }

  /** Asks whether the peer is there; answers with false when the connection ends first. */
  ping(answered: (alive: boolean) => void): void {
    if (this.#destroyed) {
      answered(false);
      return;
    }
    const number = ++this.#pingCount;
    this.#pings.set(number, answered);
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(number, 4);
    putFrame(this.#output, FrameType.PING, 0, 0, payload);
    this.#flushSoon();
  }

  /** Ends at once. Exchanges fail. */
  destroy(error?: Error): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    if (!this.#socket.destroyed && this.#socket.writable) {
      const code = error instanceof ConnectionError ? error.code : ErrorCode.NO_ERROR;
      putNumbers(this.#output, FrameType.GOAWAY, 0, 0, code);
      this.#flush();
    }
    this.#socket.destroy();
    const open = [...this.#open.values()];
    this.#open.clear();
    const reason = new RequestError(
      'closed',
      error?.message ?? 'the connection ended without an answer',
      error,
    );
    for (const exchange of open) exchange.done(reason);
    for (const answered of this.#pings.values()) answered(false);
    this.#pings.clear();
    this.#events.closed(error);
  }

  #read(chunk: Buffer): void {
    if (this.#destroyed) return;
    try {
      this.#incoming.push(chunk);
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      this.destroy(error);
      return;
    }
    if (!this.#destroyed && this.#output.length > 0) this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      if (!this.#destroyed) this.#flush();
    });
  }

  #flush(): void {
    const parts = this.#output.take();
    if (parts.length > 1) this.#socket.cork();
    for (const part of parts) this.#socket.write(part, this.#written);
    if (parts.length > 1) this.#socket.uncork();
  }

  /** The peer reads. */
  readonly #written = (): void => {
    this.#owed = 0;
  };

  /** The exchange on a stream; undefined if it is over. @throws {ConnectionError} if there never was one */
  #known(stream: number): Exchange | undefined {
    if (stream % 2 === 0 || stream >= this.#nextId)
      throw protocol(`a frame on stream ${stream}, which is not ours`);
    return this.#open.get(stream);
  }

  #data(stream: number, bytes: Buffer, start: number, end: number, ends: boolean, size: number): void {
    const exchange = this.#known(stream);
    this.#unreturned += size;
    if (this.#unreturned >= CONNECTION_WINDOW / 2) {
      putNumbers(this.#output, FrameType.WINDOW_UPDATE, 0, this.#unreturned);
      this.#unreturned = 0;
    }
    if (!exchange) return;
    this.#guarded(exchange, () => {
      exchange.data(bytes, start, end);
      if (ends) {
        this.#finish(exchange);
        return;
      }
      exchange.unreturned += size;
      if (exchange.unreturned < STREAM_WINDOW / 2) return;
      putNumbers(this.#output, FrameType.WINDOW_UPDATE, stream, exchange.unreturned);
      exchange.unreturned = 0;
    });
  }

  #section(stream: number, fields: readonly string[], ends: boolean): void {
    const exchange = this.#open.get(stream);
    if (!exchange) return;
    this.#guarded(exchange, () => {
      exchange.head(fields, ends);
      if (ends) this.#finish(exchange);
    });
  }

  /** Does what may turn out to be wrong with one stream alone. */
  #guarded(exchange: Exchange, act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      this.#reset(exchange.id, error.code);
      this.#end(exchange, new RequestError(error.tooLarge ? 'too-large' : 'reset', error.message, error));
    }
  }

  #finish(exchange: Exchange): void {
    const answer = exchange.answer();
    // Answered before it had all of the body: it does not want the rest (section 8.1).
    if (exchange.rest) this.#reset(exchange.id, ErrorCode.CANCEL);
    this.#end(exchange, answer);
  }

  #resetByPeer(exchange: Exchange | undefined, code: number): void {
    if (!exchange) return;
    const error =
      code === ErrorCode.REFUSED_STREAM
        ? new UnprocessedError('reset', 'the peer refused the stream')
        : new RequestError('reset', `the peer reset the stream (code ${code})`);
    this.#end(exchange, error);
  }

  #end(exchange: Exchange, result: Answer | RequestError): void {
    this.#remove(exchange);
    exchange.done(result);
    if (!this.#destroyed) this.#events.room();
  }

  #remove(exchange: Exchange): void {
    this.#sender.drop(exchange);
    this.#open.delete(exchange.id);
  }

  #reset(stream: number, code: number): void {
    putNumbers(this.#output, FrameType.RST_STREAM, stream, code);
    this.#flushSoon();
  }

  #settled(bytes: Buffer, start: number, end: number): void {
    const first = !this.#settings.received;
    this.#settings.read(bytes, start, end);
    this.#encoder.limit(this.#settings.headerTableSize);
    this.#sender.frameSize = this.#settings.frameSize;
    if (this.#settings.initialWindow !== this.#sender.initialWindow)
      this.#sender.resize(this.#settings.initialWindow, this.#open.values());
    this.#owe();
    putFrame(this.#output, FrameType.SETTINGS, Flag.ACK, 0, Buffer.alloc(0));
    if (first) this.#events.ready();
    else this.#events.room();
  }

  #pinged(payload: Buffer): void {
    this.#owe();
    putFrame(this.#output, FrameType.PING, Flag.ACK, 0, payload);
  }

  #ponged(payload: Buffer): void {
    const number = payload.readUInt32BE(4);
    const answered = this.#pings.get(number);
    this.#pings.delete(number);
    answered?.(true);
  }

  #owe(): void {
    if (++this.#owed > MAX_OWED)
      throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, 'the peer asks and does not read the answers');
  }

  #goneAway(lastStream: number): void {
    this.#goaway = true;
    this.#events.goaway();
    for (const exchange of [...this.#open.values()]) {
      if (exchange.id <= lastStream) continue;
      this.#remove(exchange);
      exchange.done(new UnprocessedError('closed', 'the peer goes away'));
    }
    if (!this.#destroyed) this.#events.room();
  }

  #windowUpdate(stream: number, by: number): void {
    if (stream === 0) {
      if (by === 0) throw protocol('WINDOW_UPDATE by nothing');
      this.#sender.growConnection(by);
      return;
    }
    const exchange = this.#known(stream);
    if (!exchange) return;
    this.#guarded(exchange, () => {
      if (by === 0) throw new StreamError(ErrorCode.PROTOCOL_ERROR, 'WINDOW_UPDATE by nothing');
      this.#sender.grow(exchange, by);
    });
  }
}

function protocol(message: string): ConnectionError {
  return new ConnectionError(ErrorCode.PROTOCOL_ERROR, message);
}
