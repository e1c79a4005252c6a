/**
 * `npm run grants`: what the whole test suite used of every role's grants, of which it has noted the uses in
 * `.build/grants`. Fails if a grant was never used: then it is wider than what Peal does, or a test is missing.
 */
import { join } from 'node:path';
import { readUses, reportOf } from './grants/report.ts';

const FOLDER = join(import.meta.dirname, '..', '.build', 'grants');

const uses = await readUses(FOLDER);
const never = uses.filter(({ times }) => times === 0);
if (uses.length === 0) {
  process.exitCode = 1;
  console.error('No uses of grants are noted. Run the suite first: npm run test:suite');
} else {
  console.log(reportOf(uses));
  console.log(`${uses.length} grants, of which ${never.length} were never used.`);
}
if (never.length > 0) {
  process.exitCode = 1;
  console.error(`\nNever used by the suite:\n\n${reportOf(never)}`);
  console.error('Take the grant away in cdk/, or add to test/local/grants.test.ts what needs it.');
}
