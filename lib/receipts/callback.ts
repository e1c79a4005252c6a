import type { LookupFunction } from 'node:net';
import { RequestError } from '../carriers/http2/errors.ts';
import type { Renew } from '../dispatch/redrive.ts';
import type { Log } from '../log.ts';
import { httpPost } from '../net/post.ts';
import { HTTP_PROTOCOLS, publicUrl } from '../net/public-address.ts';
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
  receipt: string;
  /** Unix seconds. */
  acknowledgedAt: number;
  /** What the sender is told of who that was; empty: nothing. */
  acknowledgedBy: string;
  acknowledgedByDevice: string;
  /** When the receipt is forgotten, Unix seconds. */
  expiresAt: number;
  /** 0 for the first try. */
  attempt: number;
}

/** What the worker on the callback queue needs. */
export interface CallbackContext {
  /** The callback queue itself. */
  queue: Queue;
  deadLetters: Queue;
  /** Where it is said that a callback was answered. */
  reports: Queue;
  lookup: LookupFunction;
  clock: Clock;
  log: Log;
}

/** Limit of one call, milliseconds. */
const TIMEOUT = 10_000;
/** Tries, over about an hour: a minute after the first, doubling up to a quarter of an hour. */
const ATTEMPTS = 8;
const FIRST_WAIT = 60;
const LONGEST_WAIT = 900;

/**
 * Queues the callback of an acknowledged receipt, unless that was done or there is none. Whoever dies between the
 * queue and the note leaves it to the next one (a client that repeats its acknowledgement, or the chain of
 * repetitions, which wakes once more after any acknowledgement) to queue it again: at least once.
 */
export async function queueCallback(receipt: Receipt, callbacks: Queue, receipts: Receipts): Promise<void> {
  const { callback, acknowledged, callbackQueued, calledBackAt, ttl } = receipt;
  if (callback === undefined || !acknowledged || callbackQueued || calledBackAt !== undefined) return;
  const { by, device } = acknowledgedTo(acknowledged);
  const record: CallbackRecord = {
    v: 1,
    url: callback,
    receipt: receipt.receipt,
    acknowledgedAt: acknowledged.at,
    acknowledgedBy: by,
    acknowledgedByDevice: device,
    expiresAt: ttl,
    attempt: 0,
  };
  await callbacks.send([record]);
  await receipts.noteCallbackQueued(receipt.receipt);
}

/**
 * Calls. Any 2xx is an answer; anything else (a redirect is not followed) is tried again later, and given up into the
 * dead letters in the end. What the other side says is read by nobody and shown to nobody.
 *
 * @throws Error if what comes next could not be queued: the queue repeats the record, and the call
 */
export async function runCallback(record: CallbackRecord, context: CallbackContext): Promise<void> {
  const { queue, deadLetters, reports, clock, log } = context;
  const about = { receipt: record.receipt.slice(0, 6), attempt: record.attempt };
  const failure = await call(record, context.lookup);
  if (failure === undefined) {
    const at = seconds(clock);
    const { receipt, expiresAt } = record;
    const report: CalledBackRecord = { v: 1, kind: 'called-back', receipt, at, expiresAt };
    await reports.send([report]);
    return log('info', 'called back', about);
  }
  const rest: CallbackRecord = { ...record, attempt: record.attempt + 1 };
  if (rest.attempt >= ATTEMPTS) {
    await deadLetters.send([{ ...rest, reason: failure }]);
    return log('error', 'callback given up', { ...about, reason: failure });
  }
  await queue.send([rest], Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** record.attempt));
  log('warn', 'callback failed, will be tried again', { ...about, reason: failure });
}

/** @returns why it failed, undefined if it did not */
async function call(record: CallbackRecord, lookup: LookupFunction): Promise<string | undefined> {
  const url = publicUrl(record.url, HTTP_PROTOCOLS);
  if (!url) return 'not a public URL';
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
  try {
    const { status } = await httpPost({ url, headers, body, timeout: TIMEOUT, lookup });
    return status >= 200 && status < 300 ? undefined : `status ${status}`;
  } catch (error) {
    if (error instanceof RequestError) return error.code;
    throw error;
  }
}

/** Reads a record from the queue. @throws Error if it is not one; NewerItem: the queue keeps it for later code */
export function parseCallbackRecord(body: string): CallbackRecord {
  const record = newest(RECORD, JSON.parse(body));
  if (typeof record.url !== 'string' || typeof record.receipt !== 'string') {
    throw new Error('not a callback record');
  }
  return record as unknown as CallbackRecord;
}

/** A callback record as it was before any try. */
export const renewCallback: Renew = (body): CallbackRecord => ({ ...parseCallbackRecord(body), attempt: 0 });
