import { join } from 'node:path';
import { after, describe } from 'node:test';
import { endSharedPeals, sharePeals } from './shared-peal.ts';

const TESTS = join(import.meta.dirname, '..');

/**
 * Runs test files one after another in this process, each as a suite, and gives them one Peal. A file's hooks are its
 * suite's.
 *
 * @param files in `test/`
 */
export function runTogether(files: readonly string[]): void {
  sharePeals();
  after(endSharedPeals);
  for (const file of files) {
    describe(file, async () => {
      await import(join(TESTS, file));
    });
  }
}
