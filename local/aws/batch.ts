/** Parts of DynamoDB batches: what runs, and what is left for the caller to ask for again. */
import { isObject, type Json, type JsonObject } from '../template/json.ts';
import { type Answer, answerJson, type Call } from './call.ts';

/** A batch that does not run whole. */
export interface SplitBatch {
  /** The input of what runs; undefined if nothing does. */
  input: JsonObject | undefined;
  /** The answer that also names what was left, given the answer to what ran. */
  answer(ran: Answer): Answer;
  /** The body of an answer when nothing ran. */
  nothing: JsonObject;
}

/**
 * Splits a BatchWriteItem or BatchGetItem; undefined for any other call.
 *
 * @param leave whether the request or key with this table and number (within the table) is left
 */
export function splitBatch(
  call: Call,
  leave: (table: string, index: number) => boolean,
): SplitBatch | undefined {
  const write = call.action === 'BatchWriteItem';
  if (!write && call.action !== 'BatchGetItem') return undefined;
  const kept: JsonObject = {};
  const left: JsonObject = {};
  for (const [table, request] of Object.entries(call.input.RequestItems as JsonObject)) {
    const all = (isObject(request) ? request.Keys : request) as Json[];
    const rest = (keys: Json[]): Json => (isObject(request) ? { ...request, Keys: keys } : keys);
    const keep = all.filter((_one, index) => !leave(table, index));
    const drop = all.filter((_one, index) => leave(table, index));
    if (keep.length > 0) kept[table] = rest(keep);
    if (drop.length > 0) left[table] = rest(drop);
  }
  const name = write ? 'UnprocessedItems' : 'UnprocessedKeys';
  return {
    input: Object.keys(kept).length > 0 ? { ...call.input, RequestItems: kept } : undefined,
    answer: (ran) => ({
      ...ran,
      body: ran.status === 200 ? JSON.stringify({ ...answerJson(ran), [name]: left }) : ran.body,
    }),
    nothing: { ...(write ? {} : { Responses: {} }), [name]: left },
  };
}
