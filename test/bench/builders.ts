import type { Usage } from '../../bench/lib/usage.ts';

/** What a message used: nothing but what is given. */
export function usageOf(given: Partial<Usage> = {}): Usage {
  return { amounts: {}, functions: {}, partitions: {}, ...given };
}
