/** How tools call Peal while they start it: the machine may be busy with just that. */
import { createApi, NetworkError, type PealApi, PealError } from '../../lib/device/index.ts';

/**
 * Limit of one call. A device gives up after 15 seconds and tries again; here, nobody would, and the first login waits
 * for a process to start, for its code to load and for a password hash, beside everything else that starts.
 * Milliseconds.
 */
const PATIENCE = 10 * 60_000;

/** Tries of a call that may be repeated. The API gives up its function after 30 seconds, which is warm by then. */
const TRIES = 10;

/** An API that waits for an answer for as long as it takes. */
export function patientApi(url: string, transport?: typeof fetch): PealApi {
  return createApi({ url, timeoutMs: PATIENCE, fetch: transport });
}

/** Whether a call was not answered by Peal itself: it may have been done, or will be. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof NetworkError || (error instanceof PealError && error.status >= 500);
}

/** Repeats a call, which must be one that may be, until Peal answers it. @throws what the last try failed with */
export async function untilAnswered<T>(call: () => Promise<T>): Promise<T> {
  for (let n = 1; ; n++) {
    try {
      return await call();
    } catch (error) {
      if (n === TRIES || !isUnanswered(error)) throw error;
    }
  }
}
