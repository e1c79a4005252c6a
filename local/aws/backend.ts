/** Keep-alive HTTP to an emulator on this machine. */
import { Agent, request } from 'node:http';
import type { Answer } from './call.ts';

/** Sends requests to one emulator. */
export interface Backend {
  send(method: string, url: string, headers: Record<string, string>, body: Buffer | string): Promise<Answer>;
  close(): void;
}

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

/** A client of the emulator on `127.0.0.1:port`; rejects only if the emulator cannot be reached. */
export function createBackend(port: number): Backend {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 64 });
  return {
    send(method, url, headers, body) {
      return new Promise((resolve, reject) => {
        const outgoing = request(
          { agent, host: '127.0.0.1', port, method, path: url, headers: forwarded(headers, body, method) },
          (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.on('error', reject);
            response.on('end', () => {
              const own: Record<string, string> = {};
              for (const [name, value] of Object.entries(response.headers)) {
                if (value !== undefined && !HOP.has(name)) own[name] = String(value);
              }
              // A HEAD answer says the length of a body that it does not have.
              const length = response.headers['content-length'];
              if (method === 'HEAD' && length !== undefined) own['content-length'] = length;
              const whole = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
              resolve({ status: response.statusCode ?? 500, headers: own, body: whole });
            });
          },
        );
        outgoing.on('error', reject);
        outgoing.end(body);
      });
    },
    close() {
      agent.destroy();
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
