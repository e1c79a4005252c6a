/** Emergency messages that were acknowledged here. Peal is told as soon as it can be reached. */
import { type PealApi, PealError } from '../../../lib/device/index.ts';
import type { Acknowledgement, Database } from './database.ts';

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
