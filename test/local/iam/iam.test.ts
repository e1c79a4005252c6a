import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { conditionHolds } from '../../../local/iam/conditions.ts';
import { Iam, ROOT } from '../../../local/iam/iam.ts';
import { readRoles, readStatement } from '../../../local/iam/policy.ts';
import type { JsonObject } from '../../../local/template/json.ts';
import { buildModel } from '../../../local/template/model.ts';
import { allow, lambda, role } from '../assemblies.ts';

const WHERE = { stack: 'S', logicalId: 'P' };
const TABLE = 'arn:aws:dynamodb:us-east-1:000000000000:table/T';

function iamWith(...statements: JsonObject[]): Iam {
  const iam = new Iam();
  const grants = statements.map((statement, index) => ({
    statement: readStatement(statement, WHERE),
    source: `S/P#${index}`,
    managed: false,
  }));
  iam.addFunction('KEY', 'S-F', { name: 'S-R', arn: 'arn:aws:iam::000000000000:role/S-R', grants });
  return iam;
}

const roles = (resources: JsonObject) => {
  const template = { Resources: { ...resources, F: lambda('R') } };
  return readRoles(
    buildModel([{ name: 'S', template, assets: new Map() }], { frontUrl: '', secret: () => '' }),
  );
};

describe('IAM', () => {
  test('allows what a statement allows, and nothing else', () => {
    const iam = iamWith(allow(['dynamodb:Get*'], TABLE));

    assert.ok(iam.authorize('KEY', 'dynamodb:GetItem', TABLE).allowed);
    assert.ok(!iam.authorize('KEY', 'dynamodb:PutItem', TABLE).allowed);
    assert.ok(!iam.authorize('KEY', 'dynamodb:GetItem', `${TABLE}2`).allowed);
  });

  test('says what is missing in AWS’s words', () => {
    const decision = iamWith(allow('sqs:*', '*')).authorize('KEY', 'dynamodb:PutItem', TABLE);

    assert.deepEqual(decision, {
      allowed: false,
      message:
        'User: arn:aws:sts::000000000000:assumed-role/S-R/S-F is not authorized to perform: dynamodb:PutItem on ' +
        `resource: ${TABLE} because no identity-based policy allows the dynamodb:PutItem action`,
    });
  });

  test('lets a Deny beat an Allow', () => {
    const deny = { ...allow('dynamodb:DeleteItem', '*'), Effect: 'Deny' };
    const decision = iamWith(allow('*', '*'), deny).authorize('KEY', 'dynamodb:DeleteItem', TABLE);

    assert.ok(!decision.allowed);
    assert.match(decision.message, /with an explicit deny in an identity-based policy$/);
  });

  test('lets root do everything and knows nobody else', () => {
    const iam = iamWith();

    assert.ok(iam.authorize(ROOT, 'dynamodb:DeleteTable', TABLE).allowed);
    assert.equal(iam.caller('nobody'), undefined);
    assert.ok(!iam.authorize('nobody', 'dynamodb:GetItem', TABLE).allowed);
  });

  test('asks for the condition keys only when a statement has a condition', () => {
    const condition = { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['mine'] } };
    const iam = iamWith(allow('dynamodb:GetItem', TABLE, { Condition: condition }), allow('sqs:*', '*'));
    const context = (key: string) => () => new Map([['dynamodb:leadingkeys', [key]]]);
    const never = () => assert.fail('asked');

    assert.ok(iam.authorize('KEY', 'dynamodb:GetItem', TABLE, context('mine')).allowed);
    assert.ok(!iam.authorize('KEY', 'dynamodb:GetItem', TABLE, context('theirs')).allowed);
    assert.ok(iam.authorize('KEY', 'sqs:SendMessage', '*', never).allowed);
  });

  test('reports the grants that nobody used', () => {
    const iam = iamWith(allow(['dynamodb:GetItem', 'dynamodb:PutItem'], TABLE));

    iam.authorize('KEY', 'dynamodb:GetItem', TABLE);

    const use = { role: 'S-R', source: 'S/P#0', resource: TABLE };
    const never = { ...use, action: 'dynamodb:PutItem', times: 0 };
    assert.deepEqual(iam.grants(), [{ ...use, action: 'dynamodb:GetItem', times: 1 }, never]);
    assert.deepEqual(iam.unusedGrants(), [never]);
  });

  test('keeps a grant to partitions of a table, and reports those that nobody used', () => {
    const Condition = { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['user#*', 'tag#*'] } };
    const iam = iamWith(allow('dynamodb:BatchGetItem', TABLE, { Condition }));
    const ask = (...keys: string[]) =>
      iam.authorize('KEY', 'dynamodb:BatchGetItem', TABLE, () => new Map([['dynamodb:leadingkeys', keys]]));

    const allowed = [ask('user#a'), ask('user#a', 'token#b'), ask('token#b')].map((one) => one.allowed);

    assert.deepEqual(allowed, [true, false, false]);
    assert.deepEqual(
      iam.unusedGrants().map(({ partition }) => partition),
      ['tag#*'],
    );
  });
});

