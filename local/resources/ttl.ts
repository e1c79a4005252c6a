/** Deletes expired items as DynamoDB's time to live does: some time after they expired. */
import type { Backend } from '../aws/backend.ts';
import { asList, isObject, type JsonObject } from '../template/json.ts';
import { dynamoRequest, type Table } from './tables.ts';

export interface TtlOptions {
  backend: Backend;
  tables: Iterable<Table>;
  /** Seconds from an item's expiry to its deletion; AWS: "within a few days". */
  lateness: number;
  /** Milliseconds since 1970. */
  now: number;
}

/** DynamoDB leaves items alone whose time is more than five years past: a value in the wrong unit. */
const OLDEST = 5 * 365 * 24 * 3600;

/**
 * Deletes every item whose expiry is more than `lateness` ago.
 *
 * @returns how many were deleted
 */
export async function sweepExpiredItems({ backend, tables, lateness, now }: TtlOptions): Promise<number> {
  const seconds = Math.floor(now / 1000);
  let deleted = 0;
  for (const table of tables) {
    if (table.ttlAttribute === undefined) continue;
    deleted += await sweepTable(backend, table, table.ttlAttribute, seconds - lateness, seconds - OLDEST);
  }
  return deleted;
}

async function sweepTable(
  backend: Backend,
  table: Table,
  attribute: string,
  before: number,
  after: number,
): Promise<number> {
  let deleted = 0;
  let from: JsonObject | undefined;
  do {
    const page = await dynamoRequest(backend, 'Scan', {
      TableName: table.name,
      FilterExpression: '#ttl < :before AND #ttl > :after',
      ExpressionAttributeNames: { '#ttl': attribute },
      ExpressionAttributeValues: { ':before': { N: String(before) }, ':after': { N: String(after) } },
      ...(from ? { ExclusiveStartKey: from } : {}),
    });
    for (const item of asList(page.Items).filter(isObject)) {
      if (await deleteExpired(backend, table, attribute, item)) deleted++;
    }
    from = isObject(page.LastEvaluatedKey) ? page.LastEvaluatedKey : undefined;
  } while (from);
  return deleted;
}

/** Deletes an item unless its expiry was changed since it was read. */
async function deleteExpired(
  backend: Backend,
  table: Table,
  attribute: string,
  item: JsonObject,
): Promise<boolean> {
  const names = table.sortKey === undefined ? [table.partitionKey] : [table.partitionKey, table.sortKey];
  try {
    await dynamoRequest(backend, 'DeleteItem', {
      TableName: table.name,
      Key: Object.fromEntries(names.map((name) => [name, item[name]])),
      ConditionExpression: '#ttl = :read',
      ExpressionAttributeNames: { '#ttl': attribute },
      ExpressionAttributeValues: { ':read': item[attribute] },
    });
    return true;
  } catch (error) {
    if ((error as Error).message.includes('ConditionalCheckFailedException')) return false;
    throw error;
  }
}
