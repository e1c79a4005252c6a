import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { stacksWith } from './in-process.ts';

type Properties = Record<string, unknown>;

interface Found {
  /** Stack and logical id. */
  at: string;
  Type: string;
  Properties: Properties;
}

/** Everything that is deployed, with all that can be configured turned on. */
const all: Found[] = Object.entries(
  stacksWith({ waf: true, region: 'us-east-1', tracing: true, canary: 5, alarms: 'ops@example.org' }),
).flatMap(([stack, { Resources }]) =>
  Object.entries(Resources).map(([id, { Type, Properties = {} }]) => ({
    at: `${stack}/${id}`,
    Type,
    Properties,
  })),
);

const ofType = (type: string) => all.filter(({ Type }) => Type === type);

/** Checks each resource of a type. */
function each(t: TestContext, type: string, check: (properties: Properties, at: string) => void): void {
  const found = ofType(type);
  t.diagnostic(`${found.length} of ${type}`);
  for (const { at, Properties } of found) check(Properties, at);
}

/** The statements of all policies of a type that are of a resource. */
function statementsOf(
  policyType: string,
  property: string,
  at: string,
): { Effect: string; Condition?: object }[] {
  const id = at.split('/')[1]!;
  return ofType(policyType)
    .filter(({ Properties }) => JSON.stringify(Properties[property])?.includes(`"${id}"`))
    .flatMap(({ Properties }) => (Properties.PolicyDocument as { Statement: [] }).Statement);
}

const refusesPlainHttp = (statements: { Effect: string; Condition?: object }[]): boolean =>
  statements.some(
    ({ Effect, Condition }) =>
      Effect === 'Deny' && JSON.stringify(Condition).includes('"Bool":{"aws:SecureTransport":"false"}'),
  );

test('every bucket is encrypted, closed to the public and to plain HTTP', (t) => {
  each(t, 'AWS::S3::Bucket', (properties, at) => {
    assert.match(
      JSON.stringify(properties.BucketEncryption ?? {}),
      /"SSEAlgorithm":"(?:AES256|aws:kms)"/,
      at,
    );
    assert.deepEqual(
      properties.PublicAccessBlockConfiguration,
      { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true },
      at,
    );
    assert.match(JSON.stringify(properties.OwnershipControls ?? {}), /BucketOwnerEnforced/, at);
    assert.ok(refusesPlainHttp(statementsOf('AWS::S3::BucketPolicy', 'Bucket', at)), at);
  });
});

test('every queue is encrypted and refuses plain HTTP', (t) => {
  each(t, 'AWS::SQS::Queue', (properties, at) => {
    assert.ok(properties.SqsManagedSseEnabled === true || properties.KmsMasterKeyId !== undefined, at);
    assert.ok(refusesPlainHttp(statementsOf('AWS::SQS::QueuePolicy', 'Queues', at)), at);
  });
});

test('every topic is encrypted and refuses plain HTTP', (t) => {
  each(t, 'AWS::SNS::Topic', (properties, at) => {
    assert.ok(properties.KmsMasterKeyId !== undefined, `${at} has no key`);
    assert.ok(refusesPlainHttp(statementsOf('AWS::SNS::TopicPolicy', 'Topics', at)), at);
  });
});

test('every table is encrypted: by DynamoDB’s own key, or one of ours', (t) => {
  for (const type of ['AWS::DynamoDB::GlobalTable', 'AWS::DynamoDB::Table']) {
    each(t, type, (properties, at) => {
      // DynamoDB has no table without encryption: `false` picks its own key instead of one that bills by the request.
      const { SSEEnabled } = (properties.SSESpecification ?? { SSEEnabled: false }) as {
        SSEEnabled: boolean;
      };
      assert.equal(typeof SSEEnabled, 'boolean', at);
    });
  }
});

test('every log ends; CloudWatch encrypts all of them', (t) => {
  each(t, 'AWS::Logs::LogGroup', ({ RetentionInDays }, at) => assert.equal(RetentionInDays, 30, at));
});

test('every secret is generated or put there by the operator: none is in a template', (t) => {
  each(t, 'AWS::SecretsManager::Secret', (properties, at) => {
    assert.equal(properties.SecretString, undefined, at);
    assert.ok(properties.GenerateSecretString !== undefined, at);
  });
});

test('no secret is opened to another account, no bucket, queue or topic to everybody', () => {
  assert.deepEqual(ofType('AWS::SecretsManager::ResourcePolicy'), []);
  for (const type of ['AWS::S3::BucketPolicy', 'AWS::SQS::QueuePolicy', 'AWS::SNS::TopicPolicy']) {
    for (const { at, Properties } of ofType(type)) {
      for (const { Effect, Principal } of (
        Properties.PolicyDocument as { Statement: { Effect: string; Principal: unknown }[] }
      ).Statement) {
        if (Effect === 'Allow') assert.doesNotMatch(JSON.stringify(Principal), /"\*"/, at);
      }
    }
  }
});

test('no function has an address of its own, and none is open but to services of AWS', () => {
  assert.deepEqual(ofType('AWS::Lambda::Url'), []);
  for (const { at, Properties } of ofType('AWS::Lambda::Permission')) {
    assert.match(String(Properties.Principal), /\.amazonaws\.com$/, at);
    assert.ok(Properties.SourceArn !== undefined, `${at} lets any account’s ${Properties.Principal} call`);
  }
});
