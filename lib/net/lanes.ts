/**
 * The two lanes in which calls to other people's servers are made: each has a queue and environments of its own. Every
 * record begins in the fast lane, where nobody is waited for long; who does not answer in time is asked again in the slow
 * lane, where there is time.
 */

import type { SilenceLimits } from './silence.ts';

export type Lane = 'fast' | 'slow';

/** How long is waited in a lane, and what silence leads to there. Milliseconds. */
export interface LaneLimits {
  /** For an answer of a host that everybody uses: a carrier, a browser maker's push service. */
  hold: number;
  /** For an answer of a host that an account has named. */
  strangerHold: number;
  silence: SilenceLimits;
}

export const LANES: Record<Lane, LaneLimits> = {
  /**
   * Nothing is lost by leaving somebody alone: the slow lane asks. Of a minute, an environment spends at most six seconds
   * (12 × 500 ms) in waiting for strangers, however many there are.
   */
  fast: {
    hold: 3_000,
    strangerHold: 500,
    silence: { first: 5_000, longest: 60_000, account: 60_000, accounts: 12, untried: 4 },
  },
  /** Who is left alone here waits. Those who answer late are asked beside those who never do. */
  slow: {
    hold: 10_000,
    strangerHold: 10_000,
    silence: {
      first: 30_000,
      longest: 600_000,
      account: 30_000,
      accounts: Number.POSITIVE_INFINITY,
      untried: 4,
    },
  },
};
