import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { StackTemplate } from '../../../local/template/assembly.ts';
import { Deployment } from '../../../local/template/deployment.ts';
import type { Json, JsonObject } from '../../../local/template/json.ts';

const stack = (name: string, template: JsonObject, region?: string): StackTemplate => ({
  name,
  template,
  assets: new Map(),
  ...(region !== undefined && { region }),
});

const table = (kind: string) => ({ Type: 'AWS::DynamoDB::Table', Properties: { Kind: kind } });
const reads = (value: Json) => ({
  Resources: { Reader: { Type: 'AWS::SQS::Queue', Properties: { value } } },
});

/** A stack whose table's name others get by an export, an output, and a parameter. */
const producer = (kind: string, { id = 'Table', parameter = 'Parameter' } = {}) =>
  stack('P', {
    Resources: {
      [id]: table(kind),
      [parameter]: { Type: 'AWS::SSM::Parameter', Properties: { Name: '/P/it', Value: { Ref: id } } },
    },
    Outputs: { It: { Value: { Ref: id } }, Exported: { Value: 'fixed', Export: { Name: 'P:it' } } },
  });
const importer = stack('C', reads({ 'Fn::ImportValue': 'P:it' }));
const asksOutput = stack('C', reads({ 'Fn::GetStackOutput': { StackName: 'P', OutputName: 'It' } }));
const asksParameter = (description = '') =>
  stack('C', {
    ...reads({ Ref: 'It' }),
    Parameters: {
      It: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/P/it', Description: description },
    },
  });

const deployed = (...stacks: StackTemplate[]): Deployment => {
  const account = new Deployment();
  account.deployAll(stacks);
  return account;
};

describe('a deployment is refused as CloudFormation refuses it', () => {
  test('that deletes an export which a deployed stack imports', () => {
    const account = deployed(producer('one'), importer);

    assert.throws(
      () => account.deploy(stack('P', { Resources: { Table: table('one') } })),
      /Export P:it cannot be deleted as it is in use by C/,
    );
  });

  test('that changes such an export', () => {
    const exporting = (value: string) =>
      stack('P', { Resources: {}, Outputs: { E: { Value: value, Export: { Name: 'P:it' } } } });
    const account = deployed(exporting('one'), importer);

    assert.throws(
      () => account.deploy(exporting('two')),
      /Export P:it cannot be updated as it is in use by C/,
    );
  });

  test('unless nothing imports it any more', () => {
    const account = deployed(producer('one'), importer, stack('C', { Resources: {} }));

    assert.equal(account.deploy(stack('P', { Resources: {} })), 'updated');
  });

  for (const [what, consumer, problem] of [
    ['imports what is not exported', importer, /no stack that is deployed exports P:it/],
    [
      'reads an output that is not there',
      asksOutput,
      /no stack P with an output It is deployed in us-east-1/,
    ],
    ['reads a parameter that is not there', asksParameter(), /there is no parameter \/P\/it/],
  ] as const) {
    test(`that ${what}, even if a stack that comes later has it`, () => {
      assert.throws(() => deployed(consumer, producer('one')), problem);
    });
  }

  test('that looks for an export or a parameter in another region', () => {
    for (const consumer of [importer, asksParameter()]) {
      assert.throws(() => deployed(producer('one'), { ...consumer, region: 'eu-central-1' }));
    }
  });

  test('that makes a parameter under a name which another resource has', () => {
    const account = deployed(producer('one'));

    assert.throws(
      () => account.deploy(producer('one', { parameter: 'Renamed' })),
      /the parameter \/P\/it already exists: it is P\/Parameter/,
    );
  });
});

describe('a stack that goes on with an old value is told', () => {
  test('when it reads an output, and its own template has not changed', () => {
    const account = deployed(producer('one'), asksOutput);

    account.deployAll([producer('two'), asksOutput]);

    assert.deepEqual(account.stale(), ['C has read an old output P.It']);
  });

  test('when it reads a parameter that CDK is told not to look at', () => {
    const consumer = asksParameter('[cdk:skip]');
    const account = deployed(producer('one'), consumer);

    account.deployAll([producer('two'), consumer]);

    assert.deepEqual(account.stale(), ['C has read an old parameter /P/it']);
  });

  test('when only the other stack is deployed', () => {
    const account = deployed(producer('one'), asksParameter());

    account.deploy(producer('two'));

    assert.deepEqual(account.stale(), ['C has read an old parameter /P/it']);
  });

  test('and not when it reads a parameter, which CDK always looks at', () => {
    const account = deployed(producer('one'), asksParameter());

    account.deployAll([producer('two'), asksParameter()]);

    assert.deepEqual(account.stale(), []);
  });
});