describe('conditions', () => {
  const cases: [string, Record<string, string | string[]>, boolean][] = [
    ['StringEquals', { k: 'a' }, true],
    ['StringEquals', { k: ['x', 'a'] }, true],
    ['StringEquals', { k: 'A' }, false],
    ['StringEquals', { other: 'a' }, false],
    ['StringEqualsIfExists', { other: 'a' }, true],
    ['StringNotEquals', { k: 'b' }, true],
    ['StringNotEquals', { other: 'a' }, true],
    ['StringLike', { k: '?' }, true],
    ['StringLike', { k: 'b*' }, false],
    ['Bool', { flag: 'TRUE' }, true],
    ['ArnLike', { arn: 'arn:aws:sqs:*:*:q' }, true],
    ['ArnEquals', { arn: 'arn:aws:sqs:*:q' }, false],
    ['ForAllValues:StringEquals', { many: ['x', 'y', 'z'] }, true],
    ['ForAllValues:StringEquals', { many: ['x'] }, false],
    ['ForAllValues:StringEquals', { other: ['x'] }, true],
    ['ForAnyValue:StringEquals', { many: ['y'] }, true],
    ['ForAnyValue:StringEquals', { other: ['y'] }, false],
  ];
  const context = new Map([
    ['k', ['a']],
    ['flag', ['true']],
    ['arn', ['arn:aws:sqs:us-east-1:0:q']],
    ['many', ['x', 'y']],
  ]);
  for (const [operator, keys, expected] of cases) {
    test(`${operator} ${JSON.stringify(keys)} is ${expected}`, () => {
      assert.equal(conditionHolds({ [operator]: keys }, context), expected);
    });
  }
});

describe('roles', () => {
  test('collect inline and attached policies', () => {
    const found = roles({
      R: role(allow('sqs:SendMessage', '*')),
      P: {
        Type: 'AWS::IAM::Policy',
        Properties: { Roles: [{ Ref: 'R' }], PolicyDocument: { Statement: [allow('s3:GetObject', '*')] } },
      },
      M: {
        Type: 'AWS::IAM::ManagedPolicy',
        Properties: { Roles: [{ Ref: 'R' }], PolicyDocument: { Statement: [allow('s3:PutObject', '*')] } },
      },
    });

    const [one] = [...found.values()];
    const actions = one?.grants.filter(({ managed }) => !managed).map(({ statement }) => statement.Action[0]);
    assert.deepEqual(actions, ['sqs:SendMessage', 's3:GetObject', 's3:PutObject']);
  });

  test('are refused when Lambda may not assume them', () => {
    const other = role();
    const properties = other.Properties as JsonObject;
    properties.AssumeRolePolicyDocument = {
      Statement: [{ Action: 'sts:AssumeRole', Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' } }],
    };

    assert.throws(
      () => roles({ R: other }),
      /S\/R\.AssumeRolePolicyDocument: lambda\.amazonaws\.com may not assume/,
    );
  });

  test('are refused with a managed policy that is not known', () => {
    const other = role();
    (other.Properties as JsonObject).ManagedPolicyArns = ['arn:aws:iam::aws:policy/AdministratorAccess'];

    assert.throws(() => roles({ R: other }), /AdministratorAccess is not known here/);
  });

  test('are refused with a condition operator that is not known', () => {
    const statement = allow('s3:*', '*', { Condition: { NumericLessThan: { 's3:max-keys': 10 } } });

    assert.throws(
      () => roles({ R: role(statement) }),
      /the condition operator NumericLessThan is not known here/,
    );
  });

  test('are refused with a form of statement that is not known', () => {
    const { Action: _action, ...rest } = allow('s3:*', '*');

    assert.throws(() => roles({ R: role({ ...rest, NotAction: 's3:*' }) }), /NotAction is not known/);
  });
});
