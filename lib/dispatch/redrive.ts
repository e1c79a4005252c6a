import type { DeadLetters } from '../storage/dead-letters.ts';
import type { Queue } from '../storage/queue.ts';
import type { Clock } from '../storage/table.ts';
import { seconds } from '../storage/table.ts';
import type { DispatchRecord } from './record.ts';
import { parseRecord } from './record.ts';

/** What a redrive did. */
export interface Redriven {
  /** Records put back on the carrier's queue, with a fresh budget. */
  records: number;
  /** Devices that these are for. */
  devices: number;
  /** Records whose message has expired: deleted. */
  expired: number;
  /** Records that could not be read: left where they are. */
  unreadable: number;
}

/** Batches without anything new before the queue counts as empty. SQS may answer an empty batch by chance. */
const EMPTY_BATCHES = 2;

/**
 * Puts a carrier's dead letters back on its queue, for when the reason is mended.
 *
 * A record is queued again before it is deleted: whatever dies in between leaves it twice, and the delivery marks and
 * the collapse key see to it that a device shows it once.
 *
 * @param until when to stop, Unix milliseconds, as by `clock`
 */
export async function redrive(
  deadLetters: DeadLetters,
  queue: Queue,
  clock: Clock,
  until: number,
): Promise<Redriven> {
  const done: Redriven = { records: 0, devices: 0, expired: 0, unreadable: 0 };
  for (let empty = 0; empty < EMPTY_BATCHES && clock() < until; ) {
    const batch = await deadLetters.receive();
    if (batch.length === 0) {
      empty++;
      continue;
    }
    const settled = batch.flatMap(({ body, receipt }) => {
      const record = readable(body);
      if (!record) done.unreadable++;
      return record ? [{ record, receipt }] : [];
    });
    const alive = settled.filter(({ record }) => record.expiresAt > seconds(clock));
    await queue.send(alive.map(({ record }) => fresh(record, clock())));
    await deadLetters.remove(settled.map(({ receipt }) => receipt));
    done.records += alive.length;
    done.devices += alive.reduce((sum, { record }) => sum + record.to.length, 0);
    done.expired += settled.length - alive.length;
  }
  return done;
}

/** The record as if it had been accepted now: its budget begins anew. */
function fresh(record: DispatchRecord, now: number): DispatchRecord {
  const { v, umid, expiresAt, priority, to } = record;
  return { v, umid, expiresAt, priority, to, acceptedAt: now, attempt: 0 };
}

function readable(body: string): DispatchRecord | undefined {
  try {
    return parseRecord(body);
  } catch {
    return undefined;
  }
}
