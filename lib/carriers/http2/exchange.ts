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

/**
 * Opens a stream, sends the body and calls `done` exactly once: when the stream has closed, with the answer if it
 * was complete, else with why not. Settles on `close` alone, because node:http2 reports a peer that goes away in the
 * middle by `end` and `close` without any `error`.
 *
 * @throws what `session.request` throws when the session takes no more streams; `done` is not called then
 */
export function exchange(
  session: ClientHttp2Session,
  headers: Record<string, string>,
  body: string | Uint8Array,
  done: (result: Answer | RequestError) => void,
): ClientHttp2Stream {
  const stream = session.request(headers, { endStream: false });
  const chunks: Buffer[] = [];
  let size = 0;
  let answered: IncomingHttpHeaders | undefined;
  let ended = false;
  let failure: RequestError | undefined;

  stream.on('response', (fields) => {
    answered = fields;
  });
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_ANSWER_BYTES) {
      chunks.push(chunk);
      return;
    }
    failure ??= new RequestError('too-large', `answer is longer than ${MAX_ANSWER_BYTES} bytes`);
    abandon(stream);
  });
  stream.on('end', () => {
    ended = true;
  });
  stream.on('error', (error) => {
    failure ??= new RequestError('reset', error.message, error);
  });
  stream.on('close', () => {
    const status = answered?.[':status'];
    const complete = ended && status !== undefined && stream.rstCode === constants.NGHTTP2_NO_ERROR;
    if (failure) done(failure);
    else if (complete)
      done({ status: Number(status), headers: answered!, body: Buffer.concat(chunks).toString() });
    else done(new RequestError('closed', `stream ended without a complete answer (code ${stream.rstCode})`));
  });
  stream.end(body);
  return stream;
}

/** Gives a stream up at once; `destroy` too, because a RST_STREAM cannot be flushed to a peer that is gone. */
export function abandon(stream: ClientHttp2Stream): void {
  stream.close(constants.NGHTTP2_CANCEL);
  stream.destroy();
}
