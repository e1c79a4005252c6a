import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { Log } from '../lib/log.ts';

/** The handler of a function that does the records of a batch side by side. Of the batch only what failed comes again. */
export function batchHandler(work: (body: string) => Promise<void>, log: Log) {
  return async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const results = await Promise.allSettled(event.Records.map(async ({ body }) => work(body)));
    const batchItemFailures = results.flatMap((result, n) => {
      if (result.status === 'fulfilled') return [];
      const { messageId } = event.Records[n]!;
      log('error', 'record failed, the queue repeats it', {
        record: messageId,
        error: String(result.reason),
      });
      return [{ itemIdentifier: messageId }];
    });
    return { batchItemFailures };
  };
}
