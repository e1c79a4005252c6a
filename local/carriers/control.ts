/** The control server: how tests and people tell the stand-ins what to do, and see what they received. */

import { createServer, type IncomingMessage } from 'node:http';
import { type AwsFaults, parseAwsFaultRule } from '../aws/faults.ts';
import { listen, stop } from '../network/listen.ts';
import { type Faults, object, parseFaultRule } from './faults.ts';
import type { Journal } from './journal.ts';
import { isStandIn, type Notes, parseTargetNote } from './notes.ts';
import type { StandIn } from './types.ts';

/** Longest wait of one `GET /received`. Milliseconds. */
const MAX_WAIT = 60_000;

interface Parts {
  /** Of the services of AWS, where the stand-ins are beside them. */
  aws: AwsFaults | undefined;
  faults: Faults;
  journal: Journal;
  notes: Notes;
}

export interface ControlServer {
  /** For example `http://127.0.0.1:7328`. */
  url: string;
  close(): Promise<void>;
}

/**
 * Starts the control server on the loopback interface.
 *
 * - `POST /faults` a {@link FaultRule} of a carrier, or one of AWS (`AwsFaultRule`); `DELETE /faults` clears them.
 * - `GET /received` what was accepted, in order; with `?count=n&wait=ms` waits until there are n. `DELETE` clears.
 * - `POST /targets` a {@link TargetNote}, or `{carrier, onlyNoted: true}`; `DELETE /targets` clears.
 */
export async function startControl(port: number, parts: Parts): Promise<ControlServer> {
  const server = createServer(async (request, response) => {
    const reply = (status: number, value: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(value));
    };
    try {
      const done = await handle(request, parts);
      if (done === undefined) reply(404, { error: 'no such path' });
      else reply(200, done);
    } catch (error) {
      if (error instanceof TypeError || error instanceof SyntaxError) reply(400, { error: error.message });
      else reply(500, { error: String(error) });
    }
  });
  const actual = await listen(server, port);
  return { url: `http://127.0.0.1:${actual}`, close: () => stop(server) };
}

async function handle(request: IncomingMessage, { aws, faults, journal, notes }: Parts): Promise<unknown> {
  const url = new URL(request.url ?? '/', 'http://control');
  switch (`${request.method} ${url.pathname}`) {
    case 'POST /faults': {
      const rule = object(await json(request), 'the fault rule');
      if (aws && 'service' in rule) aws.add(parseAwsFaultRule(rule));
      else faults.add(parseFaultRule(rule));
      return { ok: true };
    }
    case 'DELETE /faults':
      faults.clear();
      aws?.clear();
      return { ok: true };
    case 'GET /received': {
      const wait = Math.min(Number(url.searchParams.get('wait') ?? 0), MAX_WAIT);
      const count = Number(url.searchParams.get('count') ?? 1);
      return wait > 0 ? await journal.waitFor(count, wait) : journal.received;
    }
    case 'DELETE /received':
      journal.clear();
      return { ok: true };
    case 'POST /targets': {
      const note = await json(request);
      if (isOnlyNoted(note)) notes.onlyNoted(note.carrier, note.onlyNoted);
      else notes.set(parseTargetNote(note));
      return { ok: true };
    }
    case 'DELETE /targets':
      notes.clear();
      return { ok: true };
    default:
      return undefined;
  }
}

function isOnlyNoted(value: unknown): value is { carrier: StandIn; onlyNoted: boolean } {
  if (typeof value !== 'object' || value === null || !('carrier' in value) || !('onlyNoted' in value))
    return false;
  return isStandIn(value.carrier) && typeof value.onlyNoted === 'boolean';
}

async function json(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return JSON.parse(text);
}
