/** Lambda's own limits (AWS Lambda quotas), which no configuration of ours may raise. */

/** Bytes of JSON that an invocation may carry, in each direction. */
export const PAYLOAD_LIMIT = 6 * 1024 * 1024;

/** Concurrent executions of an account for functions that reserve none. */
export const ACCOUNT_CONCURRENCY = 1000;

/** Milliseconds for loading a bundle. */
export const INIT_LIMIT = 10_000;
