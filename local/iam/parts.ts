/** The parts of a grant that are needed, or not, each by itself. */
import type { Statement } from '../types.ts';
import type { Context } from './conditions.ts';
import { matchesAction, matchesArn, matchesWildcard } from './match.ts';

/** What a role may do: an action on a resource, of a table only in the partitions whose keys are like `partition`. */
export interface Part {
  action: string;
  resource: string;
  partition?: string;
}

const LEADING_KEYS = 'dynamodb:leadingkeys';

/** The parts of a statement: each action on each resource, within each of the partitions that it is kept to. */
export function partsOf(statement: Statement): Part[] {
  const partitions = partitionsOf(statement);
  return statement.Action.flatMap((action) =>
    statement.Resource.flatMap((resource): Part[] =>
      partitions ? partitions.map((partition) => ({ action, resource, partition })) : [{ action, resource }],
    ),
  );
}

/** Whether a request that a statement allows makes use of this part of it. */
export function isUsedBy(
  part: Part,
  action: string,
  resource: string,
  context: Context | undefined,
): boolean {
  const { partition } = part;
  if (!matchesAction(part.action, action) || !matchesArn(part.resource, resource)) return false;
  return partition === undefined || keysOf(context).some((key) => matchesWildcard(partition, key));
}

/** The partition keys that a statement's conditions allow; undefined if they say nothing of them. */
function partitionsOf({ Condition = {} }: Statement): string[] | undefined {
  for (const [operator, tests] of Object.entries(Condition)) {
    if (!/^(?:ForAllValues:)?String(?:Equals|Like)$/.test(operator)) continue;
    for (const [key, wanted] of Object.entries(tests)) {
      if (key.toLowerCase() === LEADING_KEYS) return asArray(wanted);
    }
  }
  return undefined;
}

const keysOf = (context: Context | undefined) => context?.get(LEADING_KEYS) ?? [];

const asArray = (value: string | string[]): string[] => (Array.isArray(value) ? value : [value]);
