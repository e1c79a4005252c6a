/** The event that Lambda makes of SQS messages, and what it reads from the function's answer. */
import type { SQSEvent, SQSMessageAttribute, SQSRecord } from 'aws-lambda';
import { asList, isObject, type Json, type JsonObject } from '../template/json.ts';
import { REGION } from '../template/pseudo.ts';

/** An SQS message of a ReceiveMessage answer as a record. */
export function toRecord(message: JsonObject, queueArn: string): SQSRecord {
  const record = {
    messageId: String(message.MessageId),
    receiptHandle: String(message.ReceiptHandle),
    body: String(message.Body),
    attributes: (isObject(message.Attributes)
      ? message.Attributes
      : {}) as unknown as SQSRecord['attributes'],
    messageAttributes: toAttributes(message.MessageAttributes),
    md5OfBody: String(message.MD5OfBody),
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: REGION,
  };
  const md5 = message.MD5OfMessageAttributes;
  return typeof md5 === 'string' ? { ...record, md5OfMessageAttributes: md5 } : record;
}

function toAttributes(attributes: Json | undefined): Record<string, SQSMessageAttribute> {
  const result: Record<string, SQSMessageAttribute> = {};
  if (!isObject(attributes)) return result;
  for (const [name, value] of Object.entries(attributes)) {
    if (!isObject(value)) continue;
    const attribute: SQSMessageAttribute = {
      stringListValues: [] as unknown as never[],
      binaryListValues: [] as unknown as never[],
      dataType: String(value.DataType),
    };
    if (typeof value.StringValue === 'string') attribute.stringValue = value.StringValue;
    if (typeof value.BinaryValue === 'string') attribute.binaryValue = value.BinaryValue;
    result[name] = attribute;
  }
  return result;
}

/** The record as filters see it: the body parsed if it is JSON. */
export function toFilterable(record: SQSRecord): Json {
  let body: Json = record.body;
  try {
    body = JSON.parse(record.body) as Json;
  } catch {
    // Plain text stays text: only patterns on text can match it.
  }
  return { ...(record as unknown as JsonObject), body };
}

/**
 * Which records failed, by Lambda's reading of a partial batch response: nothing, `{}`, null or an empty list is full
 * success; an entry without a known `itemIdentifier`, or any other shape, is failure of the whole batch (AWS Lambda
 * developer guide, "Success and failure conditions").
 *
 * @returns message ids
 */
export function failedIds(payload: unknown, event: SQSEvent): Set<string> {
  const all = new Set(event.Records.map(({ messageId }) => messageId));
  if (payload === undefined || payload === null) return new Set();
  if (!isObject(payload)) return all;
  const failures = payload.batchItemFailures;
  if (failures === undefined || failures === null) return new Set();
  if (!Array.isArray(failures)) return all;
  const failed = new Set<string>();
  for (const failure of asList(failures)) {
    const id = isObject(failure) ? failure.itemIdentifier : undefined;
    if (typeof id !== 'string' || !all.has(id)) return all;
    failed.add(id);
  }
  return failed;
}
