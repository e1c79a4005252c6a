/** HTTP/1.1 over a plain socket: every byte of the request is the test's own, every byte of the answer is kept. */
import { connect } from 'node:net';
import type { Peal } from '../../local/peal.ts';

/** An answer as it came. */
export interface RawAnswer {
  status: number;
  /** Status line and header lines, letter case and repetitions as they came. */
  head: string;
  /** All values of a header, by its name in lower case. */
  headers: Record<string, string[]>;
  body: Buffer;
}

/** Milliseconds without a byte after which no answer will come. */
const SILENCE = 10_000;

/**
 * Writes bytes to the local API on a connection of its own and reads one answer.
 *
 * @param end closes our half when all is written, as a client that dies in the middle of its body
 * @throws Error with what came so far, if the connection ends or falls silent before a whole answer
 */
export function exchange(peal: Peal, request: Uint8Array | string, { end = false } = {}): Promise<RawAnswer> {
  const { port } = peal.cloud.api!;
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let received: Buffer = Buffer.alloc(0);
    const bodiless = Buffer.from(request).toString('latin1', 0, 5) === 'HEAD ';
    const finish = (answer: RawAnswer | undefined, why: string) => {
      socket.destroy();
      if (answer) resolve(answer);
      else reject(new Error(`${why}; received: ${received.toString('latin1', 0, 500)}`));
    };
    socket.setTimeout(SILENCE, () => finish(undefined, 'silence'));
    // Whoever refuses a body early closes while we still write: what it said before counts.
    socket.on('error', (error) => finish(parse(received, bodiless), String(error)));
    socket.on('close', () => finish(parse(received, bodiless), 'the connection ended'));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const answer = parse(received, bodiless);
      if (answer) finish(answer, '');
    });
    if (end) socket.end(request);
    else socket.write(request);
  });
}

/** The answer in what was received, behind any interim ones; undefined until it is whole. */
function parse(received: Buffer, bodiless: boolean): RawAnswer | undefined {
  const blank = received.indexOf('\r\n\r\n');
  if (blank === -1) return undefined;
  const head = received.toString('latin1', 0, blank);
  const [line = '', ...lines] = head.split('\r\n');
  const status = Number(line.split(' ')[1]);
  if (status < 200) return parse(received.subarray(blank + 4), bodiless);
  const headers: Record<string, string[]> = {};
  for (const text of lines) {
    const colon = text.indexOf(':');
    const name = text.slice(0, colon).toLowerCase();
    headers[name] = [...(headers[name] ?? []), text.slice(colon + 1).trim()];
  }
  const body = received.subarray(blank + 4);
  const length = bodiless ? 0 : Number(headers['content-length']?.[0] ?? 0);
  return body.length < length ? undefined : { status, head, headers, body };
}
