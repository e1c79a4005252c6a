import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stack } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { ACCEPTED } from '../../cdk/accepted.ts';
import { Nag } from '../../cdk/nag.ts';
import type { PealConfig } from '../../cdk/peal-config.ts';
import { checkConfig } from '../../cdk/settings.ts';
import { appOf } from './in-process.ts';

const CONFIGS: PealConfig[] = [
  {},
  { waf: true, region: 'us-east-1' },
  { waf: true, region: 'eu-central-1' },
  { canary: 5, tracing: true, alarms: 'ops@example.org' },
];

test('cdk-nag finds nothing that is not accepted, in any form of the deployment, and all that is accepted is there', () => {
  const used = new Set();
  for (const config of CONFIGS) {
    const app = appOf(checkConfig(config, 'it'));
    const nag = new Nag(app);

    const { violations } = nag.validateScope(app);

    assert.deepEqual(violations, [], JSON.stringify(config));
    for (const { rule, at } of nag.used) used.add(`${rule} ${at}`);
  }

  const all = ACCEPTED.map(({ rule, at }) => `${rule} ${at}`);
  assert.deepEqual(
    all.filter((accepted) => !used.has(accepted)),
    [],
  );
});

test('what is accepted of one resource is not of another, and fails synthesis', () => {
  const app = appOf(checkConfig({}, 'it'));
  const stack = new Stack(app, 'PealMore');
  new Queue(stack, 'Open');
  new Bucket(stack, 'Attachments');

  assert.throws(() => app.synth(), /Validation failed/);
  const { violations } = new Nag(app).validateScope(app);

  const found = violations.map(({ ruleName, violatingResources }) => [
    ruleName,
    violatingResources.map(({ constructPath }) => constructPath),
  ]);
  assert.deepEqual(found.sort(), [
    ['AwsSolutions-S1', ['PealMore/Attachments/Resource']],
    ['AwsSolutions-S10', ['PealMore/Attachments/Resource']],
    ['AwsSolutions-SQS3', ['PealMore/Open/Resource']],
    ['AwsSolutions-SQS4', ['PealMore/Open/Resource']],
  ]);
});

test('every reason says why, in a sentence', () => {
  for (const { reason } of ACCEPTED) assert.match(reason, /^[A-Z].{40,}[.)]$/s);
});
