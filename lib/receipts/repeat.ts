import { hash } from 'node:crypto';
import type { DeviceRegistry } from '../accounts/device-registry.ts';
import type { Address } from '../dispatch/record.ts';
import { type CarrierQueues, queueAddresses } from '../dispatch/router.ts';
import type { Log } from '../log.ts';
import type { StoredMessage } from '../mailbox/item.ts';
import type { Envelope } from '../protocol/envelope.ts';
import { MAX_DELAY, type Queue } from '../storage/queue.ts';
import { kind, newest, unchanged } from '../storage/schema.ts';
import { newCopy, type Place } from '../storage/succession.ts';
import type { Clock } from '../storage/table.ts';
import { queueCallback } from './callback.ts';
import { isAsking, type Receipts } from './receipts.ts';
import { dueAt, latestDue, type Schedule, wakeAt } from './schedule.ts';

const RECORD = kind('repeat record', unchanged);

/** A record on the repeat queue: a chain of repetitions for some devices, waiting for its next step. */
export interface RepeatRecord extends Place, Schedule {
  v: 1;
  kind: 'repeat';
  receipt: string;
  umid: number;
  /** Id that the sender was answered, for the logs. Records of an earlier release have none. */
  request?: string;
  /** Number of the next repetition, from 1; one more than the last stands for the end. */
  step: number;
  to: Address[];
}

/** A record on the repeat queue: a callback was answered. The function that called has no grant to write it down. */
export interface CalledBackRecord {
  v: 1;
  kind: 'called-back';
  receipt: string;
  /** Unix seconds. */
  at: number;
  /** When the receipt is forgotten, Unix seconds. */
  expiresAt: number;
}

/** What the worker on the repeat queue needs. */
export interface RepeatContext {
  receipts: Receipts;
  devices: DeviceRegistry;
  queues: CarrierQueues;
  /** The repeat queue itself. */
  queue: Queue;
  callbacks: Queue;
  clock: Clock;
  log: Log;
}

/** Devices in one chain: their addresses stay well within the 64 KB that SQS bills as one request. */
const CHAIN_DEVICES = 200;

/**
 * Starts the repetitions of an emergency message for stored copies; does nothing for any other message.
 *
 * @param acceptedAt Unix milliseconds
 * @throws Error if any chain could not be queued
 */
export async function startRepeats(
  queue: Queue,
  { receipt, retry, ack_until: expiresAt, umid }: Envelope,
  acceptedAt: number,
  stored: StoredMessage[],
  clock: Clock,
): Promise<void> {
  if (receipt === undefined || retry === undefined || expiresAt === undefined) return;
  const schedule: Schedule = { acceptedAt, retry, expiresAt };
  const delay = delayUntil(wakeAt(schedule, 1)!, clock());
  for (let start = 0; start < stored.length; start += CHAIN_DEVICES) {
    const to = stored
      .slice(start, start + CHAIN_DEVICES)
      .map(({ user, device, id }): Address => [user, device, id]);
    const { request } = stored[start]!;
    const chain: RepeatRecord = {
      v: 1,
      kind: 'repeat',
      receipt,
      umid,
      request,
      ...schedule,
      step: 1,
      turn: 0,
      copy: newCopy(),
      to,
    };
    await queue.send([chain], delay);
  }
}

/**
 * Does what a record on the repeat queue asks for.
 *
 * A chain that wakes too early (SQS delays by a quarter of an hour at most) waits on. One that is due looks at the
 * receipt with a consistent read; if it still asks, the record takes the step on, the repetition is queued for every
 * carrier, and then the chain for its next step. Times are counted from the acceptance, so a late step delays nothing
 * after it, and a step that comes very late stands for those that it missed.
 *
 * Whatever dies in between, the queue delivers the record again. If the repetition was queued already, it is queued
 * again under the same number, or under a later one if that is due by now, and the delivery marks keep a device from
 * getting one number twice. If the next step was queued as well, it is queued twice, and one of the two takes it on: the
 * other ends (`lib/storage/succession.ts`), and so does the same chain when a repeat of the request has begun it again.
 * A chain that was withdrawn with its message finds no receipt and ends.
 *
 * @throws Error if anything could not be read or queued: the queue repeats the record
 */
