import type { Params } from '../http/params.ts';
import { Refusal } from '../refusal.ts';

/**
 * The `message` parameter of an acknowledge: the highest id that the device has stored. Ids beyond 2^53 (a client's
 * sentinel, a real Pushover id) mean "everything".
 *
 * @throws Refusal naming `message`
 */
export function highestId(params: Params): number {
  const text = params.get('message')?.trim();
  if (text === undefined) throw new Refusal({ field: 'message', reason: 'cannot be blank' });
  const id = integer(text);
  if (id === undefined) throw new Refusal({ field: 'message', reason: 'is not a message id' });
  return id;
}

/**
 * The `after` parameter of a sync: only messages with a higher id. 0 if it is not given.
 *
 * @throws Refusal naming `after`
 */
export function startingId(params: Params): number {
  const text = params.get('after');
  const id = text === undefined ? 0 : integer(text);
  if (id === undefined) throw new Refusal({ field: 'after', reason: 'is not a message id' });
  return id;
}

function integer(text: string): number | undefined {
  return /^\d{1,20}$/.test(text) ? Math.min(Number(text), Number.MAX_SAFE_INTEGER) : undefined;
}
