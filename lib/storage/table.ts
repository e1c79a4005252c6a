import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/** A DynamoDB table as the domain sees it: which one, and the client that speaks to it. */
export interface Table {
  readonly client: DynamoDBDocumentClient;
  readonly name: string;
}

/** Current time in Unix milliseconds. Passed in wherever time matters, so that tests own it. */
export type Clock = () => number;

/** Unix seconds, the unit of every stored time and of DynamoDB's TTL attribute. */
export function seconds(clock: Clock): number {
  return Math.floor(clock() / 1000);
}

/**
 * Whether DynamoDB refused a request because of too many others: on one partition (1,000 writes or 3,000 reads a second),
 * or on the table.
 */
export function isThrottled(error: unknown): boolean {
  return error instanceof Error && THROTTLED.includes(error.name);
}

const THROTTLED = ['ProvisionedThroughputExceededException', 'RequestLimitExceeded', 'ThrottlingException'];

/** Whether DynamoDB refused a write because its condition did not hold: somebody else was first. */
export function isConditionFailure(error: unknown): boolean {
  return error instanceof Error && error.name === 'ConditionalCheckFailedException';
}
