import { hash } from 'node:crypto';
import type { DeviceRegistry } from '../accounts/device-registry.ts';
import type { Renew } from '../dispatch/redrive.ts';
import { type CarrierQueues, queueDispatch } from '../dispatch/router.ts';
import { type CopyRef, copyRef } from '../history/entry.ts';
import type { History } from '../history/history.ts';
import type { Log } from '../log.ts';
import type { StoredMessage } from '../mailbox/item.ts';
import type { Copies } from '../messages/copies.ts';
import { type Addressee, activeDevices, type Recipient } from '../messages/recipients.ts';
import type { Count } from '../metrics.ts';
import type { Envelope } from '../protocol/envelope.ts';
import { startRepeats } from '../receipts/repeat.ts';
import { takeBack } from '../storage/left-behind.ts';
import type { Queue } from '../storage/queue.ts';
import { kind, newest, unchanged } from '../storage/schema.ts';
import { newCopy, type Place } from '../storage/succession.ts';
import type { Clock } from '../storage/table.ts';
import type { JobRef, Jobs } from './job.ts';

const RECORD = kind('fan-out record', unchanged);

/** A record on the fan-out queue: a chunk of a job's recipients. */
export interface FanOutRecord {
  v: 1;
  job: JobRef;
  /** Unix milliseconds. */
  acceptedAt: number;
  /** Unix seconds. */
  expiresAt: number;
  /** From when its tries are counted: the acceptance or a redrive. Unix milliseconds. */
  since: number;
  /** 0 for the first try. */
  attempt: number;
  /** Random name of this record: of several that do the same, one puts back what is left. */
  copy: string;
  /** Name of the chunk, made of the users that it began with: what is left of it keeps the name. */
  line: string;
  /** User keys, at most `CHUNK_USERS`. */
  users: string[];
  /** By user key, the names of the devices that it is for; users who are not here get it on all. Absent: nobody is. */
  devices?: Record<string, string[]>;
  /** Users whom the sender does not know. Absent: there are none. */
  hidden?: string[];
  /** Its number, under which whom it reached is noted. */
  chunk: number;
}

/** Users in one chunk: with a few devices each, a hundred copies or so, and at the very most a thousand. */
export const CHUNK_USERS = 20;
/** Copies that are sealed and stored side by side: what a chunk holds in memory, whatever its size. */
const SLICE = 100;
/**
 * For how long a user is tried whose copies cannot be stored, milliseconds. As long as the most urgent push: until it is
 * stored, the message is nowhere that the device could find it.
 */
const BUDGET = 24 * 3_600_000;
/** Longest wait between two tries, seconds. */
const LONGEST = 300;

/** In how many chunks users are queued. */
export const chunksOf = (users: readonly unknown[]): number => Math.ceil(users.length / CHUNK_USERS);

/** What a message needs that may be accepted again under the same identity. */
export interface Repeatable {
  /** Key of the fan-out's job, which may be stored again; otherwise a random one. */
  jobKey?: Buffer;
  /** Whether what is stored stays when accepting it fails: it may be of an attempt that was answered. */
  keep?: boolean;
}

/** Where a message that is fanned out comes from. */
export interface FanOutOrigin extends Repeatable {
  request: string;
  /** Unix seconds. */
  expiresAt: number;
  /** Unix milliseconds. */
  acceptedAt: number;
}

/** What fanning out needs. */
export interface FanOutContext {
  jobs: Jobs;
  devices: DeviceRegistry;
  copies: Copies;
  queues: CarrierQueues;
  /** For emergency messages: the chains of their repetitions. */
  repeats: Queue;
  history: History;
  /** The fan-out queue itself. */
  queue: Queue;
  clock: Clock;
}

/** What a worker needs besides. */
export interface WorkerContext extends FanOutContext {
  /** Where the users go for whom it could not be done. */
  deadLetters: Queue;
  log: Log;
  count: Count;
}

/**
 * Accepts a message for many users: stores it once and queues a record a chunk of them. When this returns, the message
 * will reach every device, whatever dies.
 *
 * @throws Error if the job could not be stored or not all chunks be queued; it is withdrawn then, unless it is to be kept
 */
export async function startFanOut(
  envelope: Envelope,
  users: Addressee[],
  { request, expiresAt, acceptedAt, jobKey, keep = false }: FanOutOrigin,
  { jobs, queue }: Pick<FanOutContext, 'jobs' | 'queue'>,
): Promise<void> {
  const job = await jobs.put(envelope, request, expiresAt, jobKey);
  const records = Array.from({ length: chunksOf(users) }, (_, n): FanOutRecord => {
    const chunk = users.slice(n * CHUNK_USERS, (n + 1) * CHUNK_USERS);
    const named = chunk.flatMap(({ user, names }) => (names ? [[user, names] as const] : []));
    const hidden = chunk.flatMap(({ user, hidden }) => (hidden ? [user] : []));
    return {
      v: 1,
      job,
      acceptedAt,
      expiresAt,
      since: acceptedAt,
      attempt: 0,
      copy: newCopy(),
      line: lineOf(chunk),
      users: chunk.map(({ user }) => user),
      ...(named.length > 0 && { devices: Object.fromEntries(named) }),
      ...(hidden.length > 0 && { hidden }),
      chunk: n,
    };
  });
  try {
    await queue.send(records);
  } catch (error) {
    // Some chunks may be queued; without the job their workers drop them.
    if (!keep) await takeBack(() => jobs.remove(job));
    throw error;
  }
}

