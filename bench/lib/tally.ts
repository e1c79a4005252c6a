/** Which calls of AWS functions make, and which of DynamoDB's partitions they touch, counted at the local cloud's front. */
import { type Answer, answerJson, type Call } from '../../local/aws/call.ts';
import type { Cloud } from '../../local/cloud.ts';
import { asList, isObject, type Json, type JsonObject } from '../../local/template/json.ts';

/** Read and write units. */
export interface Units {
  reads: number;
  writes: number;
}

/** Caller → action (`dynamodb.PutItem`) → how often. */
export type Calls = Record<string, Record<string, number>>;

/** Counts from its creation, or the last `take`, until it is closed. */
export class CallTally {
  readonly #tables: Record<string, string>;
  readonly #stop: () => void;
  #calls: Calls = {};
  #partitions: Record<string, Units> = {};

  constructor(cloud: Cloud) {
    this.#tables = Object.fromEntries(
      ['Directory', 'Mailbox'].map((table) => [cloud.tableName(table), table]),
    );
    this.#stop = cloud.front.intercept((call) => this.#watch(call));
  }

  /** What was counted, and begins anew. Partitions are by table and kind of key: `Directory token#… app`. */
  take(): { calls: Calls; partitions: Record<string, Units> } {
    const taken = { calls: this.#calls, partitions: this.#partitions };
    this.#calls = {};
    this.#partitions = {};
    return taken;
  }

  close(): void {
    this.#stop();
  }

  #watch(call: Call) {
    const { caller, service, method } = call;
    const action = call.action || method;
    // Lambda's own polling, and what a client does with an address that a function has presigned.
    if (POLLS.has(action) || call.headers.authorization === undefined) return undefined;
    const calls = this.#calls[caller.name] ?? {};
    this.#calls[caller.name] = calls;
    const name = `${service}.${action}`;
    calls[name] = (calls[name] ?? 0) + 1;
    if (service !== 'dynamodb') return undefined;
    return {
      input: { ...call.input, ReturnConsumedCapacity: 'TOTAL' },
      after: (answer: Answer) => {
        for (const { kind, units } of touched(call, answerJson(answer), this.#tables)) {
          const sum = this.#partitions[kind] ?? { reads: 0, writes: 0 };
          this.#partitions[kind] = sum;
          sum[READS.has(action) ? 'reads' : 'writes'] += units;
        }
        return answer;
      },
    };
  }
}

const POLLS = new Set(['ReceiveMessage', 'DeleteMessage', 'DeleteMessageBatch']);
const READS = new Set(['GetItem', 'BatchGetItem', 'Query']);

interface Touched {
  kind: string;
  units: number;
}

/**
 * The kinds of keys that a call touched, with the units that it took of each. Of several keys each takes one unit (half
 * of one if that is all there is), and what is left the largest of the items found.
 *
 * @param output the answer, with its `ConsumedCapacity`; without, it was refused by its condition: one unit
 * @param tables what tables are called, by their names
 */
export function touched(
  { action, input }: Call,
  output: JsonObject,
  tables: Record<string, string>,
): Touched[] {
  const capacity = (table: string): number => {
    const all = (Array.isArray(output.ConsumedCapacity) ? output.ConsumedCapacity : [output.ConsumedCapacity])
      .filter((one): one is JsonObject => one !== undefined && isObject(one))
      .filter(({ TableName }) => TableName === table);
    return all.length === 0 ? 1 : all.reduce((sum, { CapacityUnits }) => sum + Number(CapacityUnits), 0);
  };
  const batch = isObject(input.RequestItems) ? Object.entries(input.RequestItems) : [];
  const single = String(input.TableName);
  if (batch.length === 0) {
    const key = isObject(input.Key) ? input.Key : isObject(input.Item) ? input.Item : queried(input);
    return [{ kind: kindOf(tables[single], key), units: capacity(single) }];
  }
  return batch.flatMap(([table, request]) => {
    const keys = (isObject(request) ? asList(request.Keys) : asList(request).map(writtenKey)).filter(
      isObject,
    );
    const units = capacity(table);
    const each = Math.min(1, units / keys.length);
    const found =
      action === 'BatchGetItem' && isObject(output.Responses) ? output.Responses[table] : undefined;
    const largest = asList(found)
      .filter(isObject)
      .toSorted((a, b) => JSON.stringify(b).length - JSON.stringify(a).length)[0];
    return keys.map((key) => ({
      kind: kindOf(tables[table], key),
      units: each + (largest && isSame(key, largest) ? units - each * keys.length : 0),
    }));
  });
}

function writtenKey(request: Json): Json {
  if (!isObject(request)) return request;
  if (isObject(request.DeleteRequest)) return request.DeleteRequest.Key ?? null;
  return isObject(request.PutRequest) ? (request.PutRequest.Item ?? null) : null;
}

/** The partition that a query reads. */
function queried({ KeyConditionExpression, ExpressionAttributeValues: values }: JsonObject): JsonObject {
  const [, name = ''] = /=\s*(:\w+)/.exec(String(KeyConditionExpression)) ?? [];
  return { pk: (isObject(values) ? values[name] : undefined) ?? null };
}

function isSame(key: JsonObject, item: JsonObject): boolean {
  return ['pk', 'sk'].every((name) => JSON.stringify(key[name]) === JSON.stringify(item[name]));
}

/** `Directory token#… app`, `Mailbox device message`, `Mailbox device` (a query of all of it). */
function kindOf(table: string | undefined, { pk, sk }: JsonObject): string {
  const partition = textOf(pk);
  const [prefix, ...rest] = partition.split('#');
  const words = [table ?? 'other', rest.length > 0 ? `${prefix}#…` : 'device'];
  if (isObject(sk) && sk.N !== undefined) {
    const id = Number(sk.N);
    words.push(rest.length > 0 ? '' : id > 0 ? 'message' : id < 0 ? 'mark' : 'served');
  } else if (sk !== undefined) {
    const [head, ...tail] = textOf(sk).split('#');
    words.push(tail.length > 0 ? `${head}#…` : head!);
  }
  return words.filter((word) => word !== '').join(' ');
}

function textOf(value: Json | undefined): string {
  return value !== undefined && isObject(value) ? String(Object.values(value)[0]) : '';
}
