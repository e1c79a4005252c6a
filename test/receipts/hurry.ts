import { createHash } from 'node:crypto';
import type { RepeatRecord } from '../../lib/receipts/repeat.ts';
import { dueAt } from '../../lib/receipts/schedule.ts';
import { answerJson } from '../../local/aws/call.ts';
import { asList, isObject, type JsonObject } from '../../local/template/json.ts';
import type { TestPeal } from '../support/peal.ts';

const md5 = (text: string) => createHash('md5').update(text).digest('hex');

/**
 * Lets time fly for chains of repetitions: up to step `upTo` a chain's record is queued as if its message had been
 * accepted just so long ago that the step is due.
 *
 * @param before waited for before a step is queued; the first step's is in the midst of sending
 * @returns what ends it
 */
export function hurry(
  { cloud }: Pick<TestPeal, 'cloud'>,
  upTo: number,
  before: (step: number, record: RepeatRecord) => Promise<void> | void = () => {},
): () => void {
  return cloud.front.intercept(async ({ action, input }) => {
    if (action !== 'SendMessageBatch' || input.QueueUrl !== cloud.queue('ReceiptsRepeatQueue').url) return;
    const entries: JsonObject[] = [];
    for (const entry of asList(input.Entries).filter(isObject)) {
      const record = JSON.parse(String(entry.MessageBody)) as RepeatRecord;
      const hurried = record.kind === 'repeat' && record.step <= upTo;
      if (hurried) await before(record.step, record);
      const passed = dueAt({ ...record, acceptedAt: 0 }, record.step);
      const body = hurried
        ? JSON.stringify({ ...record, acceptedAt: Date.now() - passed })
        : String(entry.MessageBody);
      entries.push({ ...entry, MessageBody: body, ...(hurried && { DelaySeconds: 0 }) });
    }
    return {
      input: { ...input, Entries: entries },
      // The SDK compares what it sent with what SQS says it has got.
      after: (answer) => {
        const sent = asList(input.Entries).filter(isObject);
        const md5Of = (id: unknown) => md5(String(sent.find(({ Id }) => Id === id)?.MessageBody));
        const Successful = asList(answerJson(answer).Successful)
          .filter(isObject)
          .map((one): JsonObject => ({ ...one, MD5OfMessageBody: md5Of(one.Id) }));
        return { ...answer, headers: {}, body: JSON.stringify({ Successful, Failed: [] }) };
      },
    };
  });
}
