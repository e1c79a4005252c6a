/** One tab of many: the browser gives the lock to the next one when its holder closes, crashes or is killed. */

const LOCK = 'peal-listener';

/**
 * Waits until this tab is the one, then runs the work, and stays the one until the work has ended.
 *
 * @param signal gives up waiting; the work itself has to heed it
 */
export async function lead(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    await navigator.locks.request(LOCK, { signal }, work);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** For the inbox: work on the store that all tabs and the service worker share, one at a time. */
export const storeLock = <T>(work: () => Promise<T>): Promise<T> =>
  navigator.locks.request('peal-inbox', work) as Promise<T>;
