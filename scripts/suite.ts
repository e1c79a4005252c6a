/**
 * `npm run test:suite`: all tests, three files at a time, of which some run together in one process. Ends with what
 * node's runner ends with, and fails if anything failed or did not end.
 */
import { glob, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { prepareAssemblies } from '../local/assembly.ts';
import { allConfigs } from '../test/support/configs.ts';
import { TOGETHER } from '../test/together/lists.ts';

const ROOT = join(import.meta.dirname, '..');
const BUILD = join(ROOT, '.build');
/** Files that run side by side: one more than the cores of a small machine, as tests also wait. */
const CONCURRENCY = 3;
/** Limit of one test, milliseconds. */
const TIMEOUT = 120_000;
/** Limit of the suite, milliseconds: what the limit of a test cannot end, a loop or a handle that is left open. */
const WHOLE = 20 * 60_000;
/** The longest first, or the last of them would run alone in the end. */
const LONG = [
  'test/together/functions.test.ts',
  'test/together/commands.test.ts',
  'test/web/web.test.ts',
  'test/together/flows.test.ts',
  'test/together/operators.test.ts',
  'test/web/pages.test.ts',
  'test/together/parts.test.ts',
  'test/together/cloud.test.ts',
  'test/together/templates.test.ts',
];

const together = new Set(Object.values(TOGETHER).flatMap((files) => files.map((file) => `test/${file}`)));
const found = await Array.fromAsync(glob('test/**/*.test.ts', { cwd: ROOT }));
const others = found.filter((file) => !together.has(file) && !LONG.includes(file)).sort();

// What an earlier suite used of the grants says nothing of this one.
await rm(join(BUILD, 'grants'), { recursive: true, force: true });
Object.assign(process.env, {
  // Where each cloud notes which grants were used, for `npm run grants`.
  PEAL_GRANTS: '.build/grants',
  NODE_COMPILE_CACHE: join(BUILD, 'compiled'),
});
await prepareAssemblies(await allConfigs());
run({
  files: [...LONG, ...others].map((file) => join(ROOT, file)),
  concurrency: CONCURRENCY,
  timeout: TIMEOUT,
  signal: AbortSignal.timeout(WHOLE),
})
  .on('test:fail', () => {
    process.exitCode = 1;
  })
  .compose(spec)
  .pipe(process.stdout);
