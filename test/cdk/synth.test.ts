import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');

test('a wrong configuration fails synthesis with what is allowed, and nothing else', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'peal-synth-'));
  t.after(() => rm(folder, { recursive: true, force: true }));

  const synth = run(process.execPath, ['cdk/app.ts'], {
    cwd: ROOT,
    env: {
      ...process.env,
      CDK_OUTDIR: folder,
      CDK_CONTEXT_JSON: JSON.stringify({ config: { signUp: 'everybody', registrationsPerHour: 0 } }),
    },
  });

  await assert.rejects(synth, {
    stderr: [
      'the context’s config is wrong:',
      '  signUp must be one of open, invitation, closed, not "everybody"',
      '  registrationsPerHour must be a whole number from 1 to 2147483647, not 0',
      '',
    ].join('\n'),
  });
});
