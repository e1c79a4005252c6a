import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { initialSecret } from '../../../local/aws/secrets.ts';
import { ROOT } from '../../../local/iam/iam.ts';
import { sharedEngine, writeStack } from '../assemblies.ts';

describe('Secrets Manager', () => {
  const engine = sharedEngine((t) =>
    writeStack(t, {
      Given: { Type: 'AWS::SecretsManager::Secret', Properties: { SecretString: '{"key":"value"}' } },
      Changed: { Type: 'AWS::SecretsManager::Secret', Properties: { SecretString: 'old' } },
      Reader: {
        Type: 'AWS::S3::Bucket',
        Properties: { Own: '{{resolve:secretsmanager:Test-Given:SecretString:key}}' },
      },
    }),
  );
  const call = (action: string, input: Record<string, string>) =>
    engine().front.send(ROOT, 'secretsmanager', action, input);

  test('gives the template’s value by name, ARN and ARN without its ending', async () => {
    const { ARN } = await call('DescribeSecret', { SecretId: 'Test-Given' });
    const ids = ['Test-Given', String(ARN), String(ARN).slice(0, -7)];

    const values = await Promise.all(ids.map((SecretId) => call('GetSecretValue', { SecretId })));

    assert.deepEqual(
      values.map(({ SecretString }) => SecretString),
      Array(3).fill('{"key":"value"}'),
    );
  });

  test('makes a new value current and keeps the one before', async () => {
    await call('PutSecretValue', { SecretId: 'Test-Changed', SecretString: 'new' });

    const current = await call('GetSecretValue', { SecretId: 'Test-Changed' });
    const previous = await call('GetSecretValue', { SecretId: 'Test-Changed', VersionStage: 'AWSPREVIOUS' });
    assert.deepEqual([current.SecretString, previous.SecretString], ['new', 'old']);
    assert.deepEqual(current.VersionStages, ['AWSCURRENT']);
  });

  test('does not know other secrets and actions', async () => {
    await assert.rejects(call('GetSecretValue', { SecretId: 'none' }), /ResourceNotFoundException/);
    await assert.rejects(call('RotateSecret', { SecretId: 'Test-Given' }), /RotateSecret is not available/);
  });

  test('is read by the template’s references', () => {
    const reader = engine().model.ofType('AWS::S3::Bucket')[0];

    assert.equal(reader?.properties.Own, 'value');
  });
});

describe('the first value of a secret', () => {
  test('is what the template says', () => {
    assert.equal(initialSecret({ SecretString: 'given' }), 'given');
  });

  test('is 32 letters of every kind by default', () => {
    const value = initialSecret({ GenerateSecretString: {} });

    assert.equal(value.length, 32);
    for (const kind of [/[a-z]/, /[A-Z]/, /[0-9]/, /[^a-zA-Z0-9]/]) assert.match(value, kind);
  });

  test('heeds length and what is excluded', () => {
    const options = {
      PasswordLength: 200,
      ExcludePunctuation: true,
      ExcludeUppercase: true,
      ExcludeCharacters: 'abc',
    };

    assert.match(initialSecret({ GenerateSecretString: options }), /^[d-z0-9]{200}$/);
  });

  test('is put into the template’s JSON', () => {
    const options = { SecretStringTemplate: '{"user":"u"}', GenerateStringKey: 'password' };

    const value = JSON.parse(initialSecret({ GenerateSecretString: options }));

    assert.equal(value.user, 'u');
    assert.equal(value.password.length, 32);
  });
});
