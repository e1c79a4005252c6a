/**
 * Lets firebase-admin's own HTTP/2 transport talk to a server made of node:http2.
 *
 * It sends the pseudo header `:scheme` as `https:`, with the colon of `URL.protocol`. Google's front end takes that,
 * nghttp2 (and so node:http2) resets the stream as malformed and cannot be told otherwise. So the bytes are mended
 * before the server sees them: in HEADERS frames the value, as HPACK writes it (RFC 7541, a Huffman-coded string
 * literal), is replaced by that of `httpsb`, a valid scheme whose code has the same length: no other byte changes.
 */

import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';

/** HPACK string literals: the Huffman bit with the length 5, then the code padded with ones. */
const SENT = Buffer.from('859d29ad173f', 'hex');
const MENDED = Buffer.from('859d29ad11ff', 'hex');

/** The client's connection preface (RFC 9113, section 3.4) comes before the first frame. */
const PREFACE_BYTES = 24;
const FRAME_HEADER_BYTES = 9;
const HEADERS_FRAME = 0x1;

/** Mends a client's bytes frame by frame; keeps what is not yet a whole frame header or a whole HEADERS frame. */
export class SchemeMender {
  #kept: Buffer = Buffer.alloc(0);
  #toPass = PREFACE_BYTES;

  /** Takes bytes as they arrive and returns those that may go on. */
  mend(chunk: Buffer): Buffer {
    let rest = this.#kept.length > 0 ? Buffer.concat([this.#kept, chunk]) : chunk;
    const passed: Buffer[] = [];
    while (rest.length > 0) {
      if (this.#toPass > 0) {
        const part = rest.subarray(0, this.#toPass);
        this.#toPass -= part.length;
        passed.push(part);
        rest = rest.subarray(part.length);
        continue;
      }
      if (rest.length < FRAME_HEADER_BYTES) break;

      const length = FRAME_HEADER_BYTES + rest.readUIntBE(0, 3);
      if (rest[3] !== HEADERS_FRAME) {
        this.#toPass = length;
        continue;
      }
      if (rest.length < length) break;
      const frame = rest.subarray(0, length);
      const at = frame.indexOf(SENT, FRAME_HEADER_BYTES);
      if (at >= 0) MENDED.copy(frame, at);
      passed.push(frame);
      rest = rest.subarray(length);
    }
    this.#kept = rest;
    return passed.length === 1 ? passed[0]! : Buffer.concat(passed);
  }
}

/** So much may wait in the socket before whoever writes has to wait. Bytes. */
const MOST_WAITING = 1024 * 1024;

/**
 * The socket with its incoming bytes mended. What is written in one turn goes out together: a TLS record for each frame
 * would cost more than all the rest of the stand-in.
 */
export function mendScheme(socket: TLSSocket): Duplex {
  const mender = new SchemeMender();
  let corked = false;
  const duplex = new Duplex({
    read() {
      socket.resume();
    },
    write(chunk: Buffer, _encoding, done) {
      if (!corked) {
        corked = true;
        socket.cork();
        setImmediate(() => {
          corked = false;
          socket.uncork();
        });
      }
      if (socket.writableLength > MOST_WAITING) {
        socket.write(chunk, (error) => done(error ?? null));
      } else {
        socket.write(chunk);
        done();
      }
    },
    final(done) {
      socket.end(done);
    },
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (chunk: Buffer) => {
    const mended = mender.mend(chunk);
    if (mended.length > 0 && !duplex.push(mended)) socket.pause();
  });
  socket.on('end', () => duplex.push(null));
  socket.on('close', () => duplex.destroy());
  return duplex;
}
