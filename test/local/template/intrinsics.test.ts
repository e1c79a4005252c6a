import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Json, JsonObject } from '../../../local/template/json.ts';
import { buildModel, type Model } from '../../../local/template/model.ts';

/** A variable as `Fn::Sub` writes it. */
const variable = (name: string): string => `\${${name}}`;

const QUEUE = { Type: 'AWS::SQS::Queue' };

function model(stacks: Record<string, JsonObject>): Model {
  const templates = Object.entries(stacks).map(([name, template]) => ({ name, template, assets: new Map() }));
  const secret = (id: string, key: string | undefined) => `${id}|${key ?? ''}`;
  return buildModel(templates, { frontUrl: 'http://127.0.0.1:1', secret });
}

/** The value that an expression has in a stack `S` with a queue `Q`. */
function resolved(
  expression: Json,
  rest: JsonObject = {},
  others: Record<string, JsonObject> = {},
): Json | undefined {
  const bucket = { Type: 'AWS::S3::Bucket', Properties: { Value: expression } };
  const { resources } = model({ ...others, S: { Resources: { Q: QUEUE, B: bucket }, ...rest } });
  return resources.find(({ logicalId }) => logicalId === 'B')?.properties.Value;
}

describe('intrinsic functions', () => {
  const cases: [string, Json, Json | undefined][] = [
    ['a Ref to a resource', { Ref: 'Q' }, 'http://127.0.0.1:1/000000000000/S-Q'],
    ['a Ref to the region', { Ref: 'AWS::Region' }, 'us-east-1'],
    ['a Ref to the account', { Ref: 'AWS::AccountId' }, '000000000000'],
    ['a Ref to the partition', { Ref: 'AWS::Partition' }, 'aws'],
    ['a Ref to the URL suffix', { Ref: 'AWS::URLSuffix' }, 'amazonaws.com'],
    ['a Ref to the stack name', { Ref: 'AWS::StackName' }, 'S'],
    ['a Ref to no value', { Ref: 'AWS::NoValue' }, undefined],
    ['an attribute', { 'Fn::GetAtt': ['Q', 'Arn'] }, 'arn:aws:sqs:us-east-1:000000000000:S-Q'],
    ['an attribute in one text', { 'Fn::GetAtt': 'Q.QueueName' }, 'S-Q'],
    ['Join', { 'Fn::Join': ['-', ['a', { Ref: 'AWS::Region' }, 'b']] }, 'a-us-east-1-b'],
    [
      'Sub',
      { 'Fn::Sub': `x-${variable('AWS::Region')}-${variable('Q.QueueName')}-${variable('!kept')}` },
      `x-us-east-1-S-Q-${variable('kept')}`,
    ],
    [
      'Sub with variables',
      { 'Fn::Sub': [`${variable('a')}/${variable('AWS::Partition')}`, { a: { Ref: 'AWS::Region' } }] },
      'us-east-1/aws',
    ],
    ['Select', { 'Fn::Select': [1, ['a', 'b']] }, 'b'],
    ['Split in Select', { 'Fn::Select': ['2', { 'Fn::Split': [':', 'a:b:c'] }] }, 'c'],
    ['Base64', { 'Fn::Base64': 'hi' }, 'aGk='],
    ['no value in a list', ['a', { Ref: 'AWS::NoValue' }], ['a']],
    ['no value in an object', { a: { Ref: 'AWS::NoValue' }, b: 1 }, { b: 1 }],
    ['a secret', '{{resolve:secretsmanager:arn:aws:s:secret:x:SecretString:::}}', 'arn:aws:s:secret:x|'],
    ['a key of a secret', 'a{{resolve:secretsmanager:name:SecretString:key::}}b', 'aname|keyb'],
  ];
  for (const [what, expression, expected] of cases) {
    test(`resolves ${what}`, () => {
      assert.deepEqual(resolved(expression), expected);
    });
  }

  test('chooses by condition', () => {
    const Conditions = {
      East: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'us-east-1'] },
      West: { 'Fn::Not': [{ Condition: 'East' }] },
      Both: { 'Fn::And': [{ Condition: 'East' }, { Condition: 'West' }] },
      Either: { 'Fn::Or': [{ Condition: 'East' }, { Condition: 'West' }] },
    };
    const choose = (name: string): Json => ({ 'Fn::If': [name, 'yes', { Ref: 'AWS::NoValue' }] });

    const values = ['East', 'West', 'Both', 'Either'].map((name) => resolved(choose(name), { Conditions }));

    assert.deepEqual(values, ['yes', undefined, undefined, 'yes']);
  });

  test('takes a parameter’s default', () => {
    const Parameters = { Size: { Type: 'String', Default: 'small' } };

    assert.equal(resolved({ Ref: 'Size' }, { Parameters }), 'small');
  });

  test('finds a value in a mapping', () => {
    const Mappings = { Ports: { web: { tls: '443' } } };

    assert.equal(resolved({ 'Fn::FindInMap': ['Ports', 'web', 'tls'] }, { Mappings }), '443');
  });

  test('imports what another stack exports', () => {
    const other = {
      Resources: { Other: QUEUE },
      Outputs: {
        O: {
          Value: { 'Fn::GetAtt': ['Other', 'Arn'] },
          Export: { Name: { 'Fn::Sub': `${variable('AWS::StackName')}:it` } },
        },
      },
    };

    assert.equal(
      resolved({ 'Fn::ImportValue': 'T:it' }, {}, { T: other }),
      'arn:aws:sqs:us-east-1:000000000000:T-Other',
    );
    assert.equal(
      resolved({ 'Fn::GetStackOutput': { StackName: 'T', OutputName: 'O' } }, {}, { T: other }),
      'arn:aws:sqs:us-east-1:000000000000:T-Other',
    );
  });

  const stored = (name: string) => ({
    Parameters: { P: { Type: 'AWS::SSM::Parameter::Value<String>', Default: name } },
  });

  test('looks up what a stack has stored in Systems Manager', () => {
    const Properties = { Name: '/T/it', Type: 'String', Value: { 'Fn::GetAtt': ['Other', 'Arn'] } };
    const other = { Resources: { Other: QUEUE, Stored: { Type: 'AWS::SSM::Parameter', Properties } } };

    assert.equal(
      resolved({ Ref: 'P' }, stored('/T/it'), { T: other }),
      'arn:aws:sqs:us-east-1:000000000000:T-Other',
    );
    assert.throws(
      () => resolved({ Ref: 'P' }, stored('/T/other'), { T: other }),
      /S\/B\.Value: no stack makes the parameter \/T\/other of Systems Manager/,
    );
  });

  const refused: [string, Json, RegExp][] = [
    [
      'an unknown function',
      { a: { 'Fn::Cidr': [] } },
      /^TemplateError: S\/B\.Value\.a: the function Fn::Cidr/,
    ],
    ['an unknown name', { Ref: 'Nope' }, /S\/B\.Value: there is no resource or parameter Nope/],
    ['an unknown attribute', { 'Fn::GetAtt': ['Q', 'Size'] }, /S\/B\.Value: the attribute Size of Q/],
    ['an unknown export', { 'Fn::ImportValue': 'x' }, /S\/B\.Value: no stack exports x/],
    ['an unknown condition', { 'Fn::If': ['x', 1, 2] }, /the condition x does not exist/],
    ['an unknown kind of reference', '{{resolve:ssm:/x}}', /S\/B\.Value: the reference \{\{resolve:ssm/],
    ['a selection beyond the list', { 'Fn::Select': [2, ['a']] }, /finds nothing at 2/],
  ];
  for (const [what, expression, message] of refused) {
    test(`names stack, logical id and property of ${what}`, () => {
      assert.throws(() => resolved(expression), message);
    });
  }
});

