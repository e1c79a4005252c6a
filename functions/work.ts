import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { Log } from '../lib/log.ts';
import type { Count } from '../lib/metrics.ts';
import type { Queue } from '../lib/storage/queue.ts';
import { giveUpUnreadable, STUCK_AFTER } from '../lib/storage/stuck.ts';

/** A function that works on a queue. */
export interface Worker<Parsed> {
  /** @throws Error if the text is no record, or one of later code */
  parse: (body: string) => Parsed;
  /**
   * Does a record.
   *
   * @param receipt handle of the delivery
   * @returns whether SQS deletes it, or delivers it again when its visibility timeout is over
   * @throws Error if it failed: it is delivered again
   */
  work: (record: Parsed, receipt: string) => Promise<'again' | 'done'>;
  /** Where a record goes that cannot be read. */
  deadLetters: Queue;
  log: Log;
  count: Count;
}

/** The handler of a function that does the records of a batch side by side. Of the batch only what failed comes again. */
export function batchHandler<Parsed>(worker: Worker<Parsed>) {
  return async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const again = await Promise.all(
      event.Records.map(async (delivery) => ((await comesAgain(delivery, worker)) ? [delivery] : [])),
    );
    return { batchItemFailures: again.flat().map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };
}

async function comesAgain<Parsed>(delivery: SQSRecord, worker: Worker<Parsed>): Promise<boolean> {
  const { messageId: id, body, receiptHandle } = delivery;
  const receives = Number(delivery.attributes.ApproximateReceiveCount);
  let record: { parsed: Parsed } | undefined;
  try {
    record = { parsed: worker.parse(body) };
    return (await worker.work(record.parsed, receiptHandle)) === 'again';
  } catch (error) {
    worker.log('error', 'record failed, the queue repeats it', { record: id, error: String(error) });
    if (receives >= STUCK_AFTER) worker.count('Stuck', 1);
    return record !== undefined || !(await giveUpUnreadable({ id, body, receives }, worker));
  }
}
