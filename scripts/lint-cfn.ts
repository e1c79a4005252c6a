/** Runs cfn-lint over what `npm run synth` has made, where it is installed: it knows rules that CDK's validator does not. */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

/** What CDK's own output has everywhere: W3005, dependencies that a reference implies as well. */
const IGNORED = ['W3005'];

const templates = globSync('cdk.out/**/*.template.json', { cwd: ROOT });
if (templates.length === 0) {
  console.error('there are no templates in cdk.out/: run npm run synth first');
  process.exit(1);
}
const { error, status } = spawnSync('cfn-lint', ['--ignore-checks', ...IGNORED, '--', ...templates], {
  cwd: ROOT,
  stdio: 'inherit',
});
if (error && 'code' in error && error.code === 'ENOENT') {
  console.log('cfn-lint is not installed, so nothing was checked: pip install cfn-lint');
} else if (error) {
  throw error;
} else {
  if (status === 0) console.log(`cfn-lint finds nothing wrong in ${templates.length} templates`);
  process.exitCode = status ?? 1;
}