describe('model', () => {
  test('refuses a resource type that it does not know', () => {
    const stacks = { S: { Resources: { X: { Type: 'AWS::Kinesis::Stream' } } } };

    assert.throws(
      () => model(stacks),
      /S\/X: the local cloud does not know the resource type AWS::Kinesis::Stream/,
    );
  });

  test('leaves out a resource whose condition does not hold', () => {
    const Resources = { Q: { ...QUEUE, Condition: 'No' }, Kept: QUEUE };
    const Conditions = { No: { 'Fn::Equals': ['a', 'b'] } };

    const { resources } = model({ S: { Resources, Conditions } });

    assert.deepEqual(
      resources.map(({ logicalId }) => logicalId),
      ['Kept'],
    );
  });

  test('refuses names that depend on each other', () => {
    const named = (other: string) => ({
      ...QUEUE,
      Properties: { QueueName: { 'Fn::GetAtt': [other, 'QueueName'] } },
    });

    assert.throws(() => model({ S: { Resources: { A: named('B'), B: named('A') } } }), /depends on itself/);
  });

  test('gives resources identities in AWS’s formats', () => {
    const types = {
      Table: 'AWS::DynamoDB::GlobalTable',
      Bucket: 'AWS::S3::Bucket',
      Role: 'AWS::IAM::Role',
      Secret: 'AWS::SecretsManager::Secret',
      Fn: 'AWS::Lambda::Function',
      Api: 'AWS::ApiGatewayV2::Api',
      Log: 'AWS::Logs::LogGroup',
      Topic: 'AWS::SNS::Topic',
      Key: 'AWS::KMS::Key',
      Rule: 'AWS::Events::Rule',
      Dashboard: 'AWS::CloudWatch::Dashboard',
      All: 'AWS::CloudWatch::CompositeAlarm',
    };
    const Resources = Object.fromEntries(Object.entries(types).map(([id, Type]) => [id, { Type }]));

    const { resources } = model({ S: { Resources } });

    const of = (id: string) => resources.find(({ logicalId }) => logicalId === id);
    assert.equal(of('Table')?.ref, 'S-Table');
    assert.equal(of('Table')?.attributes.Arn, 'arn:aws:dynamodb:us-east-1:000000000000:table/S-Table');
    assert.equal(of('Bucket')?.ref, 's-bucket');
    assert.equal(of('Bucket')?.attributes.Arn, 'arn:aws:s3:::s-bucket');
    assert.equal(of('Role')?.attributes.Arn, 'arn:aws:iam::000000000000:role/S-Role');
    assert.match(
      of('Secret')?.ref ?? '',
      /^arn:aws:secretsmanager:us-east-1:000000000000:secret:S-Secret-[a-z0-9]{6}$/,
    );
    assert.equal(of('Fn')?.attributes.Arn, 'arn:aws:lambda:us-east-1:000000000000:function:S-Fn');
    assert.match(
      of('Api')?.attributes.ApiEndpoint ?? '',
      /^https:\/\/[a-z0-9]{10}\.execute-api\.us-east-1\.amazonaws\.com$/,
    );
    assert.equal(of('Log')?.attributes.Arn, 'arn:aws:logs:us-east-1:000000000000:log-group:S-Log:*');
    assert.equal(of('Topic')?.ref, 'arn:aws:sns:us-east-1:000000000000:S-Topic');
    assert.match(of('Key')?.attributes.Arn ?? '', /^arn:aws:kms:us-east-1:000000000000:key\/[0-9a-f-]{36}$/);
    assert.equal(of('Rule')?.attributes.Arn, 'arn:aws:events:us-east-1:000000000000:rule/S-Rule');
    assert.equal(of('Dashboard')?.ref, 'S-Dashboard');
    assert.equal(of('All')?.attributes.Arn, 'arn:aws:cloudwatch:us-east-1:000000000000:alarm:S-All');
  });

  test('shortens names to what AWS allows, the same at every start', () => {
    const id = 'F'.repeat(90);
    const stacks = { S: { Resources: { [id]: { Type: 'AWS::Lambda::Function' } } } };

    const names = [model(stacks), model(stacks)].map(({ resources }) => resources[0]?.ref ?? '');

    assert.equal(names[0]?.length, 64);
    assert.equal(names[0], names[1]);
  });
});
