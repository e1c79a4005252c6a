/** One request and its answer on one stream, from our side: what is still to be sent, and what has arrived. */

import type { IncomingHttpHeaders } from 'node:http2';
import { ErrorCode, type RequestError } from './errors.ts';

/** Longest answer we read, in bytes. Carriers answer with a few hundred; the rest is not for us. */
export const MAX_ANSWER_BYTES = 64 * 1024;

/** A complete answer. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Takes the end of an exchange: the answer, or why there is none. */
export type Done = (result: Answer | RequestError) => void;

/** The peer broke the protocol in a way that concerns one stream (RFC 9113, section 5.4.2), or says too much on it. */
export class StreamError extends Error {
  override readonly name = 'StreamError';
  /** One of `ErrorCode`. */
  readonly code: number;
  readonly tooLarge: boolean;

  constructor(code: number, message: string, tooLarge = false) {
    super(message);
    this.code = code;
    this.tooLarge = tooLarge;
  }
}

/** Fields that HTTP/2 does not know (RFC 9113, section 8.2.2). */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);

export class Exchange {
  readonly id: number;
  readonly done: Done;
  /** Bytes of the body that the peer takes on this stream. */
  sendWindow: number;
  /** What is not sent yet of the body. */
  rest: Uint8Array | undefined;
  /** Bytes that arrived and were not yet given back to the peer's window. */
  unreturned = 0;
  #status = 0;
  #headers: Record<string, string> | undefined;
  #chunks: Buffer[] = [];
  #size = 0;

  constructor(id: number, sendWindow: number, done: Done) {
    this.id = id;
    this.sendWindow = sendWindow;
    this.done = done;
  }

  /**
   * Takes a header section: of the answer, of an interim one (1xx), or the trailers.
   *
   * @param fields names and values in turns
   * @throws {StreamError} PROTOCOL_ERROR if it is malformed (RFC 9113, section 8.1.1)
   */
  head(fields: readonly string[], ends: boolean): void {
    const { status, headers } = readFields(fields);
    if (this.#headers) {
      if (status !== undefined || !ends) throw malformed('trailers');
      return;
    }
    if (status === undefined) throw malformed('no status');
    if (status < 200) {
      if (ends || status < 100) throw malformed('interim answer');
      return;
    }
    this.#status = status;
    this.#headers = headers;
  }

  /** Takes a part of the body. @throws {StreamError} if there was no header, or the body is too long */
  data(bytes: Buffer, start: number, end: number): void {
    if (!this.#headers) throw malformed('body before header');
    this.#size += end - start;
    if (this.#size > MAX_ANSWER_BYTES) {
      throw new StreamError(ErrorCode.CANCEL, `answer is longer than ${MAX_ANSWER_BYTES} bytes`, true);
    }
    // Copied when it has to wait for more: frames are read from a buffer that holds others'.
    if (end > start) this.#chunks.push(Buffer.from(bytes.subarray(start, end)));
  }

  /** The answer, of which the peer says that it is complete. @throws {StreamError} if it is not */
  answer(): Answer {
    if (!this.#headers) throw malformed('no answer');
    const announced = this.#headers['content-length'];
    if (announced !== undefined && announced !== String(this.#size) && this.#size > 0) {
      throw malformed('length other than announced');
    }
    const body = this.#size === 0 ? '' : Buffer.concat(this.#chunks).toString();
    return { status: this.#status, headers: this.#headers, body };
  }
}

function readFields(fields: readonly string[]): {
  status: number | undefined;
  headers: Record<string, string>;
} {
  // As node:http2 gives them, among them the status. No prototype, as the names are the peer's.
  const headers: Record<string, string> = Object.create(null);
  let status: number | undefined;
  let regular = false;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!;
    const value = fields[i + 1]!;
    if (name.charCodeAt(0) === 0x3a) {
      if (regular || name !== ':status' || status !== undefined || !/^[1-9]\d\d$/.test(value))
        throw malformed('pseudo header');
      status = Number(value);
      continue;
    }
    regular = true;
    if (name === '' || HOP_BY_HOP.has(name) || /[^!#$%&'*+.^_`|~0-9a-z-]/.test(name))
      throw malformed('header name');
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  return { status, headers };
}

function malformed(what: string): StreamError {
  return new StreamError(ErrorCode.PROTOCOL_ERROR, `malformed answer: ${what}`);
}
