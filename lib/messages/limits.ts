import * as v from 'valibot';

/** What a server without a quota says the monthly limit is: the largest number that clients read into 32 bits. */
const UNLIMITED = 2 ** 31 - 1;

/** The zone in whose midnight Pushover's month begins. */
const ZONE = 'America/Chicago';

/** How many messages may be sent this month. */
export const LIMITS_ANSWER = v.object({
  limit: v.pipe(v.number(), v.integer()),
  remaining: v.pipe(v.number(), v.integer()),
  reset: v.pipe(v.number(), v.integer(), v.description('When the month ends, Unix seconds')),
});

/** The headers that say the same. */
export const LIMITS_HEADERS = {
  'X-Limit-App-Limit': LIMITS_ANSWER.entries.limit,
  'X-Limit-App-Remaining': LIMITS_ANSWER.entries.remaining,
  'X-Limit-App-Reset': LIMITS_ANSWER.entries.reset,
};

/** What an account has of a month's messages. */
export interface Allowance {
  limit: number;
  remaining: number;
}

/**
 * The limits at a time.
 *
 * @param now Unix milliseconds
 * @param allowance absent if there is no quota
 */
export function limits(now: number, allowance?: Allowance): v.InferOutput<typeof LIMITS_ANSWER> {
  const { limit, remaining } = allowance ?? { limit: UNLIMITED, remaining: UNLIMITED };
  return { limit, remaining, reset: nextMonth(now) };
}

/**
 * Headers that say how many messages are left this month. Several clients take their absence for an error, so a
 * server without a quota sends them as well.
 *
 * @param now Unix milliseconds
 * @param allowance absent if there is no quota
 */
export function limitHeaders(now: number, allowance?: Allowance): Record<string, string> {
  const { limit, remaining, reset } = limits(now, allowance);
  return {
    'X-Limit-App-Limit': String(limit),
    'X-Limit-App-Remaining': String(remaining),
    'X-Limit-App-Reset': String(reset),
  };
}

/** The month of a time as the quota counts it, `2026-11`. @param now Unix milliseconds */
export function monthOf(now: number): string {
  const { year, month } = local(now);
  return `${year}-${String(month).padStart(2, '0')}`;
}

/** The day of a time, `2026-11-28`, in UTC. One may be in two months of the quota. @param now Unix milliseconds */
export const dayOf = (now: number): string => new Date(now).toISOString().slice(0, 10);

/** When the month ends: 00:00 on the 1st, US Central (Pushover's rule). Unix seconds. */
export function nextMonth(now: number): number {
  const { year, month } = local(now);
  const first = Date.UTC(month === 12 ? year + 1 : year, month % 12, 1);
  // Midnight in the zone is midnight UTC less the offset that the zone has at that time.
  for (const hours of [5, 6]) {
    const midnight = first + hours * 3_600_000;
    const there = local(midnight);
    if (there.day === 1 && there.hour === 0) return midnight / 1000;
  }
  throw new Error(`no midnight found in ${ZONE}`);
}

function local(time: number): { year: number; month: number; day: number; hour: number } {
  const parts = FORMAT.formatToParts(time);
  const part = (type: string) => Number(parts.find((candidate) => candidate.type === type)!.value);
  return { year: part('year'), month: part('month'), day: part('day'), hour: part('hour') };
}

const FORMAT = new Intl.DateTimeFormat('en-US', {
  timeZone: ZONE,
  hourCycle: 'h23',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
});
