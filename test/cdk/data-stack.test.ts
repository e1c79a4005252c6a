import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ofType, type Resource } from './templates.ts';

const STACK = 'PealData';

/** The table whose sort key is of this type: `S` is the Directory's, `N` the Mailbox's. */
async function table(sortKeyType: string): Promise<Resource> {
  const tables = await ofType(STACK, 'AWS::DynamoDB::GlobalTable');
  const found = tables.find(({ Properties }) =>
    (Properties.AttributeDefinitions as { AttributeName: string; AttributeType: string }[]).some(
      ({ AttributeName, AttributeType }) => AttributeName === 'sk' && AttributeType === sortKeyType,
    ),
  );
  assert.ok(found);
  return found;
}

test('both tables expire items by ttl, are on demand, and cannot be deleted', async () => {
  for (const type of ['S', 'N']) {
    const { Properties, DeletionPolicy, UpdateReplacePolicy } = await table(type);
    const [replica] = Properties.Replicas as { DeletionProtectionEnabled: boolean }[];

    assert.deepEqual(Properties.TimeToLiveSpecification, { AttributeName: 'ttl', Enabled: true });
    assert.equal(Properties.BillingMode, 'PAY_PER_REQUEST');
    assert.equal(replica?.DeletionProtectionEnabled, true);
    assert.equal(DeletionPolicy, 'Retain');
    assert.equal(UpdateReplacePolicy, 'Retain');
  }
});

test('the Directory can be restored to any point in time', async () => {
  const { Properties } = await table('S');
  const [replica] = Properties.Replicas as {
    PointInTimeRecoverySpecification?: { PointInTimeRecoveryEnabled: boolean };
  }[];

  assert.equal(replica?.PointInTimeRecoverySpecification?.PointInTimeRecoveryEnabled, true);
});

test('the attachments bucket is private, encrypted, and empty after three days', async () => {
  const [bucket] = await ofType(STACK, 'AWS::S3::Bucket');
  const { Properties } = bucket!;
  const { Rules } = Properties.LifecycleConfiguration as { Rules: Record<string, unknown>[] };

  assert.deepEqual(Properties.PublicAccessBlockConfiguration, {
    BlockPublicAcls: true,
    BlockPublicPolicy: true,
    IgnorePublicAcls: true,
    RestrictPublicBuckets: true,
  });
  assert.match(JSON.stringify(Properties.BucketEncryption), /AES256/);
  assert.deepEqual(Rules, [
    {
      Id: 'gone-after-3-days',
      ExpirationInDays: 3,
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
      Status: 'Enabled',
    },
  ]);
  assert.equal(bucket!.DeletionPolicy, 'Retain');
});

test('the attachments bucket refuses plain HTTP', async () => {
  const [policy] = await ofType(STACK, 'AWS::S3::BucketPolicy');
  const { Statement } = policy!.Properties.PolicyDocument as { Statement: Record<string, unknown>[] };

  assert.ok(
    Statement.some(
      ({ Effect, Condition }) =>
        Effect === 'Deny' && JSON.stringify(Condition) === '{"Bool":{"aws:SecureTransport":"false"}}',
    ),
  );
});

test('carriers have a secret each, and accounts one, kept when the stack goes', async () => {
  const secrets = await ofType(STACK, 'AWS::SecretsManager::Secret');

  assert.equal(secrets.length, 4);
  assert.ok(secrets.every(({ DeletionPolicy }) => DeletionPolicy === 'Retain'));
});

test('what second factors are derived from is generated, long, and kept whatever happens', async () => {
  const secrets = await ofType(STACK, 'AWS::SecretsManager::Secret');
  const [master] = secrets.filter(({ Properties }) => /derived/.test(String(Properties.Description)));

  assert.deepEqual(master?.Properties.GenerateSecretString, {
    PasswordLength: 64,
    ExcludePunctuation: true,
  });
  assert.equal(master?.UpdateReplacePolicy, 'Retain');
});
