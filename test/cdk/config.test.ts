import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readConfig } from '../../cdk/config.ts';
import { checkConfig } from '../../cdk/settings.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const CERTIFICATE = 'arn:aws:acm:eu-central-1:123456789012:certificate/0a1b2c3d-0000-4000-8000-000000000000';
const check = (config: unknown) => checkConfig(config, 'peal.config.ts');

/** A folder with files, removed after the test. */
async function folderWith(t: TestContext, files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'peal-config-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

/** What a synthesis in a folder would be of, with a context. */
const read = (root: string, context: Record<string, unknown> = {}) =>
  readConfig((name) => context[name], root);

test('what is left out has its default', () => {
  assert.deepEqual(check({}), {
    stage: 'prod',
    domains: {},
    signUp: 'closed',
    registrationsPerHour: 20,
    quota: 0,
    burst: 1200,
    retention: { messages: 21, attachments: 3, logs: 30 },
    secrets: {},
    ceilings: { fcm: 10, apns: 10, webpush: 10, desktop: 10, fanOut: 10, repeat: 10, callback: 5, slow: 5 },
    throttle: { api: { rate: 5000, burst: 2500 }, socket: { rate: 500, burst: 1000 } },
    waf: false,
    tracing: false,
    canary: undefined,
  });
});

test('what is given is taken, beside the defaults of the rest', () => {
  const settings = check({
    ceilings: { apns: 2 },
    retention: { messages: 2 },
    throttle: { api: { rate: 10 } },
    alarms: 'ops@example.org',
    canary: 5,
  });

  assert.deepEqual([settings.ceilings.apns, settings.ceilings.fcm], [2, 10]);
  assert.deepEqual(settings.retention, { messages: 2, attachments: 2, logs: 30 });
  assert.deepEqual(settings.throttle.api, { rate: 10, burst: 2500 });
  assert.deepEqual(settings.alarms, { email: 'ops@example.org' });
  assert.deepEqual(settings.canary, { minutes: 5 });
});

for (const [config, message] of [
  [[], /it must be an object with fields of stage, region/],
  [null, /it must be an object/],
  [{ signup: 'open' }, /signup is unknown; there are stage, region, .*canary$/m],
  [{ stage: 'Prod' }, /stage must be a lower-case letter, then up to 15 .*, not "Prod"/],
  [
    { directoryTable: 'a b' },
    /directoryTable must be the name of a table in DynamoDB, not its ARN, not "a b"/,
  ],
  [{ signUp: 'everybody' }, /signUp must be one of open, invitation, closed, not "everybody"/],
  [{ quota: 'plenty' }, /quota must be a whole number from 0 \(no limit\) to 2147483647, not "plenty"/],
  [{ burst: -1 }, /burst must be a whole number from 0 \(no limit\) to 2147483647, not -1/],
  [{ ceilings: { fcm: 1 } }, /ceilings\.fcm must be a whole number from 2 to 1000, not 1/],
  [{ ceilings: { sms: 3 } }, /ceilings\.sms is unknown; there are fcm, apns, webpush, desktop, fanOut/],
  [{ retention: { logs: 31 } }, /retention\.logs must be days that CloudWatch knows: 1, 3, 5, .*, not 31/],
  [{ domains: { api: { name: 'push.example.org' } } }, /domains\.api\.certificateArn is missing/],
  [
    { domains: { api: { name: 'push.example.org', certificateArn: CERTIFICATE } } },
    /region must be given with domains\.api: eu-central-1, where its certificate is/,
  ],
  [
    { domains: { web: { name: 'push.example.org', certificateArn: CERTIFICATE } } },
    /domains\.web\.certificateArn must be of a certificate in us-east-1, where CloudFront looks for it, not in eu-central-1/,
  ],
] as const) {
  test(`refuses ${JSON.stringify(config)}`, () => {
    assert.throws(() => check(config), message);
  });
}

test('everything that is wrong is said at once, with the file', () => {
  assert.throws(() => check({ quota: 1.5, retention: { messages: 22 }, waf: 'yes' }), {
    name: 'ConfigError',
    message: [
      'peal.config.ts is wrong:',
      '  quota must be a whole number from 0 (no limit) to 2147483647, not 1.5',
      '  retention.messages must be a whole number from 1 to 21, not 22',
      '  waf must be true or false, not "yes"',
    ].join('\n'),
  });
});

test('each stage has a file of its own, whose name is the stage’s', async (t) => {
  const folder = await folderWith(t, {
    'peal.config.ts': 'export default { quota: 1 };',
    'peal.config.staging.ts': 'export default { quota: 2 };',
  });

  const [prod, same, staging] = [
    await read(folder),
    await read(folder, { stage: 'prod' }),
    await read(folder, { stage: 'staging' }),
  ];

  assert.deepEqual([prod.stage, prod.quota], ['prod', 1]);
  assert.deepEqual(same, prod);
  assert.deepEqual([staging.stage, staging.quota], ['staging', 2]);
});

test('no stage is deployed in the place of another', async (t) => {
  const folder = await folderWith(t, {
    'peal.config.ts': 'export default { quota: 1 };',
    'peal.config.staging.ts': `export default { stage: 'prod' };`,
  });

  await assert.rejects(read(folder, { stage: 'staging' }), /peal\.config\.staging\.ts is of the stage prod/);
  await assert.rejects(
    read(folder, { stage: 'test' }),
    /there is no peal\.config\.test\.ts, and peal\.config\.ts is of the stage prod/,
  );
  await assert.rejects(
    read(folder, { stage: '../etc' }),
    /stage must be a lower-case letter.*not "\.\.\/etc"/,
  );
});

test('a configuration in the context stands in the place of the file, and is checked the same', async (t) => {
  const folder = await folderWith(t, { 'peal.config.ts': 'export default { quota: 1 };' });

  const settings = await read(folder, { config: '{"burst": 7}' });

  assert.deepEqual([settings.quota, settings.burst], [0, 7]);
  assert.deepEqual(await read(folder, { config: { burst: 7 } }), settings);
  await assert.rejects(read(folder, { config: '{' }), /it must be JSON/);
  await assert.rejects(read(folder, { config: '{"burst": "7"}' }), /burst must be a whole number/);
});

test('a file that is missing or exports nothing is said to be', async (t) => {
  const folder = await folderWith(t, { 'peal.config.b.ts': 'export const config = {};' });

  await assert.rejects(read(folder), /peal\.config\.ts is wrong:\n {2}it is missing/);
  await assert.rejects(
    read(folder, { stage: 'b' }),
    /peal\.config\.b\.ts is wrong:\n {2}it has no default export/,
  );
});

test('the files of this repository are right', async () => {
  const files = (await readdir(ROOT)).filter((name) => /^peal\.config(\..+)?\.ts$/.test(name));

  assert.ok(files.includes('peal.config.ts'));
  for (const file of files) await read(ROOT, { stage: /^peal\.config\.(.+)\.ts$/.exec(file)?.[1] });
});
