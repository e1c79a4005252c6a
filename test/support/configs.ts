import type { PealConfig } from '#config';

/**
 * A configuration in which every message is counted, for the month and for the minute: a burst limit so low takes no
 * samples. One for several files, as each is synthesized.
 */
export const COUNTING = { signUp: 'open', quota: 1_000_000, burst: 199 } as const satisfies PealConfig;
