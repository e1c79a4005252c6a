/** The burst limit's share of a message, which is left to chance where it is deployed. */
import type { Usage } from './usage.ts';

/** At the default of 1,200 messages a minute and app, one message in twelve is counted (`lib/messages/burst.ts`). */
export const COUNTED_ONE_IN = 12;

/**
 * What a message used without a burst limit, as it is on average with the default one. Measured without it, the same
 * readings come every time.
 */
export function withBurst(usage: Usage): Usage {
  const share = 1 / COUNTED_ONE_IN;
  const app = 'Directory token#… app';
  const { Send: send } = usage.functions;
  if (!send) return usage;
  const calls = { ...send.calls, 'dynamodb.UpdateItem': sum(send.calls['dynamodb.UpdateItem'], share) };
  const { reads, writes } = usage.partitions[app] ?? { reads: 0, writes: 0 };
  return {
    amounts: { ...usage.amounts, 'dynamodb.wru': sum(usage.amounts['dynamodb.wru'], share) },
    functions: { ...usage.functions, Send: { ...send, calls } },
    partitions: { ...usage.partitions, [app]: { reads, writes: sum(writes, share) } },
  };
}

function sum(amount: number | undefined, share: number): number {
  return Number(((amount ?? 0) + share).toPrecision(5));
}
