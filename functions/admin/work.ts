/** For how long a command goes on that can be gone on with; below the function's own limit. Milliseconds. */
export const WORK_MS = 40_000;
