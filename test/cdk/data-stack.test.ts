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

test('both buckets are private, encrypted and kept when the stack goes', async () => {
  const buckets = await ofType(STACK, 'AWS::S3::Bucket');

  assert.equal(buckets.length, 2);
  for (const { Properties, DeletionPolicy } of buckets) {
    assert.deepEqual(Properties.PublicAccessBlockConfiguration, {
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    });
    assert.match(JSON.stringify(Properties.BucketEncryption), /AES256/);
    assert.equal(DeletionPolicy, 'Retain');
  }
});

test('attachments are gone after three days at the latest unless configured, icons and sounds stay', async () => {
  const [attachments, media] = await ofType(STACK, 'AWS::S3::Bucket');
  const { Properties } = attachments!;
  const { Rules } = Properties.LifecycleConfiguration as { Rules: Record<string, unknown>[] };

  assert.equal(media!.Properties.LifecycleConfiguration, undefined);
  const lives = { attachments: 3, plain: 1, uploads: 1 };
  assert.deepEqual(Rules, [
    ...Object.entries(lives).map(([prefix, days]) => ({
      Id: `${prefix}-gone-after-${days}-days`,
      Prefix: `${prefix}/`,
      ExpirationInDays: days,
      Status: 'Enabled',
    })),
    {
      Id: 'unfinished-uploads',
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
      Status: 'Enabled',
    },
  ]);
  assert.deepEqual(Properties.CorsConfiguration, {
    CorsRules: [
      { AllowedHeaders: ['*'], AllowedMethods: ['GET', 'POST'], AllowedOrigins: ['*'], MaxAge: 86_400 },
    ],
  });
});

test('both buckets refuse plain HTTP', async () => {
  const policies = await ofType(STACK, 'AWS::S3::BucketPolicy');

  assert.equal(policies.length, 2);
  for (const { Properties } of policies) {
    const { Statement } = Properties.PolicyDocument as { Statement: Record<string, unknown>[] };
    assert.ok(
      Statement.some(
        ({ Effect, Condition }) =>
          Effect === 'Deny' && JSON.stringify(Condition) === '{"Bool":{"aws:SecureTransport":"false"}}',
      ),
    );
  }
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
