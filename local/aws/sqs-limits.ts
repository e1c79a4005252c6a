/** SQS's limits on what is sent, checked before the emulator sees it (Amazon SQS developer guide, "Quotas"). */
import { asList, isObject, type Json, type JsonObject } from '../template/json.ts';
import { type Answer, jsonAnswer } from './call.ts';

/** Bytes that a message, and a whole batch, may have: bodies with attributes. */
export const MAX_BYTES = 1_048_576;
const MAX_DELAY = 900;
const MAX_ENTRIES = 10;

/** The failure of one entry of a batch. */
export interface FailedEntry {
  Id: Json;
  SenderFault: true;
  Code: string;
  Message: string;
}

/** An error as SQS answers it over its JSON protocol, with the older protocol's code in a header. */
export function sqsError(code: string, message: string): Answer {
  return jsonAnswer(400, { __type: `com.amazonaws.sqs#${code}`, message }, '1.0', {
    'x-amzn-query-error': `AWS.SimpleQueueService.${code};Sender`,
  });
}

/** What SQS refuses a SendMessage for; undefined if nothing. */
export function checkMessage(input: JsonObject): Answer | undefined {
  const delay = delayProblem(input.DelaySeconds);
  if (delay) return sqsError('InvalidParameterValue', delay);
  if (messageSize(input) > MAX_BYTES) {
    const reason = `Message must be shorter than ${MAX_BYTES} bytes.`;
    return sqsError('InvalidParameterValue', `One or more parameters are invalid. Reason: ${reason}`);
  }
  return undefined;
}

/** What SQS refuses a whole SendMessageBatch for; undefined if nothing. */
export function checkBatch(entries: JsonObject[]): Answer | undefined {
  if (entries.length > MAX_ENTRIES) {
    return sqsError(
      'TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are ${MAX_ENTRIES}. You have sent ${entries.length}.`,
    );
  }
  const total = entries.reduce((sum, entry) => sum + messageSize(entry), 0);
  if (total > MAX_BYTES) {
    return sqsError(
      'BatchRequestTooLong',
      `Batch requests cannot be longer than ${MAX_BYTES} bytes. You have sent ${total} bytes.`,
    );
  }
  return undefined;
}

/** The entries of a batch that SQS refuses one by one. */
export function failedEntries(entries: JsonObject[]): FailedEntry[] {
  return entries.flatMap(({ Id, DelaySeconds }): FailedEntry[] => {
    const problem = delayProblem(DelaySeconds);
    return problem
      ? [{ Id: Id as Json, SenderFault: true, Code: 'InvalidParameterValue', Message: problem }]
      : [];
  });
}

/** Bytes of a message: its body, and of each attribute name, type and value. */
export function messageSize(message: JsonObject): number {
  let size = Buffer.byteLength(typeof message.MessageBody === 'string' ? message.MessageBody : '');
  if (!isObject(message.MessageAttributes)) return size;
  for (const [name, attribute] of Object.entries(message.MessageAttributes)) {
    size += Buffer.byteLength(name);
    if (!isObject(attribute)) continue;
    size += asList(attribute.DataType)
      .concat(asList(attribute.StringValue))
      .reduce<number>((sum, text) => sum + Buffer.byteLength(String(text)), 0);
    if (typeof attribute.BinaryValue === 'string') size += Buffer.byteLength(attribute.BinaryValue, 'base64');
  }
  return size;
}

function delayProblem(delay: Json | undefined): string | undefined {
  if (delay === undefined || (Number(delay) >= 0 && Number(delay) <= MAX_DELAY)) return undefined;
  return `Value ${String(delay)} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= ${MAX_DELAY}.`;
}
