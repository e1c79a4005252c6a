import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { bundleFunctions } from '../../cdk/bundles.ts';
import { resources } from './templates.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/**
 * What each function's bundle may have, KiB: some 12 % above what it had when the number was last looked at. A larger
 * one loads slower at every cold start: find out what came with it (`npx esbuild --analyze`) before you raise a number.
 */
const CEILINGS: Record<string, number> = {
  account: 580,
  // The operator's function alone checks credentials with all carriers and deletes objects. Nobody waits for its cold start,
  // and what is large is loaded by the commands that need it.
  admin: 1440,
  attachments: 760,
  callback: 435,
  canary: 515,
  edge: 415,
  'fan-out': 540,
  groups: 470,
  history: 475,
  info: 475,
  media: 975,
  openapi: 155,
  'push-apns': 565,
  'push-desktop': 475,
  'push-fcm': 920,
  'push-key': 465,
  'push-webpush': 655,
  receipts: 500,
  repeat: 455,
  send: 820,
  socket: 450,
  sync: 680,
};

test('every function’s bundle is within its ceiling', async (t) => {
  const bundles = await bundleFunctions();
  const names = globSync('functions/*/index.ts', { cwd: ROOT }).map((file) => basename(dirname(file)));

  const sizes = names.map(
    (name) => [name, Math.ceil(statSync(join(bundles(name), 'index.js')).size / 1024)] as const,
  );

  t.diagnostic(sizes.map(([name, size]) => `${name} ${size}`).join(', '));
  assert.deepEqual(names.sort(), Object.keys(CEILINGS).sort());
  const over = sizes.filter(([name, size]) => size > CEILINGS[name]!);
  assert.deepEqual(over, []);
});

/** Answers a request in a process of its own, and says whether node's `fetch` has been loaded for it. */
const FIRST_REQUEST = `
  const { handler } = require(process.argv[1]);
  const requestContext = { domainName: 'example.org', http: { method: 'POST', sourceIp: '192.0.2.1' } };
  const event = { rawPath: '/1/messages.json', rawQueryString: '', headers: {}, requestContext, body: 'message=hi' };
  handler(event).then(({ statusCode }) => {
    const fetch = process.moduleLoadList.some((name) => name.includes('undici'));
    console.log(JSON.stringify({ statusCode, fetch }));
  });
`;

test('the first message that a cold function gets does not wait for what only others need', async () => {
  const bundles = await bundleFunctions();
  const functions = Object.entries(await resources('PealApi'));
  const [, send] = functions.find(([id]) => id.startsWith('SendFunction'))!;
  const { Variables } = send.Properties.Environment as { Variables: Record<string, unknown> };
  const named = Object.entries(Variables).map(([name, value]) => [name, String(value)]);

  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['-e', FIRST_REQUEST, join(bundles('send'), 'index.js')],
    { env: { ...Object.fromEntries(named), AWS_REGION: 'us-east-1' } },
  );

  assert.deepEqual(JSON.parse(stdout), { statusCode: 400, fetch: false });
});
