/**
 * What one partition of a DynamoDB table serves: 1,000 write units or 3,000 read units a second, or a linear combination
 * of both (Amazon DynamoDB developer guide, "Troubleshooting throttling issues for on-demand mode").
 */
import { asList, isObject } from '../template/json.ts';
import { arn } from '../template/pseudo.ts';
import { splitBatch } from './batch.ts';
import { type Answer, type Call, jsonAnswer } from './call.ts';
import type { TableShape } from './dynamodb.ts';
import { partitionsOf, tableName } from './dynamodb-context.ts';

/** Units a second. */
export interface PartitionLimit {
  reads: number;
  writes: number;
}

/** DynamoDB's own. */
export const PARTITION_LIMIT: PartitionLimit = { reads: 3_000, writes: 1_000 };

/** Runs a call, and tells what it cost by table. */
export type Serve = (call: Call, spent?: (table: string, units: number) => void) => Promise<Answer>;

const KINDS: Record<string, keyof PartitionLimit> = {
  BatchGetItem: 'reads',
  BatchWriteItem: 'writes',
  DeleteItem: 'writes',
  GetItem: 'reads',
  PutItem: 'writes',
  Query: 'reads',
  UpdateItem: 'writes',
};

const HOT =
  'Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table or index so please try again shortly. If exceptions persist, check if you have a hot key: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html';

/**
 * Refuses what a partition has no units left for, as a table on demand does: with a ThrottlingException, and in a batch
 * as `UnprocessedItems` or `UnprocessedKeys` as long as any of it runs. Secondary indexes and scans are not limited. What
 * a batch costs is shared out evenly among its items of a table.
 *
 * @param now milliseconds
 */
export function limitPartitions(
  limit: PartitionLimit,
  tables: ReadonlyMap<string, TableShape>,
  now: () => number,
  serve: Serve,
): Serve {
  const partitions = new Partitions(limit, now);
  return (call) => {
    const kind = KINDS[call.action];
    if (!kind || call.input.IndexName !== undefined) return serve(call);
    const entered = new Map<string, { least: number; partitions: string[] }>();
    const left = new Set<string>();
    const { RequestItems: batch, TableName: table } = call.input;
    for (const given of isObject(batch) ? Object.keys(batch) : asList(table).map(String)) {
      const shape = tables.get(tableName(given));
      if (!shape) continue;
      const { ConsistentRead } = {
        ...call.input,
        ...(isObject(batch) && isObject(batch[given]) && batch[given]),
      };
      const least = kind === 'reads' && ConsistentRead !== true ? 0.5 : 1;
      const mine: string[] = [];
      entered.set(shape.name, { least, partitions: mine });
      for (const [index, key] of partitionsOf(call, given, shape).entries()) {
        const partition = JSON.stringify([shape.name, key]);
        if (partitions.enter(partition, kind, least)) mine.push(partition);
        else left.add(`${given} ${index}`);
      }
    }
    const spent = (name: string, units: number): void => {
      const { least, partitions: all } = entered.get(name) ?? { least: 0, partitions: [] };
      for (const each of all) partitions.charge(each, kind, units / all.length - least);
    };
    if (left.size === 0) return serve(call, spent);
    const split = splitBatch(call, (name, index) => left.has(`${name} ${index}`));
    if (!split?.input) return Promise.resolve(throttled([...left][0]!.split(' ')[0]!, kind));
    const { input } = split;
    return serve({ ...call, input, body: Buffer.from(JSON.stringify(input)) }, spent).then(split.answer);
  };
}

function throttled(table: string, kind: keyof PartitionLimit): Answer {
  const reason = `Table${kind === 'reads' ? 'Read' : 'Write'}KeyRangeThroughputExceeded`;
  return jsonAnswer(400, {
    __type: 'com.amazon.coral.availability#ThrottlingException',
    message: HOT,
    throttlingReasons: [
      { reason, resource: table.startsWith('arn:') ? table : arn('dynamodb', `table/${table}`) },
    ],
  });
}

/** What is left of each partition's second. A partition that was ever used takes some hundred bytes. */
export class Partitions {
  /** What is left, in seconds of the whole limit (at most 1, less than 0 after a large item), and as of when. */
  readonly #left = new Map<string, { seconds: number; at: number }>();
  readonly #limit: PartitionLimit;
  readonly #now: () => number;

  /** @param now milliseconds */
  constructor(limit: PartitionLimit, now: () => number) {
    this.#limit = limit;
    this.#now = now;
  }

  /**
   * Takes units of a partition, if it has any left. What a request costs is known only when it has run: it is let in for
   * its least, and the rest is charged afterwards.
   *
   * @returns whether the request may run
   */
  enter(partition: string, kind: keyof PartitionLimit, least: number): boolean {
    const seconds = least / this.#limit[kind];
    const left = this.#refilled(partition);
    // A second's share adds up from many fractions, whose sum is not exact.
    if (left.seconds < seconds - 1e-9) return false;
    left.seconds -= seconds;
    return true;
  }

  /** Takes what a request cost beyond its least. */
  charge(partition: string, kind: keyof PartitionLimit, units: number): void {
    this.#refilled(partition).seconds -= units / this.#limit[kind];
  }

  #refilled(partition: string): { seconds: number } {
    const now = this.#now();
    const left = this.#left.get(partition) ?? { seconds: 1, at: now };
    left.seconds = Math.min(1, left.seconds + (now - left.at) / 1000);
    left.at = now;
    this.#left.set(partition, left);
    return left;
  }
}
