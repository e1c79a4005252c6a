/** One AWS call as the front sees it, and what a service does with it. */

import type { Context } from '../iam/conditions.ts';
import type { Caller } from '../iam/iam.ts';
import { isObject, type JsonObject } from '../template/json.ts';

export type ServiceName = 'dynamodb' | 'sqs' | 's3' | 'secretsmanager' | 'lambda';

export interface Call {
  caller: Caller;
  service: ServiceName;
  /** The operation, for example `PutItem`. */
  action: string;
  /** The parsed body of a JSON protocol; empty for S3 and Lambda. */
  input: JsonObject;
  method: string;
  /** Path and query. */
  url: string;
  /** Lower-case names. */
  headers: Record<string, string>;
  body: Buffer;
}

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Buffer | string;
}

/** One thing that IAM has to allow before a call may run. */
export interface Access {
  /** With the service's prefix, for example `dynamodb:PutItem`. */
  action: string;
  resource: string;
  context?: () => Context;
}

/** A service behind the front. */
export interface Service {
  /** Everything the caller must be allowed; an Answer if the call is not even understood. */
  accesses(call: Call): Access[] | Answer;
  /** The service's own answer to a caller who may not. */
  deny(call: Call, message: string): Answer;
  /** Runs an allowed call: enforces limits, forwards, counts. */
  run(call: Call): Promise<Answer>;
}

export function isAnswer(value: Access[] | Answer): value is Answer {
  return !Array.isArray(value);
}

/** An answer of an AWS JSON protocol (`1.0` DynamoDB and SQS, `1.1` Secrets Manager and Lambda's REST JSON). */
export function jsonAnswer(
  status: number,
  body: object,
  version: '1.0' | '1.1' = '1.0',
  headers: Record<string, string> = {},
): Answer {
  return {
    status,
    headers: { 'content-type': `application/x-amz-json-${version}`, ...headers },
    body: JSON.stringify(body),
  };
}

/** The JSON object in an answer's body; empty for a body that is none. */
export function answerJson(answer: Answer): JsonObject {
  if (answer.body.length === 0) return {};
  const value: unknown = JSON.parse(answer.body.toString());
  return isObject(value) ? value : {};
}
