/** Sending bodies within the peer's flow control (RFC 9113, section 5.2). */

import { ConnectionError, ErrorCode } from './errors.ts';
import { type Exchange, StreamError } from './exchange.ts';
import {
  DEFAULT_FRAME_SIZE,
  DEFAULT_WINDOW,
  Flag,
  FRAME_HEADER_BYTES,
  FrameType,
  MAX_WINDOW,
  putFrameHeader,
} from './frames.ts';
import type { Output } from './output.ts';

export class BodySender {
  readonly #output: Output;
  /** Exchanges with a rest, first come first served. */
  readonly #blocked = new Set<Exchange>();
  #window = DEFAULT_WINDOW;
  /** Window of a new stream, by the peer's SETTINGS. Bytes. */
  initialWindow = DEFAULT_WINDOW;
  /** Largest payload that the peer takes, by its SETTINGS. Bytes. */
  frameSize = DEFAULT_FRAME_SIZE;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Sends a body, or keeps what of it has to wait. */
  send(exchange: Exchange, body: string | Uint8Array): void {
    if (typeof body === 'string' && this.#sendWhole(exchange, body)) return;
    exchange.rest = typeof body === 'string' ? Buffer.from(body) : body;
    this.#pump(exchange);
  }

  /** Forgets an exchange that is over. */
  drop(exchange: Exchange): void {
    if (exchange.rest === undefined) return;
    exchange.rest = undefined;
    this.#blocked.delete(exchange);
  }

  /** WINDOW_UPDATE of the connection. @throws {ConnectionError} FLOW_CONTROL_ERROR */
  growConnection(by: number): void {
    this.#window += by;
    if (this.#window > MAX_WINDOW)
      throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, 'connection window too large');
    for (const exchange of this.#blocked) {
      if (this.#window <= 0) break;
      this.#pump(exchange);
    }
  }

  /** WINDOW_UPDATE of a stream. @throws {StreamError} FLOW_CONTROL_ERROR */
  grow(exchange: Exchange, by: number): void {
    exchange.sendWindow += by;
    if (exchange.sendWindow > MAX_WINDOW)
      throw new StreamError(ErrorCode.FLOW_CONTROL_ERROR, 'stream window too large');
    if (exchange.rest) this.#pump(exchange);
  }

  /**
   * SETTINGS_INITIAL_WINDOW_SIZE, which moves the windows of open streams too, below zero even (section 6.9.2).
   *
   * @throws {ConnectionError} FLOW_CONTROL_ERROR
   */
  resize(size: number, open: Iterable<Exchange>): void {
    const by = size - this.initialWindow;
    this.initialWindow = size;
    for (const exchange of open) {
      exchange.sendWindow += by;
      if (exchange.sendWindow > MAX_WINDOW)
        throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, 'stream window too large');
      if (exchange.rest) this.#pump(exchange);
    }
  }

  /** The usual case: a text that fits one frame and both windows, encoded in place. */
  #sendWhole(exchange: Exchange, text: string): boolean {
    const most = Math.min(this.frameSize, this.#window, exchange.sendWindow);
    if (text.length > most) return false;
    const output = this.#output;
    // A UTF-16 unit becomes three bytes of UTF-8 at most.
    output.reserve(FRAME_HEADER_BYTES + text.length * 3);
    const size = output.buffer.write(text, output.at + FRAME_HEADER_BYTES, 'utf8');
    if (size > most) return false;
    putFrameHeader(output.buffer, output.at, size, FrameType.DATA, Flag.END_STREAM, exchange.id);
    output.at += FRAME_HEADER_BYTES + size;
    this.#spend(exchange, size);
    return true;
  }

  #pump(exchange: Exchange): void {
    const output = this.#output;
    for (;;) {
      const rest = exchange.rest!;
      const size = Math.min(rest.length, this.frameSize, this.#window, exchange.sendWindow);
      if (size <= 0) break;
      const last = size === rest.length;
      output.reserve(FRAME_HEADER_BYTES + size);
      putFrameHeader(output.buffer, output.at, size, FrameType.DATA, last ? Flag.END_STREAM : 0, exchange.id);
      output.buffer.set(last ? rest : rest.subarray(0, size), output.at + FRAME_HEADER_BYTES);
      output.at += FRAME_HEADER_BYTES + size;
      this.#spend(exchange, size);
      if (last) {
        this.drop(exchange);
        return;
      }
      exchange.rest = rest.subarray(size);
    }
    this.#blocked.add(exchange);
  }

  #spend(exchange: Exchange, size: number): void {
    this.#window -= size;
    exchange.sendWindow -= size;
  }
}
