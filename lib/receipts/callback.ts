import type { LookupFunction } from 'node:net';
import { RequestError } from '../carriers/http2/errors.ts';
import type { Renew } from '../dispatch/redrive.ts';
import type { Log } from '../log.ts';
import { httpPost } from '../net/post.ts';
import { HTTP_PROTOCOLS, publicUrl } from '../net/public-address.ts';
import type { Silences } from '../net/silence.ts';
import type { Queue } from '../storage/queue.ts';
import { kind, newest, unchanged } from '../storage/schema.ts';
import { type Clock, seconds } from '../storage/table.ts';
import type { Receipt, Receipts } from './receipts.ts';
import type { CalledBackRecord } from './repeat.ts';
import { acknowledgedTo } from './view.ts';

const RECORD = kind('callback record', unchanged);

/** A record on the callback queue. It has everything in it: who calls has no grant to any data. */
export interface CallbackRecord {
  v: 1;
  url: string;
  /** The account that named the URL: the sending app's. User key. */
  owner: string;
  receipt: string;
  /** Unix seconds. */
  acknowledgedAt: number;
  /** What the sender is told of who that was; empty: nothing. */
  acknowledgedBy: string;
  acknowledgedByDevice: string;
  /** When the receipt is forgotten, Unix seconds. */
  expiresAt: number;
  /** From when its tries are counted: when it was queued, or a redrive. Unix seconds. */
  since: number;
}

/** What the worker on the callback queue needs. */
export interface CallbackContext {
  /** The queue of the slow lane, for servers that are silent; undefined in the slow lane itself. */
  slow?: Queue | undefined;
  deadLetters: Queue;
  /** Time limit of one call, milliseconds. */
  hold: number;
  /** Servers that were silent, in this lane. */
  silences: Silences;
  /** Where it is said that a callback was answered. */
  reports: Queue;
  lookup: LookupFunction;
  clock: Clock;
  log: Log;
}

/** For how long it is tried, seconds. */
const BUDGET = 3_600;
/** Waits between tries, seconds: at first a minute, then as long as it has been tried, which doubles it each time. */
const FIRST_WAIT = 60;
const LONGEST_WAIT = 900;

/**
 * Queues the callback of an acknowledged receipt, unless that was done or there is none. Whoever dies between the
 * queue and the note leaves it to the next one (a client that repeats its acknowledgement, or the chain of
 * repetitions, which wakes once more after any acknowledgement) to queue it again: at least once.
 */
export async function queueCallback(
  receipt: Receipt,
  callbacks: Queue,
  receipts: Receipts,
  clock: Clock,
): Promise<void> {
  const { callback, acknowledged, callbackQueued, calledBackAt, ttl } = receipt;
  if (callback === undefined || !acknowledged || callbackQueued || calledBackAt !== undefined) return;
  const { by, device } = acknowledgedTo(acknowledged);
  const record: CallbackRecord = {
    v: 1,
    url: callback,
    owner: receipt.app.owner,
    receipt: receipt.receipt,
    acknowledgedAt: acknowledged.at,
    acknowledgedBy: by,
    acknowledgedByDevice: device,
    expiresAt: ttl,
    since: seconds(clock),
  };
  await callbacks.send([record]);
  await receipts.noteCallbackQueued(receipt.receipt);
}

/**
 * Calls. Any 2xx is an answer; anything else (a redirect is not followed) is tried again later, and given up into the
 * dead letters in the end. What the other side says is read by nobody and shown to nobody. A server that is silent in the
 * fast lane is called again in the slow one, which is no further try. A try there counts though its server is left alone:
 * a call has an end, whatever its server does.
 *
 * What is to be tried again stays the same record, which SQS delivers again later. So nothing is put back that a crash
 * could put back twice, and nobody needs to write down who did. That is possible where few records wait: SQS counts those
 * as in flight.
 *
 * @returns seconds after which the record is to come again; undefined if it is done
 * @throws Error if what comes next could not be queued: the queue repeats the record, and the call
 */
export async function runCallback(
  record: CallbackRecord,
  context: CallbackContext,
): Promise<number | undefined> {
  const { slow, deadLetters, reports, clock, log } = context;
  const passed = Math.max(0, seconds(clock) - record.since);
  const about = { receipt: record.receipt.slice(0, 6), passed };
  const { failure, silent } = await call(record, context);
  if (failure === undefined) {
    const at = seconds(clock);
    const { receipt, expiresAt } = record;
    const report: CalledBackRecord = { v: 1, kind: 'called-back', receipt, at, expiresAt };
    await reports.send([report]);
    log('info', 'called back', about);
    return undefined;
  }
  if (silent && slow) {
    await slow.send([record]);
    log('warn', 'callback left to the slow lane', { ...about, reason: failure });
    return undefined;
  }
  if (passed >= BUDGET) {
    await deadLetters.send([{ ...record, reason: failure }]);
    log('error', 'callback given up', { ...about, reason: failure });
    return undefined;
  }
  const wait = Math.min(LONGEST_WAIT, Math.max(FIRST_WAIT, passed));
  log('warn', 'callback failed, will be tried again', { ...about, wait, reason: failure });
  return wait;
}

/** What came of a call: why it failed, if it did, and whether by silence. */
interface Called {
  failure?: string;
  silent?: boolean;
}

async function call(
  record: CallbackRecord,
  { lookup, hold, silences, clock }: CallbackContext,
): Promise<Called> {
  const url = publicUrl(record.url, HTTP_PROTOCOLS);
  if (!url) return { failure: 'not a public URL' };
  const party = { host: url.host, account: record.owner };
  if (silences.wait(party) > 0) return { failure: 'left alone for now', silent: true };
  const fields = new URLSearchParams({
    receipt: record.receipt,
    acknowledged: '1',
    acknowledged_at: String(record.acknowledgedAt),
    acknowledged_by: record.acknowledgedBy,
    acknowledged_by_device: record.acknowledgedByDevice,
  });
  const body = Buffer.from(fields.toString());
  const headers = {
    'Content-Type': 'application/x-www-form-urlencoded',
    'Content-Length': String(body.length),
    'User-Agent': 'Peal',
  };
  const since = clock();
  try {
    const { status } = await silences.ask(party, () =>
      httpPost({ url, headers, body, timeout: hold, lookup }),
    );
    silences.answered(party.host);
    return status >= 200 && status < 300 ? {} : { failure: `status ${status}` };
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    const silent = error.code === 'timeout';
    if (silent) silences.silent(party, since);
    return { failure: error.code, silent };
  }
}

/** Reads a record from the queue. @throws Error if it is not one; NewerItem: the queue keeps it for later code */
export function parseCallbackRecord(body: string): CallbackRecord {
  const record = newest(RECORD, JSON.parse(body));
  if ([record.url, record.receipt, record.owner].some((field) => typeof field !== 'string')) {
    throw new Error('not a callback record');
  }
  return record as unknown as CallbackRecord;
}

/** A callback record as it was before any try. */
export const renewCallback: Renew = (body, now): CallbackRecord => ({
  ...parseCallbackRecord(body),
  since: Math.floor(now / 1000),
});
