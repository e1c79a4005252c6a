/** What the peer's SETTINGS say (RFC 9113, section 6.5.2). */

import { ConnectionError, ErrorCode } from './errors.ts';
import { DEFAULT_FRAME_SIZE, DEFAULT_WINDOW, MAX_FRAME_SIZE, MAX_WINDOW, Setting } from './frames.ts';
import { DEFAULT_TABLE_SIZE } from './hpack-table.ts';

export class PeerSettings {
  /** Whether any have come. */
  received = false;
  /** Bytes. */
  headerTableSize: number = DEFAULT_TABLE_SIZE;
  /** Bytes. */
  initialWindow: number = DEFAULT_WINDOW;
  /** Bytes. */
  frameSize: number = DEFAULT_FRAME_SIZE;
  maxStreams: number = Number.POSITIVE_INFINITY;

  /** Reads a frame's payload. @throws {ConnectionError} */
  read(bytes: Buffer, start: number, end: number): void {
    if ((end - start) % 6 !== 0)
      throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, 'SETTINGS of a wrong size');
    this.received = true;
    for (let at = start; at < end; at += 6) this.#set(bytes.readUInt16BE(at), bytes.readUInt32BE(at + 2));
  }

  #set(id: number, value: number): void {
    switch (id) {
      case Setting.HEADER_TABLE_SIZE:
        this.headerTableSize = value;
        break;
      case Setting.ENABLE_PUSH:
        if (value !== 0)
          throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'a server that wants to be pushed to');
        break;
      case Setting.MAX_CONCURRENT_STREAMS:
        this.maxStreams = value;
        break;
      case Setting.INITIAL_WINDOW_SIZE:
        if (value > MAX_WINDOW)
          throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, 'initial window too large');
        this.initialWindow = value;
        break;
      case Setting.MAX_FRAME_SIZE:
        if (value < DEFAULT_FRAME_SIZE || value > MAX_FRAME_SIZE)
          throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'frame size out of bounds');
        this.frameSize = value;
        break;
      default:
        // MAX_HEADER_LIST_SIZE is advice; what is unknown is to be ignored.
        break;
    }
  }
}
