/**
 * AWS's limits of what grows with every route, function, queue and carrier: held at four fifths, over the largest
 * configuration with the longest names, so that what breaks one fails here and not at a deployment.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PealConfig } from '#config';
import { isObject, type Json, type JsonObject } from '../../local/template/json.ts';
import { buildModel } from '../../local/template/model.ts';
import { assemblyOf } from './in-process.ts';

const REGION = 'ap-southeast-1';
const domain = (name: string, region: string) => ({
  name: `${name}.push.example.org`,
  certificateArn: `arn:aws:acm:${region}:123456789012:certificate/5f3c2a10-6a0e-4c58-9b1e-2f7d3a8c4e01`,
  hostedZoneId: 'Z0123456789ABC',
});
const LARGEST: PealConfig = {
  stage: 'longest-of-names',
  region: REGION,
  account: '123456789012',
  domains: {
    api: domain('api', 'us-east-1'),
    socket: domain('socket', REGION),
    web: domain('web', 'us-east-1'),
  },
  signUp: 'invitation',
  alarms: 'operators@example.org',
  waf: true,
  tracing: true,
  canary: 1,
};

const stacks = assemblyOf(LARGEST);
const model = buildModel(stacks, {
  frontUrl: `https://sqs.${REGION}.amazonaws.com`,
  secret: () => 's'.repeat(64),
});

/** The JSON of something in bytes, with the letters that CloudFormation adds to names, and the region's own name. */
const bytes = (value: unknown): number =>
  Buffer.byteLength(
    JSON.stringify(value)
      .replaceAll(/Peal\w+-longest-of-names-\w+/g, '$&-ABCDEFGHIJKL')
      .replaceAll('us-east-1', REGION),
  );

type Measured = Iterable<readonly [name: string, value: number]>;

/** The sum for each name. */
function summed(measured: Measured): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [name, value] of measured) sums.set(name, (sums.get(name) ?? 0) + value);
  return sums;
}

const each = (type: string, measure: (properties: JsonObject) => number): Measured =>
  model.ofType(type).map(({ logicalId, properties }) => [logicalId, measure(properties)] as const);

const list = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);
const sizeOf = (value: Json | undefined) => Object.keys(isObject(value) ? value : {}).length;
const inTemplates = (section: string): Measured =>
  stacks.map(({ name, template }) => [name, sizeOf(template[section])] as const);

/** A permission as it is in the policy of its function. */
const statement = ({ Action, FunctionName, Principal, SourceArn }: JsonObject, id: string) => ({
  Sid: `PealApi-longest-of-names-${id}`,
  Effect: 'Allow',
  Principal: { Service: Principal },
  Action,
  Resource: FunctionName,
  Condition: { ArnLike: { 'AWS:SourceArn': SourceArn } },
});

const permissions = (): Measured =>
  model
    .ofType('AWS::Lambda::Permission')
    .map(({ logicalId, properties }) => [
      String(properties.FunctionName),
      bytes(statement(properties, logicalId)) + 1,
    ]);

const policies = (): Measured =>
  model
    .ofType('AWS::IAM::Policy')
    .flatMap(({ properties: { Roles, PolicyDocument } }) =>
      list(Roles).map((role) => [String(role), bytes(PolicyDocument)] as const),
    );

interface Widget {
  type: string;
  properties: { title?: string; metrics?: unknown[]; alarms?: unknown[] };
}
const widgets = model
  .ofType('AWS::CloudWatch::Dashboard')
  .flatMap(({ properties }) => JSON.parse(String(properties.DashboardBody)).widgets as Widget[]);
const shown = (part: 'alarms' | 'metrics') =>
  widgets.map(({ properties }) => [properties.title ?? '', properties[part]?.length ?? 0] as const);

/** How many of what there may be, of each that is measured. */
const LIMITS: Record<string, [most: number, measured: Measured]> = {
  'bytes of the resource policy of a function': [20_480, summed(permissions())],
  'characters of all inline policies of a role': [10_240, summed(policies())],
  'bytes of the variables of a function': [
    4_096,
    each('AWS::Lambda::Function', ({ Environment }) =>
      bytes(isObject(Environment) ? (Environment.Variables ?? {}) : {}),
    ),
  ],
  'metrics of an alarm': [10, each('AWS::CloudWatch::Alarm', ({ Metrics }) => list(Metrics).length)],
  'bytes of a template': [
    1_000_000,
    stacks.map(({ name, template }) => [name, Buffer.byteLength(JSON.stringify(template, null, 1))]),
  ],
  'resources of a stack': [500, inTemplates('Resources')],
  'outputs of a stack': [200, inTemplates('Outputs')],
  'parameters of a stack': [200, inTemplates('Parameters')],
  'routes of an API': [
    300,
    summed(
      model
        .ofType('AWS::ApiGatewayV2::Route')
        .map(({ properties }) => [String(properties.ApiId), 1] as const),
    ),
  ],
  'widgets of a dashboard': [500, [['Dashboard', widgets.length]]],
  'metrics of a widget': [500, shown('metrics')],
  'metrics of a dashboard': [2_500, summed(shown('metrics').map(([, count]) => ['Dashboard', count]))],
  'alarms of a widget': [100, shown('alarms')],
  'log groups of a saved query': [
    50,
    each('AWS::Logs::QueryDefinition', ({ LogGroupNames }) => list(LogGroupNames).length),
  ],
};

for (const [what, [most, measured]] of Object.entries(LIMITS)) {
  test(`four fifths at most of AWS’s ${most} ${what}`, (t) => {
    const [[name, value] = ['', 0]] = [...measured].sort(([, one], [, other]) => other - one);

    t.diagnostic(`${value} of ${name}`);
    assert.ok(value > 0, 'nothing was measured');
    assert.ok(value <= most * 0.8, `${name} has ${value}`);
  });
}

test('API Gateway writes into groups that need no word in the account’s policy of 5,120 characters', () => {
  const destinations = model
    .ofType('AWS::ApiGatewayV2::Stage')
    .flatMap(({ properties: { AccessLogSettings } }) =>
      isObject(AccessLogSettings) ? [String(AccessLogSettings.DestinationArn)] : [],
    );

  assert.ok(destinations.length > 0);
  for (const arn of destinations)
    assert.match(arn, /:log-group:\/aws\/vendedlogs\/[\w/-]*longest-of-names(?::\*)?$/);
});
