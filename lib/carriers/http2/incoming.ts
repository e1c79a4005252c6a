/** What the peer says: frames checked for size and place (RFC 9113, section 6), header blocks decoded. */

import { ConnectionError, ErrorCode } from './errors.ts';
import { Flag, FrameReader, FrameType, MAX_STREAM_ID } from './frames.ts';
import { HeaderBlocks } from './header-blocks.ts';

/** Takes what the peer says. Streams are never 0 where a stream is meant; all may throw {@link ConnectionError}. */
export interface FrameHandler {
  /** The body is `bytes` from `start` to `end`; `size` counts against the windows, padding included. */
  data(stream: number, bytes: Buffer, start: number, end: number, ends: boolean, size: number): void;
  /** A HEADERS frame begins. */
  opens(stream: number): void;
  /** A header section: names and values in turns. */
  section(stream: number, fields: readonly string[], ends: boolean): void;
  reset(stream: number, code: number): void;
  /** The payload is `bytes` from `start` to `end`. */
  settings(bytes: Buffer, start: number, end: number): void;
  settingsAck(): void;
  ping(payload: Buffer): void;
  pingAck(payload: Buffer): void;
  goaway(lastStream: number): void;
  /** Stream 0 is the connection. */
  windowUpdate(stream: number, by: number): void;
}

export class Incoming {
  readonly #handler: FrameHandler;
  readonly #blocks: HeaderBlocks;
  readonly #reader: FrameReader = new FrameReader((...frame) => this.#frame(...frame));
  #begun = false;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
    this.#blocks = new HeaderBlocks((...section) => handler.section(...section));
  }

  /** Takes bytes as they arrive. @throws {ConnectionError} */
  push(chunk: Buffer): void {
    this.#reader.push(chunk);
  }

  /** The peer knows how large its encoder's table may be. Bytes. */
  limitTable(size: number): void {
    this.#blocks.decoder.limit(size);
  }

  #frame(type: number, flags: number, stream: number, bytes: Buffer, start: number, end: number): void {
    if (!this.#begun && (type !== FrameType.SETTINGS || flags & Flag.ACK))
      throw protocol('the peer did not begin with SETTINGS');
    this.#begun = true;
    if (this.#blocks.open !== 0 && (type !== FrameType.CONTINUATION || stream !== this.#blocks.open))
      throw protocol('a header block was interrupted');

    const handler = this.#handler;
    const size = end - start;
    switch (type) {
      case FrameType.DATA: {
        onStream(stream);
        const [from, to] = payloadOf(type, flags, bytes, start, end);
        handler.data(stream, bytes, from, to, (flags & Flag.END_STREAM) !== 0, size);
        break;
      }
      case FrameType.HEADERS: {
        onStream(stream);
        handler.opens(stream);
        const [from, to] = payloadOf(type, flags, bytes, start, end);
        this.#blocks.take(stream, flags, bytes, from, to);
        break;
      }
      case FrameType.CONTINUATION:
        if (this.#blocks.open === 0) throw protocol('CONTINUATION of nothing');
        this.#blocks.take(stream, flags, bytes, start, end);
        break;
      case FrameType.PRIORITY:
        onStream(stream);
        break;
      case FrameType.RST_STREAM:
        onStream(stream);
        sized(size === 4);
        handler.reset(stream, bytes.readUInt32BE(start));
        break;
      case FrameType.SETTINGS:
        onConnection(stream);
        if ((flags & Flag.ACK) === 0) {
          handler.settings(bytes, start, end);
          break;
        }
        sized(size === 0);
        handler.settingsAck();
        break;
      case FrameType.PUSH_PROMISE:
        throw protocol('PUSH_PROMISE, which we forbid');
      case FrameType.PING:
        onConnection(stream);
        sized(size === 8);
        if (flags & Flag.ACK) handler.pingAck(bytes.subarray(start, end));
        else handler.ping(bytes.subarray(start, end));
        break;
      case FrameType.GOAWAY:
        onConnection(stream);
        sized(size >= 8);
        handler.goaway(bytes.readUInt32BE(start) & MAX_STREAM_ID);
        break;
      case FrameType.WINDOW_UPDATE:
        sized(size === 4);
        handler.windowUpdate(stream, bytes.readUInt32BE(start) & MAX_STREAM_ID);
        break;
      default:
        // Unknown frames are ignored (section 4.1).
        break;
    }
  }
}

/** Where the payload of a DATA or HEADERS frame is without padding and priority (sections 6.1 and 6.2). */
function payloadOf(type: number, flags: number, bytes: Buffer, start: number, end: number): [number, number] {
  let from = start;
  let to = end;
  if (flags & Flag.PADDED) {
    sized(from < to);
    to -= bytes[from]!;
    from++;
  }
  if (type === FrameType.HEADERS && flags & Flag.PRIORITY) from += 5;
  if (from > to) throw protocol('more padding than payload');
  return [from, to];
}

function sized(right: boolean): void {
  if (!right) throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, 'a frame of a wrong size');
}

function onStream(stream: number): void {
  if (stream === 0) throw protocol('a frame that belongs on a stream');
}

function onConnection(stream: number): void {
  if (stream !== 0) throw protocol('a frame that belongs to the connection');
}

function protocol(message: string): ConnectionError {
  return new ConnectionError(ErrorCode.PROTOCOL_ERROR, message);
}
