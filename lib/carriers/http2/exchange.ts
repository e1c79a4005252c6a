/** One request and its answer on one HTTP/2 stream. */

import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import { RequestError } from './errors.ts';

/** Longest answer we read, in bytes. Carriers answer with a few hundred; the rest is not for us. */
export const MAX_ANSWER_BYTES = 64 * 1024;

/** A complete answer. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

const WITH_BODY = { endStream: false };

/**
 * Opens a stream, sends the body, calls `closed` once when the stream is gone, and `done` exactly once: with the answer as soon as it is complete, or with why
 * there is none when the stream has closed. It is `close` that tells of failures, because node:http2 reports a peer
 * that goes away in the middle by `end` and `close` without any `error`.
 *
 * @throws what `session.request` throws when the session takes no more streams; nothing is called then
 */
export function exchange(
  session: ClientHttp2Session,
  headers: Record<string, string>,
  body: string | Uint8Array,
  done: (result: Answer | RequestError) => void,
  closed: () => void,
): ClientHttp2Stream {
  const stream = session.request(headers, WITH_BODY);
  let settled = false;
  let answered: IncomingHttpHeaders | undefined;
  let read: ReadBody | undefined;
  let failure: RequestError | undefined;

  const settle = (result: Answer | RequestError) => {
    if (settled) return;
    settled = true;
    done(result);
  };
  stream.on('response', (fields, flags) => {
    answered = fields;
    // Most answers are nothing but headers. They need no reading, and no waiting for the stream to be taken down, unless
    // the peer answered before it had all that we send: that must not outlive the request's time limit.
    if ((flags & constants.NGHTTP2_FLAG_END_STREAM) === 0) read = readBody(stream);
    else if (stream.writableFinished) settle(answerOf(fields, ''));
  });
  stream.on('error', (error) => {
    failure ??= new RequestError('reset', error.message, error);
  });
  stream.on('close', () => {
    closed();
    if (settled) return;
    const code = stream.rstCode;
    const whole = answered !== undefined && (read?.ended ?? true) && code === constants.NGHTTP2_NO_ERROR;
    if (read?.tooLong)
      settle(new RequestError('too-large', `answer is longer than ${MAX_ANSWER_BYTES} bytes`));
    else if (failure) settle(failure);
    else if (whole) settle(answerOf(answered!, read ? Buffer.concat(read.chunks).toString() : ''));
    else settle(new RequestError('closed', `stream ended without a complete answer (code ${code})`));
  });
  stream.end(body);
  return stream;
}

interface ReadBody {
  chunks: Buffer[];
  ended: boolean;
  tooLong: boolean;
}

function readBody(stream: ClientHttp2Stream): ReadBody {
  const read: ReadBody = { chunks: [], ended: false, tooLong: false };
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_ANSWER_BYTES) {
      read.chunks.push(chunk);
      return;
    }
    read.tooLong = true;
    abandon(stream);
  });
  stream.on('end', () => {
    read.ended = true;
  });
  return read;
}

function answerOf(fields: IncomingHttpHeaders, body: string): Answer {
  return { status: Number(fields[':status']), headers: fields, body };
}

/** Gives a stream up at once; `destroy` too, because a RST_STREAM cannot be flushed to a peer that is gone. */
export function abandon(stream: ClientHttp2Stream): void {
  stream.close(constants.NGHTTP2_CANCEL);
  stream.destroy();
}
