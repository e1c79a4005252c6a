/** Token bucket, as API Gateway throttles. */

export interface Throttling {
  /** Requests a second that are let through for good. */
  rate: number;
  /** Requests that may come at once. */
  burst: number;
}

/** Of an account's region (API Gateway quotas): what holds where a stage sets nothing. */
export const ACCOUNT_THROTTLING: Throttling = { rate: 10_000, burst: 5_000 };

/** Returns a function that says whether one more request may pass. `now` gives milliseconds. */
export function createThrottle({ rate, burst }: Throttling, now: () => number): () => boolean {
  let tokens = burst;
  let last = now();
  return () => {
    const time = now();
    tokens = Math.min(burst, tokens + ((time - last) * rate) / 1000);
    last = time;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
