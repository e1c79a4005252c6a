import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Table } from '../../lib/storage/table.ts';

/** What DynamoDB says a request took. */
interface Consumed {
  CapacityUnits?: number;
}

/** A request that was made, and the units that it took. */
export interface Request {
  command: string;
  units: number;
}

/**
 * What some work on a table takes, as DynamoDB bills it: the units of every request, those that were refused by their
 * condition left out.
 */
export async function unitsOf({ client }: Table, work: () => Promise<unknown>): Promise<Request[]> {
  const requests: Request[] = [];
  const name = `units-${requests.length}-${Math.random()}`;
  const stack = client.middlewareStack as DynamoDBDocumentClient['middlewareStack'];
  stack.add(
    (next, context) => async (args) => {
      const input = { ...(args.input as object), ReturnConsumedCapacity: 'TOTAL' };
      const result = await next({ ...args, input: input as typeof args.input });
      const { ConsumedCapacity: consumed } = result.output as { ConsumedCapacity?: Consumed | Consumed[] };
      const units = [consumed ?? []].flat().reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0);
      requests.push({ command: String(context.commandName), units });
      return result;
    },
    { step: 'initialize', name },
  );
  try {
    await work();
  } finally {
    stack.remove(name);
  }
  return requests;
}

/** The units of all of them. */
export const sumOf = (requests: Request[]): number => requests.reduce((sum, { units }) => sum + units, 0);
