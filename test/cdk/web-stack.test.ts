import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ofType, resources } from './templates.ts';

const STACK = 'PealWeb';

test('the web app’s bucket is private, encrypted, and CloudFront alone reads it', async () => {
  const [bucket] = await ofType(STACK, 'AWS::S3::Bucket');
  const [policy] = await ofType(STACK, 'AWS::S3::BucketPolicy');
  const { Statement } = policy!.Properties.PolicyDocument as { Statement: Record<string, unknown>[] };

  assert.deepEqual(bucket!.Properties.PublicAccessBlockConfiguration, {
    BlockPublicAcls: true,
    BlockPublicPolicy: true,
    IgnorePublicAcls: true,
    RestrictPublicBuckets: true,
  });
  assert.match(JSON.stringify(bucket!.Properties.BucketEncryption), /AES256/);
  const allowed = Statement.filter(({ Effect }) => Effect === 'Allow');
  const readers = allowed.filter(({ Action }) => Action === 's3:GetObject');
  assert.equal(readers.length, 1);
  assert.deepEqual(readers[0]!.Principal, { Service: 'cloudfront.amazonaws.com' });
  assert.match(JSON.stringify(readers[0]!.Condition), /AWS:SourceArn/);
});

test('browsers are kept to HTTPS, and to a policy without inline script or other parties', async () => {
  const [distribution] = await ofType(STACK, 'AWS::CloudFront::Distribution');
  const [policy] = await ofType(STACK, 'AWS::CloudFront::ResponseHeadersPolicy');
  const text = JSON.stringify(policy!.Properties);

  assert.match(JSON.stringify(distribution!.Properties), /"ViewerProtocolPolicy":"redirect-to-https"/);
  assert.match(text, /default-src 'none'; script-src 'self'; style-src 'self';/);
  assert.match(text, /; img-src 'self' blob: .*; media-src .*; connect-src /);
  assert.match(text, /frame-ancestors 'none'; require-trusted-types-for 'script'/);
  assert.doesNotMatch(text, /unsafe-|https:\/\/\*|"\*"/);
});

test('what names the hashed files is deployed after them', async () => {
  const stack = await resources(STACK);
  const deployments = Object.entries(stack).filter(([, { Type }]) => Type === 'Custom::CDKBucketDeployment');
  const [assets] = deployments.find(
    ([, { Properties }]) => Properties.DestinationBucketKeyPrefix === 'assets',
  )!;
  const pages = deployments.find(([id]) => id !== assets)![1] as unknown as { DependsOn: string[] };

  assert.equal(deployments.length, 2);
  assert.ok(pages.DependsOn.includes(assets), JSON.stringify(pages.DependsOn));
});
