import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { Table } from './table.ts';

type Item = Record<string, unknown>;

/** Which items of a partition. */
export interface Range {
  pk: string;
  /** What their sort keys begin with; absent: all of them. Never empty: DynamoDB refuses that. */
  prefix?: string;
  /** Attributes to return; all if absent. Saves transfer, not read units. */
  attributes?: string[];
  /** Where to go on: the `last` of a page. */
  after?: Item | undefined;
  /** Most items; absent: as many as are 1 MB. */
  limit?: number;
}

/** Items as DynamoDB cuts them: at the limit, or 1 MB. */
export interface QueryPage {
  items: Item[];
  /** Key of the last item, if there may be more. */
  last?: Item;
}

/**
 * One page of a partition, strongly consistent.
 *
 * @throws RangeError for an empty prefix, with which DynamoDB would fail the request
 */
export async function queryPage(
  { client, name }: Table,
  { pk, prefix, attributes, after, limit }: Range,
): Promise<QueryPage> {
  if (prefix === '') throw new RangeError('the prefix of a sort key must not be empty');
  const { Items = [], LastEvaluatedKey } = await client.send(
    new QueryCommand({
      TableName: name,
      KeyConditionExpression: prefix === undefined ? 'pk = :pk' : 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': pk, ...(prefix !== undefined && { ':prefix': prefix }) },
      ...(attributes && {
        ProjectionExpression: attributes.map((_, n) => `#a${n}`).join(', '),
        ExpressionAttributeNames: Object.fromEntries(attributes.map((one, n) => [`#a${n}`, one])),
      }),
      ConsistentRead: true,
      ...(limit !== undefined && { Limit: limit }),
      ...(after && { ExclusiveStartKey: after }),
    }),
  );
  return { items: Items, ...(LastEvaluatedKey && { last: LastEvaluatedKey }) };
}

/**
 * All items of a partition whose sort keys begin alike, strongly consistent, page by page: for lists that are bounded,
 * such as the apps of an account.
 *
 * @param from partition key, and what the sort keys begin with: at least a character
 * @throws RangeError for an empty prefix
 */
export async function queryAll(table: Table, { pk, sk }: { pk: string; sk: string }): Promise<Item[]> {
  const items: Item[] = [];
  let after: Item | undefined;
  do {
    const page = await queryPage(table, { pk, prefix: sk, after });
    items.push(...page.items);
    after = page.last;
  } while (after);
  return items;
}
