import type * as v from 'valibot';
import { ownQuota } from '../accounts/apps.ts';
import { limitsKey, quotaKey } from '../accounts/directory.ts';
import { dayOf, monthOf, nextMonth } from '../messages/limits.ts';
import { batchGet } from '../storage/batches.ts';
import type { Table } from '../storage/table.ts';
import type { USAGE_ANSWER } from './view.ts';

/** Days that are shown, today among them. */
const DAYS = 30;
const DAY_MS = 86_400_000;

/**
 * How many users an account's messages have reached, day by day, and in the month of its quota. One request: a month's
 * item holds the counts of its days, and thirty days touch two or three months; the account's own limits are read along.
 * A day whose month began within it has a count in both.
 *
 * @param now Unix milliseconds
 * @param common quota of whoever has none of its own; 0 for no quota
 */
export async function usageOf(
  directory: Table,
  owner: string,
  now: number,
  common: number,
): Promise<v.InferOutput<typeof USAGE_ANSWER>> {
  const times = Array.from({ length: DAYS }, (_, n) => now - (DAYS - 1 - n) * DAY_MS);
  const dates = times.map(dayOf);
  const begins = dates.map((date) => Date.parse(`${date}T00:00:00Z`));
  const months = [...new Set([...begins.map(monthOf), ...times.map(monthOf)])];
  const own = limitsKey(owner);
  const keys = [...months.map((month) => quotaKey(owner, month)), own];
  const [found] = await batchGet([{ table: directory, keys, consistent: true }]);
  const items = found!.filter(({ sk }) => sk !== own.sk);
  const limit = ownQuota(found!.find(({ sk }) => sk === own.sk)) ?? common;
  const sum = (name: string, among = items) =>
    among.reduce((total, item) => total + ((item[name] as number | undefined) ?? 0), 0);
  const current = quotaKey(owner, monthOf(now)).sk;
  const used = sum(
    'used',
    items.filter(({ sk }) => sk === current),
  );
  return {
    days: dates.map((date) => ({ date, users: sum(date) })),
    used,
    reset: nextMonth(now),
    ...(limit > 0 && { limit, remaining: Math.max(0, limit - used) }),
  };
}
