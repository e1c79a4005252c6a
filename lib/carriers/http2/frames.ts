/** HTTP/2's frames (RFC 9113, sections 4 and 6): taking them off a byte stream, and writing them. */

import { ConnectionError, ErrorCode } from './errors.ts';
import type { Output } from './output.ts';

export const FrameType = {
  DATA: 0x0,
  HEADERS: 0x1,
  PRIORITY: 0x2,
  RST_STREAM: 0x3,
  SETTINGS: 0x4,
  PUSH_PROMISE: 0x5,
  PING: 0x6,
  GOAWAY: 0x7,
  WINDOW_UPDATE: 0x8,
  CONTINUATION: 0x9,
} as const;

export const Flag = { ACK: 0x1, END_STREAM: 0x1, END_HEADERS: 0x4, PADDED: 0x8, PRIORITY: 0x20 } as const;

export const Setting = {
  HEADER_TABLE_SIZE: 0x1,
  ENABLE_PUSH: 0x2,
  MAX_CONCURRENT_STREAMS: 0x3,
  INITIAL_WINDOW_SIZE: 0x4,
  MAX_FRAME_SIZE: 0x5,
  MAX_HEADER_LIST_SIZE: 0x6,
} as const;

/** What a client says first (RFC 9113, section 3.4). */
export const PREFACE: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export const FRAME_HEADER_BYTES = 9;
/** Largest payload unless SETTINGS_MAX_FRAME_SIZE says otherwise, and the least that it may say. Bytes. */
export const DEFAULT_FRAME_SIZE = 16_384;
export const MAX_FRAME_SIZE = 2 ** 24 - 1;
/** Size of a flow-control window unless SETTINGS_INITIAL_WINDOW_SIZE says otherwise. Bytes. */
export const DEFAULT_WINDOW = 65_535;
export const MAX_WINDOW = 2 ** 31 - 1;
export const MAX_STREAM_ID = 2 ** 31 - 1;

/** Takes a frame whose payload is `bytes` from `start` to `end`; valid during the call only. */
export type OnFrame = (
  type: number,
  flags: number,
  stream: number,
  bytes: Buffer,
  start: number,
  end: number,
) => void;

/** Cuts what arrives into frames. */
export class FrameReader {
  readonly #onFrame: OnFrame;
  #kept: Buffer[] = [];
  #have = 0;
  #need = FRAME_HEADER_BYTES;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  /** @throws {ConnectionError} FRAME_SIZE_ERROR for a frame over {@link DEFAULT_FRAME_SIZE}; what `onFrame` throws */
  push(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#have > 0) {
      this.#kept.push(chunk);
      this.#have += chunk.length;
      if (this.#have < this.#need) return;
      bytes = Buffer.concat(this.#kept, this.#have);
      this.#kept = [];
      this.#have = 0;
    }

    let at = 0;
    this.#need = FRAME_HEADER_BYTES;
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const length = bytes.readUIntBE(at, 3);
      if (length > DEFAULT_FRAME_SIZE)
        throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, 'too large a frame');
      const start = at + FRAME_HEADER_BYTES;
      if (start + length > bytes.length) {
        this.#need = FRAME_HEADER_BYTES + length;
        break;
      }
      const stream = bytes.readUInt32BE(at + 5) & 0x7fff_ffff;
      this.#onFrame(bytes[at + 3]!, bytes[at + 4]!, stream, bytes, start, start + length);
      at = start + length;
    }
    if (at < bytes.length) {
      this.#kept.push(at === 0 ? bytes : bytes.subarray(at));
      this.#have = bytes.length - at;
    }
  }
}

/** Writes a frame's header at `at`, where there is room. */
export function putFrameHeader(
  buffer: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  stream: number,
): void {
  buffer[at] = length >> 16;
  buffer[at + 1] = length >> 8;
  buffer[at + 2] = length;
  buffer[at + 3] = type;
  buffer[at + 4] = flags;
  buffer[at + 5] = stream >> 24;
  buffer[at + 6] = stream >> 16;
  buffer[at + 7] = stream >> 8;
  buffer[at + 8] = stream;
}

/** Writes a frame with a payload. */
export function putFrame(
  output: Output,
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array,
): void {
  output.reserve(FRAME_HEADER_BYTES + payload.length);
  putFrameHeader(output.buffer, output.at, payload.length, type, flags, stream);
  output.buffer.set(payload, output.at + FRAME_HEADER_BYTES);
  output.at += FRAME_HEADER_BYTES + payload.length;
}

/** Writes a frame whose payload is 32-bit numbers: RST_STREAM, WINDOW_UPDATE, GOAWAY. */
export function putNumbers(output: Output, type: number, stream: number, ...numbers: number[]): void {
  const payload = Buffer.alloc(numbers.length * 4);
  for (const [i, number] of numbers.entries()) payload.writeUInt32BE(number, i * 4);
  putFrame(output, type, 0, stream, payload);
}

/** Writes a SETTINGS frame (RFC 9113, section 6.5.1). */
export function putSettings(
  output: Output,
  settings: readonly (readonly [id: number, value: number])[],
): void {
  const payload = Buffer.alloc(settings.length * 6);
  for (const [i, [id, value]] of settings.entries()) {
    payload.writeUInt16BE(id, i * 6);
    payload.writeUInt32BE(value, i * 6 + 2);
  }
  putFrame(output, FrameType.SETTINGS, 0, 0, payload);
}
