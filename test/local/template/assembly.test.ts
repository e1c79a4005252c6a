import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { App, Stack } from 'aws-cdk-lib';
import { HttpApi, HttpMethod, WebSocketApi, WebSocketStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration, WebSocketLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { readPermissions } from '../../../local/iam/permissions.ts';
import { readRoles } from '../../../local/iam/policy.ts';
import { readApis } from '../../../local/template/apis.ts';
import { loadAssembly } from '../../../local/template/assembly.ts';
import { readFunctions } from '../../../local/template/functions.ts';
import { buildModel } from '../../../local/template/model.ts';
import { lambda, role, temporaryDir, writeAssembly, writeStack } from '../assemblies.ts';

/** Two stacks as CDK synthesizes them: what holds data, and a function with APIs that refers to it. */
function synthesize(t: TestContext): string {
  const outdir = temporaryDir(t);
  const code = join(temporaryDir(t), 'bundle');
  mkdirSync(code);
  writeFileSync(join(code, 'index.js'), 'exports.handler = async () => {}');
  const app = new App({
    outdir,
    analyticsReporting: false,
    // Takes longer than all the rest, and what is synthesized here is deployed nowhere.
    builtinCloudFormationValidation: false,
    treeMetadata: false,
    context: { 'aws:cdk:enable-path-metadata': false },
  });
  const data = new Stack(app, 'Data');
  const table = new TableV2(data, 'Table', { partitionKey: { name: 'pk', type: 'S' as never } });
  const queue = new Queue(data, 'Queue');
  const api = new Stack(app, 'Api');
  const handler = new LambdaFunction(api, 'Fn', {
    runtime: Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: Code.fromAsset(code),
    environment: { TABLE: table.tableName, QUEUE: queue.queueUrl },
  });
  table.grantReadData(handler);
  queue.grantSendMessages(handler);
  const http = new HttpApi(api, 'Http');
  http.addRoutes({
    path: '/1/{id}',
    methods: [HttpMethod.POST],
    integration: new HttpLambdaIntegration('I', handler),
  });
  const integration = new WebSocketLambdaIntegration('D', handler);
  const webSocketApi = new WebSocketApi(api, 'Ws', {
    defaultRouteOptions: { integration, returnResponse: true },
  });
  const throttle = { rateLimit: 5, burstLimit: 7 };
  new WebSocketStage(api, 'Stage', { webSocketApi, stageName: 'push', autoDeploy: true, throttle });
  app.synth();
  return outdir;
}

describe('an assembly of CDK', () => {
  test('resolves across stacks, with functions, roles, APIs and permissions', (t) => {
    const stacks = loadAssembly(synthesize(t));
    const model = buildModel(stacks, { frontUrl: 'http://127.0.0.1:1', secret: () => '' });

    const { specs } = readFunctions(model, stacks);
    const [spec] = specs;
    const grants = readRoles(model).get(spec?.roleArn ?? '')?.grants ?? [];
    const apis = readApis(model);
    const mayInvoke = readPermissions(model, 'apigateway.amazonaws.com');

    assert.deepEqual(
      stacks.map(({ name }) => name),
      ['Data', 'Api'],
    );
    assert.ok(spec);
    assert.match(spec.environment.TABLE ?? '', /^Data-Table/);
    assert.match(spec.environment.QUEUE ?? '', /^http:\/\/127\.0\.0\.1:1\/000000000000\/Data-Queue/);
    assert.equal(spec.timeout, 3);
    assert.ok(grants.some(({ statement }) => statement.Action.includes('sqs:SendMessage')));
    assert.deepEqual(apis.http[0]?.routes, [{ routeKey: 'POST /1/{id}', functionArn: spec.arn }]);
    assert.deepEqual(apis.webSocket[0]?.routes, [
      { routeKey: '$default', functionArn: spec.arn, hasRouteResponse: true },
    ]);
    assert.deepEqual(apis.webSocket[0]?.throttling, { rate: 5, burst: 7 });
    const source = (apiId = '', path = '') => `arn:aws:execute-api:us-east-1:000000000000:${apiId}/${path}`;
    assert.ok(mayInvoke(spec.arn, source(apis.http[0]?.apiId, '$default/POST/1/{id}')));
    assert.ok(mayInvoke(spec.arn, source(apis.webSocket[0]?.apiId, 'push/$default')));
    assert.ok(!mayInvoke(spec.arn, source(apis.http[0]?.apiId, '$default/POST/2/{id}')));
    assert.ok(!mayInvoke(spec.arn, source('otherapi00', '$default/POST/1/{id}')));
  });
});

describe('loadAssembly', () => {
  test('orders stacks after those they depend on', (t) => {
    const dir = writeAssembly(t, { First: { Resources: {} }, Second: { Resources: {} } });

    assert.deepEqual(
      loadAssembly(dir).map(({ name }) => name),
      ['First', 'Second'],
    );
  });

  test('says what to do when nothing was synthesized', (t) => {
    assert.throws(() => loadAssembly(temporaryDir(t)), /run `npx cdk synth` first/);
  });
});

describe('readFunctions', () => {
  const read = (t: TestContext, properties: Parameters<typeof lambda>[1]) => {
    const stacks = loadAssembly(writeStack(t, { R: role(), F: lambda('R', properties) }));
    const functions = readFunctions(buildModel(stacks, { frontUrl: '', secret: () => '' }), stacks);
    t.after(() => functions.dispose());
    return functions.specs;
  };

  test('names a property that would silently not be run', (t) => {
    assert.throws(() => read(t, { Layers: ['x'] }), /Test\/F\.Layers: is not supported here/);
  });

  test('refuses another runtime', (t) => {
    assert.throws(() => read(t, { Runtime: 'python3.13' }), /only nodejs24\.x runs here/);
  });

  test('refuses an asset that is not in the assembly', (t) => {
    assert.throws(
      () => read(t, { Code: { S3Bucket: 'b', S3Key: 'gone.zip' } }),
      /gone\.zip is not in the assembly/,
    );
  });
});
