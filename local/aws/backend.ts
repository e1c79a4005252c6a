/** HTTP requests to an emulator in this process. */
import type { RequestListener } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import inject, { type InjectOptions, type Response } from 'light-my-request';
import type { Answer } from './call.ts';

/** Sends requests to one emulator. */
export interface Backend {
  send(method: string, url: string, headers: Record<string, string>, body: Buffer | string): Promise<Answer>;
  /** Rejects what is still to be answered, a long poll for example, and what comes after it. */
  close(): Promise<void>;
}

const CLOSED = 'the emulator is closed';

/** Headers that belong to one connection and are never passed on (RFC 9110, 7.6.1). */
const HOP = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'date',
  'host',
  'expect',
]);

/**
 * A client of an emulator in this process, without a connection between them: each costs as much again as most answers.
 */
export function createBackend(emulator: RequestListener): Backend {
  const waiting = new Set<(error: Error) => void>();
  let closed = false;
  const ask = (asked: InjectOptions): Promise<Response> =>
    new Promise((resolve, reject) => {
      waiting.add(reject);
      inject(emulator, asked)
        .then(resolve, reject)
        .finally(() => waiting.delete(reject));
    });
  return {
    async send(method, url, headers, body) {
      if (closed) throw new Error(CLOSED);
      const asked = {
        method: method as 'GET',
        url,
        headers: forwarded(headers, body, method),
        payload: body,
      };
      const answer = await ask(asked);
      const own: Record<string, string> = {};
      for (const [name, value] of Object.entries(answer.headers)) {
        if (value !== undefined && !HOP.has(name)) own[name] = String(value);
      }
      // A HEAD answer says the length of a body that it does not have.
      const length = answer.headers['content-length'];
      if (method === 'HEAD' && length !== undefined) own['content-length'] = String(length);
      return { status: answer.statusCode, headers: own, body: answer.rawPayload };
    },
    async close() {
      closed = true;
      for (const reject of waiting) reject(new Error(CLOSED));
      // What is on its way reaches the emulator before the emulator is closed: a long poll that begins afterwards would
      // keep the process alive for as long as it waits.
      await turn();
    },
  };
}

function forwarded(
  headers: Record<string, string>,
  body: Buffer | string,
  method: string,
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) if (!HOP.has(name)) result[name] = value;
  if (body.length > 0 || method === 'PUT' || method === 'POST') {
    result['content-length'] = String(Buffer.byteLength(body));
  }
  return result;
}