/**
 * Stores a chunk's copies and queues their dispatch.
 *
 * Everything in it can be repeated: a copy is stored under the request's id, so storing it again finds it there, and
 * dispatch skips what is marked. A copy that its device has acknowledged meanwhile would come once more; the device
 * knows its id. Users whose copies could not be stored are tried again by themselves, so one recipient's trouble is
 * never another's. Of several records of one chunk one puts back what is left (`lib/storage/succession.ts`); a user whom
 * another of them failed on was stored by that one, or is on its list. What cannot be done in the end is a dead letter.
 *
 * @throws Error if the job could not be read or the chunk's remainder not be queued: the queue repeats the record
 */
export async function runChunk(record: FanOutRecord, context: WorkerContext): Promise<void> {
  const { job, users, expiresAt, acceptedAt } = record;
  if (expiresAt * 1000 <= context.clock()) return;
  const envelope = await context.jobs.get(job);
  if (!envelope) {
    context.log('warn', 'the job of a chunk was withdrawn', { ...aboutOf(record), users: users.length });
    return;
  }
  const recipients = await recipientsOf(record, context);
  const failed = new Set<string>();
  const reached: CopyRef[] = [];
  try {
    for (let start = 0; start < recipients.length; start += SLICE) {
      const slice = recipients.slice(start, start + SLICE);
      const stored = await storeSlice(
        slice,
        envelope,
        { umid: job.umid, expiresAt, request: job.request },
        context,
        failed,
      );
      const bySlice = new Map(slice.map((recipient) => [recipient.device.id, recipient]));
      reached.push(...stored.map(({ device, id }) => copyRef(bySlice.get(device)!, id)));
      await queueDispatch(
        context.queues,
        stored,
        new Map(slice.map(({ device }) => [device.id, device])),
        acceptedAt,
        envelope.receipt,
      );
      await startRepeats(context.repeats, envelope, acceptedAt, stored, context.clock);
    }
  } finally {
    // What is stored waits for its device, even if it could not be queued: its sender sees that it waits.
    const { chunk } = record;
    await context.history.addChunk({ ...job, chunk }, reached, Math.floor(acceptedAt / 1000));
  }
  const copies = reached.length;
  context.count('FanOutCopies', copies);
  context.log('info', 'fanned out', {
    ...aboutOf(record),
    users: users.length,
    copies,
    failed: failed.size,
  });
  if (failed.size > 0) await repeat(record, [...failed], context);
}

/** The devices of a chunk's users, as they are now. */
async function recipientsOf(
  { users, devices, hidden }: FanOutRecord,
  context: FanOutContext,
): Promise<Recipient[]> {
  const lists = await context.devices.listMany(users);
  const unknown = new Set(hidden);
  return [...lists.values()].flatMap((list) => {
    const names = devices?.[list.user];
    return activeDevices(list, {
      ...(names && { names }),
      ...(unknown.has(list.user) && { hidden: true }),
    });
  });
}

async function storeSlice(
  slice: Recipient[],
  envelope: Envelope,
  common: { umid: number; expiresAt: number; request: string },
  { copies, log }: WorkerContext,
  failed: Set<string>,
): Promise<StoredMessage[]> {
  const made = copies.make(slice, envelope, common);
  const results = await Promise.allSettled(made.map((copy, n) => copies.store(copy, slice[n]!, envelope)));
  return results.flatMap((result, n) => {
    if (result.status === 'fulfilled') return [result.value];
    failed.add(slice[n]!.user);
    const { request, umid } = common;
    log('warn', 'a copy could not be stored', { request, umid, error: String(result.reason) });
    return [];
  });
}

async function repeat(record: FanOutRecord, users: string[], context: WorkerContext): Promise<void> {
  const rest: FanOutRecord = { ...record, users, attempt: record.attempt + 1, copy: newCopy() };
  const { job, line, expiresAt } = record;
  if (!(await context.jobs.takeOn(job, line, placeOf(record), expiresAt))) {
    context.log('info', 'left to another record', { ...aboutOf(record), users: users.length });
    return;
  }
  const delay = Math.ceil(Math.random() * Math.min(LONGEST, 2 ** rest.attempt));
  if (context.clock() + delay * 1000 >= record.since + BUDGET) {
    await context.deadLetters.send([rest]);
    context.count('GivenUp', users.length);
    context.log('error', 'users given up', { ...aboutOf(record), users: users.length });
    return;
  }
  await context.queue.send([rest], delay);
  context.count('Retries', users.length);
}

/** A chunk's name. Chunks of two requests under one identity have one name only if they are for the same users. */
function lineOf(chunk: Addressee[]): string {
  const of = chunk.map(({ user, names, hidden }) => [user, names ?? null, hidden ?? false]);
  return hash('sha256', JSON.stringify(of), 'base64url').slice(0, 16);
}

function placeOf({ since, attempt, copy }: FanOutRecord): Place {
  return { turn: since + attempt, copy };
}

/** What finds a message in the logs. */
function aboutOf({ job: { request, umid } }: FanOutRecord): { request: string; umid: number } {
  return { request, umid };
}

/** Reads a record from the queue. @throws Error if it is not one; NewerItem: the queue keeps it for later code */
export function parseFanOutRecord(body: string): FanOutRecord {
  const record = newest(RECORD, JSON.parse(body));
  if (!Array.isArray(record.users) || !record.job) throw new Error('not a fan-out record');
  return record as unknown as FanOutRecord;
}

/** A fan-out record as it was before any try. */
export const renewFanOut: Renew = (body, now): FanOutRecord => ({
  ...parseFanOutRecord(body),
  since: now,
  attempt: 0,
  copy: newCopy(),
});
