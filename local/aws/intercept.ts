/** Faults that tests put into AWS calls. */
import type { JsonObject } from '../template/json.ts';
import { splitBatch } from './batch.ts';
import type { Answer, Call } from './call.ts';

/**
 * What an interceptor wants done with a call; undefined leaves it alone.
 *
 * - `status` and `body`: this answer instead; the call takes no effect.
 * - `before: 'drop'`: the connection is closed; the call takes no effect.
 * - `input`: the call runs with this input in place of its own (JSON protocols).
 * - `after`: the call takes effect; then `drop` closes the connection without an answer, an Answer replaces the
 *   service's, a function changes it.
 */
export interface Intervention {
  status?: number;
  body?: string | object;
  headers?: Record<string, string>;
  before?: 'drop';
  input?: JsonObject;
  after?: 'drop' | Answer | ((answer: Answer) => Answer | 'drop' | Promise<Answer | 'drop'>);
}

/** Looks at each call that IAM allowed. May be asynchronous, to hold a call until a test lets it go on. */
export type Interceptor = (call: Call) => Intervention | undefined | Promise<Intervention | undefined>;

/** An error answer of a JSON protocol, for example `failure(400, 'ThrottlingException', 'Rate exceeded')`. */
export function failure(status: number, type: string, message: string): Intervention {
  return { status, body: { __type: type, message } };
}

/**
 * Leaves some requests of a BatchWriteItem or keys of a BatchGetItem unprocessed, as DynamoDB does under load: the rest
 * runs, the answer names them in `UnprocessedItems` or `UnprocessedKeys`.
 *
 * @param leave whether the request or key with this table and number (within the table) is left
 */
export function leaveUnprocessed(
  call: Call,
  leave: (table: string, index: number) => boolean,
): Intervention | undefined {
  const split = splitBatch(call, leave);
  if (!split) return undefined;
  const { input, nothing, answer } = split;
  return input ? { input, after: answer } : { status: 200, body: nothing };
}