export async function runRepeat(
  record: CalledBackRecord | RepeatRecord,
  context: RepeatContext,
): Promise<void> {
  const { receipts, queue, clock, log } = context;
  if (record.kind === 'called-back') return receipts.noteCalledBack(record.receipt, record.at);
  const wake = wakeAt(record, record.step);
  if (wake === undefined) return;
  if (wake > clock()) return goOn(record, record.step, delayUntil(wake, clock()), context);
  const receipt = await receipts.find(record.receipt);
  const about = { ...aboutOf(record), step: record.step };
  if (receipt?.acknowledged) {
    // Queued with the acknowledgement, unless that died before it came to it.
    await queueCallback(receipt, context.callbacks, receipts, clock);
    return log('info', 'acknowledged, no more repetitions', about);
  }
  const now = clock();
  if (!receipt || !isAsking(receipt, Math.floor(now / 1000)))
    return log('info', 'no more repetitions', about);
  const n = latestDue(record, now);
  if (n < record.step) return goOn(record, record.step, 1, context);
  if (!(await isOurs(record, context))) return;
  await repeat(record, n, context);
  log('info', 'repeated', { ...about, repetition: n, late: now - dueAt(record, n) });
  const next = wakeAt(record, n + 1);
  if (next !== undefined) await queue.send([successor(record, n + 1)], delayUntil(next, clock()));
}

/** Queues the chain again for a step, unless another record does. */
async function goOn(
  record: RepeatRecord,
  step: number,
  delay: number,
  context: RepeatContext,
): Promise<void> {
  if (await isOurs(record, context)) await context.queue.send([successor(record, step)], delay);
}

function successor(record: RepeatRecord, step: number): RepeatRecord {
  return { ...record, step, turn: record.turn + 1, copy: newCopy() };
}

/** Whether this record, of those of the same chain, goes on. */
async function isOurs(record: RepeatRecord, { receipts, log }: RepeatContext): Promise<boolean> {
  const line = hash('sha256', JSON.stringify(record.to), 'base64url').slice(0, 16);
  const ours = await receipts.takeOn(record.receipt, line, record);
  if (!ours) log('info', 'left to another record', { ...aboutOf(record), step: record.step });
  return ours;
}

/** Queues repetition `n` for the carriers that reach the devices now. */
async function repeat(record: RepeatRecord, n: number, { devices, queues }: RepeatContext): Promise<void> {
  const lists = await devices.listMany(record.to.map(([user]) => user));
  const found = record.to.flatMap((address) => {
    const [user, id] = address;
    const device = lists.get(user)?.devices.find((candidate) => candidate.id === id && candidate.enabled);
    return device ? [{ device, address }] : [];
  });
  const until = Math.min(record.expiresAt, Math.ceil(wakeAt(record, n + 1)! / 1000));
  await queueAddresses(queues, found, {
    ...aboutOf(record),
    acceptedAt: dueAt(record, n),
    expiresAt: record.expiresAt,
    priority: 2,
    receipt: record.receipt,
    again: { n, until },
  });
}

/** What finds a message in the logs. */
function aboutOf({ request, umid }: RepeatRecord): { request?: string; umid: number } {
  return { ...(request !== undefined && { request }), umid };
}

/** SQS delays by whole seconds, so a step comes up to a second late rather than early. */
function delayUntil(time: number, now: number): number {
  return Math.max(0, Math.min(MAX_DELAY, Math.ceil((time - now) / 1000)));
}

/** Reads a record from the queue. @throws Error if it is not one; NewerItem: the queue keeps it for later code */
export function parseRepeatRecord(body: string): CalledBackRecord | RepeatRecord {
  const record = newest(RECORD, JSON.parse(body));
  const known = record.kind === 'called-back' || (record.kind === 'repeat' && Array.isArray(record.to));
  if (!known) throw new Error('not a repeat record');
  return record as unknown as CalledBackRecord | RepeatRecord;
}
