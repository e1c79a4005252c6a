/** Header blocks as they travel: in a HEADERS frame and CONTINUATION frames after it (RFC 9113, section 4.3). */

import { ConnectionError, ErrorCode } from './errors.ts';
import { Flag, FRAME_HEADER_BYTES, FrameType, putFrame, putFrameHeader } from './frames.ts';
import { HpackDecoder } from './hpack-decoder.ts';
import { HpackEncoder } from './hpack-encoder.ts';
import type { Output } from './output.ts';

/** Most bytes of an answer's fields when decoded; the same limit holds for their block. */
export const MAX_HEADER_LIST_BYTES = 64 * 1024;

/** Writes the HEADERS of a request. @throws {TypeError} if a field cannot be sent; nothing is written then */
export function putHeaders(
  output: Output,
  encoder: HpackEncoder,
  request: { id: number; pseudo: Record<string, string>; headers: Record<string, string>; ends: boolean },
  frameSize: number,
): void {
  const { id, pseudo, headers, ends } = request;
  output.reserve(FRAME_HEADER_BYTES + HpackEncoder.most(pseudo, headers));
  const start = output.at;
  output.at += FRAME_HEADER_BYTES;
  try {
    encoder.encode(output, pseudo, headers);
  } catch (error) {
    output.at = start;
    throw error;
  }

  const size = output.at - start - FRAME_HEADER_BYTES;
  const end = ends ? Flag.END_STREAM : 0;
  if (size <= frameSize) {
    putFrameHeader(output.buffer, start, size, FrameType.HEADERS, Flag.END_HEADERS | end, id);
    return;
  }
  const block = Buffer.from(output.buffer.subarray(start + FRAME_HEADER_BYTES, output.at));
  output.at = start;
  for (let at = 0; at < size; at += frameSize) {
    const type = at === 0 ? FrameType.HEADERS : FrameType.CONTINUATION;
    const flags = (at === 0 ? end : 0) | (at + frameSize >= size ? Flag.END_HEADERS : 0);
    putFrame(output, type, flags, id, block.subarray(at, at + frameSize));
  }
}

/** Takes a whole header section: names and values in turns. */
export type OnSection = (stream: number, fields: readonly string[], ends: boolean) => void;

/** Puts the peer's header blocks together and decodes them. */
export class HeaderBlocks {
  readonly decoder: HpackDecoder = new HpackDecoder(MAX_HEADER_LIST_BYTES);
  readonly #onSection: OnSection;
  #parts: Buffer[] = [];
  #size = 0;
  #ends = false;
  /** The stream whose block goes on in the next frame, which must be a CONTINUATION; 0: none. */
  open = 0;

  constructor(onSection: OnSection) {
    this.#onSection = onSection;
  }

  /** Takes the fragment of a HEADERS or CONTINUATION frame. @throws {ConnectionError} */
  take(stream: number, flags: number, bytes: Buffer, start: number, end: number): void {
    const last = (flags & Flag.END_HEADERS) !== 0;
    if (this.open === 0) {
      this.#ends = (flags & Flag.END_STREAM) !== 0;
      if (last) {
        this.#decode(stream, bytes, start, end);
        return;
      }
      this.open = stream;
    }
    this.#parts.push(Buffer.from(bytes.subarray(start, end)));
    // Frames without a byte would go on for ever otherwise.
    this.#size += end - start + FRAME_HEADER_BYTES;
    if (this.#size > MAX_HEADER_LIST_BYTES)
      throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, 'header block is too long');
    if (!last) return;
    const block = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#size = 0;
    this.open = 0;
    this.#decode(stream, block, 0, block.length);
  }

  #decode(stream: number, block: Buffer, start: number, end: number): void {
    const fields: string[] = [];
    this.decoder.decode(block, start, end, (name, value) => fields.push(name, value));
    this.#onSection(stream, fields, this.#ends);
  }
}
