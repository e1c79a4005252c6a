/** Emergency messages that were acknowledged, here or elsewhere. Of what was done here Peal is told when it can be reached. */
import { type Message, type PealApi, PealError, type ReceiptState } from '../../../lib/device/index.ts';
import type { Acknowledgement, Database, Ended } from './database.ts';

/** Notes an acknowledgement, to be sent by {@link sendAcknowledgements}. Repeating it does nothing. */
export async function acknowledge(
  db: Database,
  { id, receipt }: Pick<Acknowledgement, 'id' | 'receipt'>,
): Promise<void> {
  const change = db.transaction('acknowledgements', 'readwrite', { durability: 'strict' });
  const known = await change.store.get(id);
  if (!known) await change.store.put({ id, receipt, at: Date.now(), waiting: 1 });
  await change.done;
}

/**
 * Asks Peal whether an emergency still asks to be acknowledged, and notes it if it does not. What was acknowledged here
 * meanwhile stays as it is, and is told.
 *
 * @param now Unix seconds
 * @returns whether it has ended
 * @throws NetworkError or PealError: it may have ended or not
 */
export async function lookElsewhere(
  db: Database,
  api: Pick<PealApi, 'receiptState'>,
  { id, receipt, ack_until: until = 0 }: Pick<Message, 'ack_until' | 'id' | 'receipt'>,
  now: number,
): Promise<boolean> {
  if (receipt === undefined) return true;
  const state = await api.receiptState(receipt);
  if (state.asking) return false;
  // One whose time is over says so by itself.
  const ended = endOf(state);
  if (ended.how === 'cancelled' && until <= now) return true;
  const change = db.transaction('acknowledgements', 'readwrite', { durability: 'strict' });
  const known = await change.store.get(id);
  if (!known) await change.store.put({ id, receipt, at: Date.now(), ended });
  await change.done;
  return true;
}

function endOf({ acknowledged, device }: ReceiptState): Ended {
  if (!acknowledged) return { how: 'cancelled' };
  return { how: 'acknowledged', ...(device !== undefined && { device }) };
}

/**
 * Tells Peal of what was acknowledged. Who dies after the call and before the note tells it again, which changes
 * nothing; what Peal refuses (cancelled, expired) asks no more and is done as well.
 *
 * @returns how many there were to tell
 * @throws NetworkError or PealError 5xx; what was not told stays noted
 */
export async function sendAcknowledgements(
  db: Database,
  api: Pick<PealApi, 'acknowledgeReceipt'>,
  device: string,
): Promise<number> {
  const all = await db.getAllFromIndex('acknowledgements', 'waiting');
  for (const waiting of all) {
    try {
      await api.acknowledgeReceipt(waiting.receipt, device);
    } catch (error) {
      const refused =
        error instanceof PealError && error.status < 500 && error.status !== 429 && !error.signedOut;
      if (!refused) throw error;
    }
    const { waiting: _, ...done } = waiting;
    await db.put('acknowledgements', done);
  }
  return all.length;
}
