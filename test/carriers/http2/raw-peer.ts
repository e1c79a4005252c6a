/** The other end of a connection, which says exactly the bytes that a test wants. */

import { Duplex } from 'node:stream';
import { Connection } from '../../../lib/carriers/http2/connection.ts';
import type { RequestError } from '../../../lib/carriers/http2/errors.ts';
import type { Answer } from '../../../lib/carriers/http2/exchange.ts';
import { Flag, FrameReader, FrameType, PREFACE } from '../../../lib/carriers/http2/frames.ts';

export interface Frame {
  type: number;
  flags: number;
  stream: number;
  payload: Buffer;
}

/** A frame's bytes. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array | string = '',
): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload, 'hex') : Buffer.from(payload);
  const header = Buffer.alloc(9);
  header.writeUIntBE(body.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, body]);
}

export const settings = (payload = ''): Buffer => frame(FrameType.SETTINGS, 0, 0, payload);

/** `:status: 200` */
export const OK = '88';

export class RawPeer {
  readonly connection: Connection;
  readonly frames: Frame[] = [];
  readonly results: (Answer | RequestError)[] = [];
  readonly events: string[] = [];
  readonly #socket: Duplex;

  constructor() {
    let preface = PREFACE.length;
    const reader = new FrameReader((type, flags, stream, bytes, start, end) => {
      this.frames.push({ type, flags, stream, payload: Buffer.from(bytes.subarray(start, end)) });
    });
    this.#socket = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        const skipped = Math.min(preface, chunk.length);
        preface -= skipped;
        if (chunk.length > skipped) reader.push(chunk.subarray(skipped));
        done();
      },
    });
    this.connection = new Connection(this.#socket, {
      ready: () => this.events.push('ready'),
      room: () => this.events.push('room'),
      goaway: () => this.events.push('goaway'),
      closed: () => this.events.push('closed'),
    });
  }

  /** With SETTINGS exchanged and so many requests begun. */
  static async with(requests: number, body: string | Uint8Array = ''): Promise<RawPeer> {
    const peer = new RawPeer();
    await peer.say(settings(), frame(FrameType.SETTINGS, Flag.ACK, 0));
    for (let i = 0; i < requests; i++) peer.ask(body);
    await peer.turn();
    return peer;
  }

  ask(body: string | Uint8Array = '', headers: Record<string, string> = {}): void {
    const pseudo = { ':method': 'POST', ':scheme': 'https', ':authority': 'peer', ':path': '/' };
    this.connection.request(pseudo, headers, body, (result) => this.results.push(result));
  }

  async say(...bytes: Uint8Array[]): Promise<void> {
    for (const chunk of bytes) this.#socket.push(chunk);
    await this.turn();
  }

  /** The peer closes its side. */
  async end(): Promise<void> {
    this.#socket.push(null);
    await this.turn();
  }

  /** Lets what is under way arrive. */
  async turn(): Promise<void> {
    for (let i = 0; i < 3; i++) await new Promise(setImmediate);
  }

  of(type: number): Frame[] {
    return this.frames.filter((each) => each.type === type);
  }

  /** The code of the GOAWAY that we said, if we did. */
  get goawayCode(): number | undefined {
    return this.of(FrameType.GOAWAY)[0]?.payload.readUInt32BE(4);
  }
}
