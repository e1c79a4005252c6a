import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ofType, type Resource, resources } from './templates.ts';

const SERVICE_STACKS = ['PealDispatch', 'PealApi'];

async function everywhere(type: string): Promise<Resource[]> {
  return (await Promise.all(SERVICE_STACKS.map((stack) => ofType(stack, type)))).flat();
}

test('every function runs on Node 24 and arm64, with a role and a log of its own', async () => {
  const functions = await everywhere('AWS::Lambda::Function');
  const roles = functions.map(({ Properties }) => JSON.stringify(Properties.Role));

  assert.equal(functions.length, 20);
  assert.equal(new Set(roles).size, functions.length);
  for (const { Properties } of functions) {
    assert.equal(Properties.Runtime, 'nodejs24.x');
    assert.deepEqual(Properties.Architectures, ['arm64']);
    assert.ok((Properties.LoggingConfig as { LogGroup?: unknown }).LogGroup);
  }
});

test('logs end: those of functions, and the access log', async () => {
  const logs = await everywhere('AWS::Logs::LogGroup');

  assert.equal(logs.length, 21);
  assert.ok(logs.every(({ Properties }) => Properties.RetentionInDays === 30));
});

test('no role has a managed policy of AWS’s, a wildcard action or a wildcard resource', async () => {
  const roles = await everywhere('AWS::IAM::Role');
  // What does not fit a role's inline policies is in managed ones of ours.
  const policies = [
    ...(await everywhere('AWS::IAM::Policy')),
    ...(await everywhere('AWS::IAM::ManagedPolicy')),
  ];
  const statements = policies.flatMap(
    ({ Properties }) =>
      (Properties.PolicyDocument as { Statement: { Action: string | string[]; Resource: unknown }[] })
        .Statement,
  );

  assert.ok(roles.every(({ Properties }) => Properties.ManagedPolicyArns === undefined));
  assert.ok(statements.length > 0);
  for (const { Action, Resource } of statements) {
    assert.doesNotMatch(JSON.stringify(Action), /\*/);
    assert.notEqual(Resource, '*');
  }
});

test('each carrier, the fan-out, repetitions and callbacks have a queue whose failures end in a dead-letter queue', async () => {
  const stack = await resources('PealDispatch');
  const queues = Object.values(stack).filter(({ Type }) => Type === 'AWS::SQS::Queue');
  const working = queues.filter(({ Properties }) => Properties.RedrivePolicy);
  const deadLetters = working.map(({ Properties }) => {
    const { deadLetterTargetArn } = Properties.RedrivePolicy as {
      deadLetterTargetArn: { 'Fn::GetAtt': string[] };
    };
    return deadLetterTargetArn['Fn::GetAtt'][0]!;
  });

  // The carriers and the callbacks have two lanes, of which the dead letters are together.
  assert.equal(working.length, 12);
  assert.equal(new Set(deadLetters).size, 7);
});

test('queues are encrypted and refuse plain HTTP', async () => {
  const queues = await ofType('PealDispatch', 'AWS::SQS::Queue');
  const policies = await ofType('PealDispatch', 'AWS::SQS::QueuePolicy');

  assert.ok(queues.every(({ Properties }) => Properties.SqsManagedSseEnabled === true));
  assert.equal(policies.length, queues.length);
});

test('event sources repeat only what failed, and whatever a dead function held comes again within a minute', async () => {
  const mappings = await ofType('PealDispatch', 'AWS::Lambda::EventSourceMapping');
  const stack = await resources('PealDispatch');

  assert.equal(mappings.length, 12);
  for (const { Properties } of mappings) {
    const queue = stack[(Properties.EventSourceArn as { 'Fn::GetAtt': string[] })['Fn::GetAtt'][0]!]!;
    const push = stack[(Properties.FunctionName as { Ref: string }).Ref]!;
    assert.deepEqual(Properties.FunctionResponseTypes, ['ReportBatchItemFailures']);
    const visibility = queue.Properties.VisibilityTimeout as number;
    const window = (Properties.MaximumBatchingWindowInSeconds as number | undefined) ?? 0;
    assert.ok(visibility <= 60, 'a dead function’s share is late');
    // As long again as the function may take: an invocation may begin late.
    assert.ok(visibility >= 2 * (push.Properties.Timeout as number) + window, 'two work on one record');
  }
});

test('the socket’s stage is named push, and its one route answers over the socket', async () => {
  const [stage] = await ofType('PealDispatch', 'AWS::ApiGatewayV2::Stage');
  const routes = await ofType('PealDispatch', 'AWS::ApiGatewayV2::Route');
  const responses = await ofType('PealDispatch', 'AWS::ApiGatewayV2::RouteResponse');

  assert.equal(stage!.Properties.StageName, 'push');
  assert.deepEqual(
    routes.map(({ Properties }) => Properties.RouteKey),
    ['$default'],
  );
  assert.equal(responses.length, 1);
});

test('the API logs what was asked by its route, and no path, query, address or header', async () => {
  const [stage] = await ofType('PealApi', 'AWS::ApiGatewayV2::Stage');
  const { Format, DestinationArn } = stage!.Properties.AccessLogSettings as Record<string, unknown>;

  const fields = Object.values(JSON.parse(String(Format)) as Record<string, string>);

  assert.ok(DestinationArn);
  assert.ok(fields.includes('$context.routeKey') && fields.includes('$context.status'));
  for (const field of fields) assert.doesNotMatch(field, /path|query|identity|header|authorizer/i);
});
