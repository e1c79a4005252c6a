/** One process at a time on a folder (Node only): two that both show messages would show each twice. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { StoreError } from './errors.ts';

/** Locks of this process. A lock file with our process id that is not among them is an earlier process's. */
const held = new Set<string>();

/**
 * Takes the lock.
 *
 * @param path the lock file: it holds the process id
 * @returns gives it back
 * @throws StoreError if a running process has it
 */
export async function takeLock(path: string): Promise<() => Promise<void>> {
  for (let attempt = 0; ; attempt++) {
    try {
      await writeFile(path, `${process.pid}\n`, { flag: 'wx', mode: 0o600 });
      held.add(path);
      return async () => {
        held.delete(path);
        await rm(path, { force: true });
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const pid = Number.parseInt(await readFile(path, 'utf8').catch(() => ''), 10);
      if (attempt > 0 || held.has(path) || isRunning(pid)) {
        throw new StoreError(`${path}: in use by process ${pid}; stop it, or use another folder`);
      }
      await rm(path, { force: true });
    }
  }
}

function isRunning(pid: number): boolean {
  if (!(pid > 0) || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
