import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'peal-synth-'));
});

after(() => rm(folder, { recursive: true, force: true }));

test('cdk synth works without an account and without a warning, closes sign-up and limits bursts by default', async () => {
  const environment = { ...process.env, AWS_ACCESS_KEY_ID: '', AWS_PROFILE: '', HOME: folder };

  const { stderr } = await run(
    join(ROOT, 'node_modules', '.bin', 'cdk'),
    // CloudFormation's own checks take longer than all the rest. `npm run synth` makes them, and takes no warning either.
    ['synth', '--quiet', '--no-validation', '--context', 'config={}', '--output', folder],
    { cwd: ROOT, env: environment },
  );

  const api = await readFile(join(folder, 'PealApi.template.json'), 'utf8');
  assert.doesNotMatch(stderr, /warn/i);
  assert.match(api, /"SIGN_UP": "closed"/);
  assert.match(api, /"QUOTA": "0"/);
  assert.match(api, /"BURST": "1200"/);
  assert.match(api, /"REGISTRATIONS_PER_HOUR": "20"/);
});

test('a wrong configuration fails synthesis with what is allowed, and nothing else', async () => {
  const synth = run(process.execPath, ['cdk/app.ts'], {
    cwd: ROOT,
    env: {
      ...process.env,
      CDK_OUTDIR: join(folder, 'wrong'),
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
