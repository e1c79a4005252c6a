/** One POST over HTTP/1.1 that always settles: no redirects, no kept connection, a limited answer. */

import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { RequestError } from '../carriers/http2/errors.ts';
import { type Answer, MAX_ANSWER_BYTES } from '../carriers/http2/exchange.ts';

export interface HttpPost {
  /** `https:`, or `http:` where that is allowed. */
  url: URL;
  headers: Record<string, string>;
  body: Uint8Array;
  /** Time limit from call to complete answer, in milliseconds. */
  timeout: number;
  /** Resolves the host's name. */
  lookup: LookupFunction;
}

/**
 * POSTs.
 *
 * @throws {RequestError} for anything but a complete answer; its cause is the connection's error, if there was one
 */
export function httpPost({ url, headers, body, timeout, lookup }: HttpPost): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const { request: open } = url.protocol === 'http:' ? http : https;
  const request = open(url, { method: 'POST', headers, lookup, agent: false });
  const timer = setTimeout(() => {
    request.destroy(new RequestError('timeout', `no answer within ${Math.round(timeout)} ms`));
  }, timeout);
  const fail = (error: Error) =>
    reject(error instanceof RequestError ? error : new RequestError('closed', error.message, error));
  request.on('error', fail);
  request.on('response', (response) => {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_ANSWER_BYTES) chunks.push(chunk);
      else request.destroy(new RequestError('too-large', `answer is longer than ${MAX_ANSWER_BYTES} bytes`));
    });
    response.on('error', fail);
    response.on('end', () => {
      if (!response.complete) return;
      const { statusCode: status = 0, headers: fields } = response;
      resolve({ status, headers: fields, body: Buffer.concat(chunks).toString() });
    });
  });
  request.on('close', () => {
    clearTimeout(timer);
    // Settled already, unless the peer went away in the middle of its answer.
    fail(new RequestError('closed', 'the connection ended without a complete answer'));
  });
  request.end(body);
  return promise;
}
