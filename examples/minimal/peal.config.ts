import type { PealConfig } from '#config';

/** Everything has its default: AWS's addresses, and accounts that only the operator makes. */
export default {} satisfies PealConfig;
