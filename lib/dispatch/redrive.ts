import type { OperatorQueue } from '../storage/operator-queue.ts';
import type { Queue } from '../storage/queue.ts';
import { newCopy } from '../storage/succession.ts';
import type { Clock } from '../storage/table.ts';
import { type DispatchRecord, parseRecord } from './record.ts';

/** What a redrive did. */
export interface Redriven {
  /** Records put back on their queue, with a fresh budget. */
  records: number;
  /** Records whose message has expired: deleted. */
  expired: number;
  /** Records that could not be read: left where they are. */
  unreadable: number;
}

/** A record as it was before any try. @throws Error if the text is no record */
export type Renew = (body: string, now: number) => { expiresAt: number };

/** Batches without anything before the queue counts as empty: SQS may answer an empty one by chance. */
const EMPTY_BATCHES = 2;

/**
 * Puts dead letters back on their queue, for when the reason is mended.
 *
 * A record is queued again before it is deleted: whatever dies in between leaves it twice, and the delivery marks and
 * the message's id see to it that a device shows its message once.
 *
 * @param until when to stop, Unix milliseconds, as by `clock`
 */
export async function redrive(
  { deadLetters, queue, renew }: { deadLetters: OperatorQueue; queue: Queue; renew: Renew },
  clock: Clock,
  until: number,
): Promise<Redriven> {
  const done: Redriven = { records: 0, expired: 0, unreadable: 0 };
  for (let empty = 0; empty < EMPTY_BATCHES && clock() < until; ) {
    const batch = await deadLetters.receive();
    empty = batch.length === 0 ? empty + 1 : 0;
    const now = clock();
    const settled = batch.flatMap(({ body, receipt }) => {
      try {
        return [{ record: renew(body, now), receipt }];
      } catch {
        // Left where it is for a person to look at; counted, so that the person knows.
        done.unreadable++;
        return [];
      }
    });
    const alive = settled.filter(({ record }) => record.expiresAt * 1000 > now).map(({ record }) => record);
    await queue.send(alive);
    await deadLetters.remove(settled.map(({ receipt }) => receipt));
    done.records += alive.length;
    done.expired += settled.length - alive.length;
  }
  return done;
}

/** A dispatch record as if its message had been accepted now: its budget begins anew. */
export const renewDispatch: Renew = (body, now): DispatchRecord => {
  const { v, umid, request, expiresAt, priority, to, receipt, again } = parseRecord(body);
  const emergency = { ...(receipt !== undefined && { receipt }), ...(again && { again }) };
  const about = { umid, ...(request !== undefined && { request }) };
  return { v, ...about, expiresAt, priority, to, ...emergency, acceptedAt: now, attempt: 0, copy: newCopy() };
};
