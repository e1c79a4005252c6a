import { BatchGetCommand, type BatchGetCommandInput, BatchWriteCommand } from '@aws-sdk/lib-dynamodb';
import type { Table } from './table.ts';

/** DynamoDB's limit of items in one BatchWriteItem. */
const WRITE_BATCH = 25;
/** DynamoDB's limit of keys in one BatchGetItem. */
const READ_BATCH = 100;
/** Rounds of repeating what DynamoDB left unprocessed (throttling) before the caller is told. */
const ROUNDS = 8;

type Item = Record<string, unknown>;

/** What to read from one table. */
export interface BatchRead {
  table: Table;
  keys: Item[];
  /** Strongly consistent: sees every write that was answered before. Costs twice an eventual read. */
  consistent: boolean;
  /** Attributes to return; all if absent. Saves transfer, not read units. */
  attributes?: string[];
}

/**
 * Reads keys of one or more tables with as few requests as DynamoDB allows, and asks again for what it left
 * unprocessed. Missing items are simply not in the answer, and the order is DynamoDB's: look items up by their keys.
 *
 * @returns the items found, one list per entry of `reads`
 * @throws Error when keys remain unprocessed after several rounds
 */
export async function batchGet(reads: BatchRead[]): Promise<Item[][]> {
  const found = reads.map((): Item[] => []);
  let wanted = reads.flatMap((read, index) => read.keys.map((key) => ({ index, key })));
  for (let round = 0; wanted.length > 0; round++) {
    if (round > 0) await pauseBeforeRound(round);
    const leftover: typeof wanted = [];
    const chunks = Array.from({ length: Math.ceil(wanted.length / READ_BATCH) }, (_, n) =>
      wanted.slice(n * READ_BATCH, (n + 1) * READ_BATCH),
    );
    await Promise.all(
      chunks.map(async (chunk) => {
        const request: NonNullable<BatchGetCommandInput['RequestItems']> = {};
        for (const { index, key } of chunk) {
          const { table, consistent, attributes } = reads[index]!;
          request[table.name] ??= { Keys: [], ConsistentRead: consistent, ...projection(attributes) };
          request[table.name]!.Keys!.push(key);
        }
        const client = reads[chunk[0]!.index]!.table.client;
        const answer = await client.send(new BatchGetCommand({ RequestItems: request }));
        for (const [name, items] of Object.entries(answer.Responses ?? {})) {
          found[reads.findIndex((read) => read.table.name === name)]!.push(...items);
        }
        for (const [name, rest] of Object.entries(answer.UnprocessedKeys ?? {})) {
          const index = reads.findIndex((read) => read.table.name === name);
          leftover.push(...(rest.Keys ?? []).map((key) => ({ index, key })));
        }
      }),
    );
    wanted = leftover;
  }
  return found;
}

/** An item to be put, or the key of one to be deleted. */
export type BatchWrite = { put: Item } | { remove: Item };

/**
 * Deletes items by key, 25 a request, and repeats what DynamoDB left unprocessed. Deleting what is gone is no error,
 * so the whole call can be repeated.
 *
 * @throws Error when deletes remain unprocessed after several rounds
 */
export function batchDelete(table: Table, keys: Item[]): Promise<void> {
  return batchWrite(
    table,
    keys.map((remove) => ({ remove })),
  );
}

/**
 * Puts and deletes items, 25 a request, in their order, and repeats what DynamoDB left unprocessed. Puts have no
 * condition. The whole call can be repeated; where it dies, any part of it may have been done.
 *
 * @throws Error when writes remain unprocessed after several rounds
 */
export async function batchWrite(table: Table, writes: BatchWrite[]): Promise<void> {
  let wanted = writes.map((write) =>
    'put' in write ? { PutRequest: { Item: write.put } } : { DeleteRequest: { Key: write.remove } },
  );
  for (let round = 0; wanted.length > 0; round++) {
    if (round > 0) await pauseBeforeRound(round);
    const leftover: typeof wanted = [];
    for (let start = 0; start < wanted.length; start += WRITE_BATCH) {
      const requests = wanted.slice(start, start + WRITE_BATCH);
      const answer = await table.client.send(
        new BatchWriteCommand({ RequestItems: { [table.name]: requests } }),
      );
      leftover.push(...((answer.UnprocessedItems?.[table.name] ?? []) as typeof wanted));
    }
    wanted = leftover;
  }
}

/** Full-jitter backoff, 50 ms doubling: the SDK does not repeat unprocessed items by itself. */
async function pauseBeforeRound(round: number): Promise<void> {
  if (round > ROUNDS) throw new Error('DynamoDB left items unprocessed after several rounds');
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 50 * 2 ** round));
}

function projection(attributes: string[] | undefined) {
  if (!attributes) return {};
  return {
    ProjectionExpression: attributes.map((_, n) => `#a${n}`).join(', '),
    ExpressionAttributeNames: Object.fromEntries(attributes.map((name, n) => [`#a${n}`, name])),
  };
}
