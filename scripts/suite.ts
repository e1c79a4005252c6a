/**
 * `npm run test:suite`: all tests, three files at a time, of which some run together in one process. Ends with what
 * node's runner ends with.
 */
import { spawn } from 'node:child_process';
import { glob, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FLOWS, FUNCTIONS } from '../test/together/lists.ts';

const ROOT = join(import.meta.dirname, '..');
const BUILD = join(ROOT, '.build');
const OPTIONS = ['--test', '--test-concurrency=3', '--test-timeout=120000'];

const together = new Set([...FUNCTIONS, ...FLOWS].map((file) => join('test', file)));
const all = await Array.fromAsync(glob('test/**/*.test.ts', { cwd: ROOT }));
const files = all.filter((file) => !together.has(file)).sort();
// What an earlier suite used of the grants says nothing of this one.
await rm(join(BUILD, 'grants'), { recursive: true, force: true });
const suite = spawn(process.execPath, [...OPTIONS, ...files], {
  cwd: ROOT,
  stdio: 'inherit',
  env: {
    ...process.env,
    // Where each cloud notes which grants were used, for `npm run grants`.
    PEAL_GRANTS: '.build/grants',
    NODE_COMPILE_CACHE: join(BUILD, 'compiled'),
  },
});
suite.once('exit', (code) => {
  process.exitCode = code ?? 1;
});
