/**
 * Records that follow one another on a queue.
 *
 * A worker that could not finish a record puts what is left back as a new record, its successor, and SQS deletes the
 * old one. Both cannot be one step, so a worker that dies in between has its record delivered again, and would queue a
 * second successor; each of the two would do the same, and their number would double with every crash.
 *
 * So a record takes its work on, by one conditional write, before it queues a successor. The write says which turn the
 * work has come to and which record took it there:
 *
 * - Of several records of one turn, the first to take it on may queue a successor. The others find the turn taken and
 *   leave the work to it. Records that are behind find a later turn, and leave it as well.
 * - The one that took it on may do so again. So if it dies before its successor is queued, its next delivery queues one;
 *   if it dies afterwards, there are two successors, of which again only one takes the next turn.
 *
 * Nothing is lost: a record leaves the work only to one that took on a later turn, and that one is deleted only once its
 * own successor is queued, or the work is done or given up. Nothing multiplies: one record a turn has successors, and a
 * second one of the same turn needs a crash of its own.
 *
 * Each record has a random name (`copy`) in its body, since the id that SQS gives it changes when it is moved back from
 * a dead-letter queue. A record that SQS itself delivers twice is the same record.
 */
import { randomBytes } from 'node:crypto';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { isConditionFailure, type Table } from './table.ts';

/** Which record of a succession one is. */
export interface Place {
  /** Ascends from each record to its successor. */
  turn: number;
  /** Random name of this very record. */
  copy: string;
}

/** Where it is kept who took which turn on: an item, and what the names of its attributes begin with. */
export interface Ledger {
  table: Table;
  key: { pk: string; sk: number | string };
  /** Empty for an item of its own. */
  prefix?: string;
  /** Unix seconds. The item is not to be purged while a record of the succession may still come. */
  ttl: number;
}

/** A name for a new record. */
export const newCopy = (): string => randomBytes(9).toString('base64url');

/**
 * Takes the work of a record on, so that it may queue a successor. One conditional write. Repeatable.
 *
 * @returns false if another record has taken it on: it is that one's now
 */
export async function takeOn(
  { table, key, prefix = '', ttl }: Ledger,
  { turn, copy }: Place,
): Promise<boolean> {
  try {
    await table.client.send(
      new UpdateCommand({
        TableName: table.name,
        Key: key,
        UpdateExpression: 'SET #turn = :next, #by = :copy, #ttl = :ttl',
        ConditionExpression:
          'attribute_not_exists(#turn) OR #turn < :next OR (#turn = :next AND #by = :copy)',
        ExpressionAttributeNames: { '#turn': `${prefix}turn`, '#by': `${prefix}by`, '#ttl': 'ttl' },
        ExpressionAttributeValues: { ':next': turn + 1, ':copy': copy, ':ttl': ttl },
      }),
    );
    return true;
  } catch (error) {
    if (isConditionFailure(error)) return false;
    throw error;
  }
}

/** Whether the work of a record is another's already, by the item where that is kept. */
export function isTakenOver(
  item: Record<string, unknown> | undefined,
  { turn, copy }: Place,
  prefix = '',
): boolean {
  const taken = item?.[`${prefix}turn`];
  if (typeof taken !== 'number' || taken <= turn) return false;
  return taken > turn + 1 || item?.[`${prefix}by`] !== copy;
}
