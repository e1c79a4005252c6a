import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { recipientsKey } from '../accounts/directory.ts';
import type { Person } from '../groups/hidden.ts';
import { kind, newest, unchanged } from '../storage/schema.ts';
import { settleAll } from '../storage/settle.ts';
import type { Table } from '../storage/table.ts';

const SORT_KEY = recipientsKey('', '').sk;
const RECIPIENTS = kind('recipients of a receipt', unchanged);

/** Users up to which the recipients of a receipt are one item: 3 KB. */
const TOGETHER = 100;

/** Items over which more of them are spread: of 5,000 users, 156 each, which are 5 KB. */
const SHARDS = 32;

/** Where few recipients are. */
const ALL = 'all';

/**
 * Who may acknowledge a receipt, apart from the receipt.
 *
 * The recipients are many and are written once; the receipt is small and changes. In one item, each change of a
 * receipt for thousands would be billed by all of them, and so would each device that asks whether it still has to
 * ring. So they are items of their own: one for a few, and for many a fixed number of shards by the user key, each in
 * a partition of its own. A reader reads the two items in which a user may be, and need not know which it is.
 *
 * They are sets, and adding to a set what it has changes nothing. So the request that makes a receipt can be repeated,
 * also with other recipients (members joined or left a group meanwhile): then all of them may acknowledge it, as all of
 * them may have got a copy. They count for nothing without the receipt, and expire with it.
 */

/** The items in which a recipient may be. */
export function keysOfRecipient(receipt: string, user: string): Record<string, unknown>[] {
  return [recipientsKey(receipt, ALL), recipientsKey(receipt, shardOf(user))];
}

/** All items in which recipients of a receipt may be. */
export function keysOfRecipients(receipt: string): Record<string, unknown>[] {
  return [ALL, ...Array.from({ length: SHARDS }, (_, shard) => shard)].map((shard) =>
    recipientsKey(receipt, shard),
  );
}

/**
 * Adds recipients. For up to a hundred users one write (a unit for each thirty of them); for more, one write a shard.
 *
 * @param ttl when they are forgotten, Unix seconds
 */
export async function addRecipients(
  { client, name: TableName }: Table,
  receipt: string,
  people: Person[],
  ttl: number,
): Promise<void> {
  const shards = Map.groupBy(people, ({ user }) => (people.length <= TOGETHER ? ALL : shardOf(user)));
  await settleAll(
    [...shards].map(([shard, those]) => {
      const sets = Map.groupBy(those, ({ hidden }) => (hidden ? 'hidden' : 'known'));
      const added = [...sets].map(([name]) => `#${name} :${name}`);
      return client.send(
        new UpdateCommand({
          TableName,
          Key: recipientsKey(receipt, shard),
          UpdateExpression: `SET #ttl = :ttl, v = :v ADD ${added.join(', ')}`,
          ExpressionAttributeNames: {
            '#ttl': 'ttl',
            ...Object.fromEntries([...sets].map(([name]) => [`#${name}`, name])),
          },
          ExpressionAttributeValues: {
            ':ttl': ttl,
            ':v': RECIPIENTS.version,
            ...Object.fromEntries(
              [...sets].map(([name, some]) => [`:${name}`, new Set(some.map(({ user }) => user))]),
            ),
          },
        }),
      );
    }),
  );
}

/**
 * A user as a recipient of a receipt; undefined if it is none.
 *
 * @param items what was found of {@link keysOfRecipient}, and others
 */
export function recipientAmong(items: Record<string, unknown>[], user: string): Person | undefined {
  const sets = items.filter(({ sk }) => sk === SORT_KEY).map((item) => newest(RECIPIENTS, item));
  const isIn = (name: 'hidden' | 'known') =>
    sets.some((item) => (item[name] as Set<string> | undefined)?.has(user));
  if (isIn('known')) return { user };
  return isIn('hidden') ? { user, hidden: true } : undefined;
}

/** FNV-1a, 32 bits: spreads keys of any make evenly over the shards. */
function shardOf(user: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(user)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0) % SHARDS;
}
