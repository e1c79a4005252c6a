import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { buildSync } from 'esbuild';
import { WebSocket } from 'ws';
import { type Cloud, startCloud } from '../../local/cloud.ts';
import { ROOT } from '../../local/iam/iam.ts';
import type { JsonObject } from '../../local/template/json.ts';
import {
  allow,
  type Cleanup,
  getAtt,
  keepLog,
  lambda,
  role,
  table,
  temporaryDir,
  writeStack,
} from './assemblies.ts';

/** A function's code with the AWS SDK in it, as a deployed bundle has it. */
function bundle(contents: string): string {
  const { outputFiles } = buildSync({
    stdin: { contents, resolveDir: import.meta.dirname },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    mainFields: ['module', 'main'],
    minify: true,
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}

const SEND = `
import { SQSClient, SendMessageCommand } from '@aws-sdk/client-sqs';
const sqs = new SQSClient({});
export const handler = async (event) => {
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE, MessageBody: event.body }));
  return { statusCode: 200, body: 'queued' };
};`;

const STORE = `
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
const dynamo = new DynamoDBClient({});
export const handler = async ({ Records }) => {
  for (const { body } of Records) {
    const Item = { pk: { S: 'stored' }, sk: { S: body } };
    await dynamo.send(new PutItemCommand({ TableName: process.env.TABLE, Item }));
  }
};`;

const ECHO = `exports.handler = async (event) => ({ statusCode: 200, body: 'you said ' + event.body });`;

const arn = (...parts: (string | JsonObject)[]): JsonObject => ({
  'Fn::Join': ['', ['arn:aws:execute-api:us-east-1:000000000000:', ...parts]],
});

function api(id: string, handler: string, route: string, protocol: 'HTTP' | 'WEBSOCKET'): JsonObject {
  const ApiId = { Ref: id };
  const http = protocol === 'HTTP';
  return {
    [id]: {
      Type: 'AWS::ApiGatewayV2::Api',
      Properties: http
        ? { Name: id, ProtocolType: protocol }
        : { Name: id, ProtocolType: protocol, RouteSelectionExpression: '$request.body.action' },
    },
    [`${id}Stage`]: {
      Type: 'AWS::ApiGatewayV2::Stage',
      Properties: { ApiId, StageName: http ? '$default' : 'push', AutoDeploy: true },
    },
    [`${id}Integration`]: {
      Type: 'AWS::ApiGatewayV2::Integration',
      Properties: {
        ApiId,
        IntegrationType: 'AWS_PROXY',
        IntegrationUri: getAtt(handler),
        ...(http ? { PayloadFormatVersion: '2.0' } : {}),
      },
    },
    [`${id}Route`]: {
      Type: 'AWS::ApiGatewayV2::Route',
      Properties: {
        ApiId,
        RouteKey: route,
        Target: { 'Fn::Join': ['/', ['integrations', { Ref: `${id}Integration` }]] },
        ...(http ? {} : { RouteResponseSelectionExpression: '$default' }),
      },
    },
    [`${id}Permission`]: {
      Type: 'AWS::Lambda::Permission',
      Properties: {
        Action: 'lambda:InvokeFunction',
        FunctionName: getAtt(handler),
        Principal: 'apigateway.amazonaws.com',
        SourceArn: arn({ Ref: id }, '/*'),
      },
    },
    ...(http
      ? {}
      : {
          [`${id}Response`]: {
            Type: 'AWS::ApiGatewayV2::RouteResponse',
            Properties: { ApiId, RouteId: { Ref: `${id}Route` }, RouteResponseKey: '$default' },
          },
        }),
  };
}

const resources = (): JsonObject => ({
  Table: table(),
  Queue: { Type: 'AWS::SQS::Queue' },
  Secret: { Type: 'AWS::SecretsManager::Secret' },
  SendRole: role(allow('sqs:SendMessage', getAtt('Queue'))),
  Send: lambda('SendRole', {
    Code: { ZipFile: bundle(SEND) },
    Timeout: 10,
    Environment: { Variables: { QUEUE: { Ref: 'Queue' } } },
  }),
  StoreRole: role(
    allow('dynamodb:PutItem', getAtt('Table')),
    allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], getAtt('Queue')),
  ),
  Store: lambda('StoreRole', {
    Code: { ZipFile: bundle(STORE) },
    Timeout: 10,
    Environment: { Variables: { TABLE: { Ref: 'Table' } } },
  }),
  Feed: {
    Type: 'AWS::Lambda::EventSourceMapping',
    Properties: { EventSourceArn: getAtt('Queue'), FunctionName: { Ref: 'Store' } },
  },
  EchoRole: role(),
  Echo: lambda('EchoRole', { Code: { ZipFile: ECHO }, Timeout: 10 }),
  ...api('Http', 'Send', 'POST /send', 'HTTP'),
  ...api('Socket', 'Echo', '$default', 'WEBSOCKET'),
});

describe('the local cloud', () => {
  const undo: (() => unknown)[] = [];
  const cleanup: Cleanup = { after: (one) => void undo.unshift(one) };
  let cloud: Cloud;

  before(async () => {
    const { log } = keepLog();
    const outside = async () => ({ hosts: {}, secrets: { Secret: 'from outside' }, close: async () => {} });
    const options = { assembly: writeStack(cleanup, resources()), log, outside, sweepInterval: 0 };
    cloud = await startCloud(options);
    cleanup.after(() => cloud.close());
  });
  after(async () => {
    for (const one of undo) await one();
  });

  test('takes a request from the HTTP API by function and queue to the table', async () => {
    const response = await fetch(`${cloud.api?.url}/send`, { method: 'POST', body: 'a message' });
    await cloud.poller('Store').drained();

    const Key = { pk: { S: 'stored' }, sk: { S: 'a message' } };
    const found = await cloud.front.send(ROOT, 'dynamodb', 'GetItem', {
      TableName: cloud.tableName('Table'),
      Key,
    });
    assert.equal(await response.text(), 'queued');
    assert.deepEqual(found.Item, Key);
    assert.equal(cloud.engine.queueState(cloud.queue('Queue').name).ready, 0);
  });

  test('meters all of it by function', async () => {
    const counted = cloud.meter.read();

    assert.equal(counted.edge?.['http.requests'], 1);
    assert.equal(counted['Test-Send']?.['sqs.requests'], 1);
    assert.equal(counted['Test-Store']?.['dynamodb.wru'], 1);
    assert.ok((counted['Test-Store']?.['lambda.gbms'] ?? 0) > 0);
  });

  test('knows which grants were used', () => {
    const unused = cloud.iam.unusedGrants().map(({ action }) => action);

    assert.deepEqual(unused, []);
  });

  test('answers over the WebSocket API', async () => {
    const socket = new WebSocket(cloud.socket?.url ?? '');
    await once(socket, 'open');

    socket.send('hello');
    const [answer] = await once(socket, 'message');

    assert.equal(String(answer), 'you said hello');
    socket.close();
    await once(socket, 'close');
  });

  test('sets the secrets of the stand-ins outside', async () => {
    const { SecretString } = await cloud.front.send(ROOT, 'secretsmanager', 'GetSecretValue', {
      SecretId: 'Test-Secret',
    });

    assert.equal(SecretString, 'from outside');
  });

  test('says which names there are when one is not found', () => {
    assert.throws(() => cloud.functionNamed('None'), /None names 0 of: Send, Store, Echo/);
  });
});

describe('a cloud that cannot start', () => {
  test('names what is wrong and leaves nothing running', async (t) => {
    const { log } = keepLog();
    let closed = false;
    const outside = async () => ({
      hosts: {},
      secrets: { Missing: 'x' },
      close: async () => {
        closed = true;
      },
    });

    const start = startCloud({ assembly: writeStack(t, { Q: { Type: 'AWS::SQS::Queue' } }), log, outside });

    await assert.rejects(start, /Missing names 0 of/);
    assert.equal(closed, true);
  });

  test('names a gateway’s property that would not be run', async (t) => {
    const { log } = keepLog();
    const made = api('Http', 'Echo', 'POST /x', 'HTTP');
    (made.Http as { Properties: JsonObject }).Properties.CorsConfiguration = {};
    const all = { EchoRole: role(), Echo: lambda('EchoRole', { Code: { ZipFile: ECHO } }), ...made };

    const start = startCloud({ assembly: writeStack(t, all), log, dataDir: join(temporaryDir(t), 'data') });

    await assert.rejects(start, /Test\/Http\.CorsConfiguration: is not supported here/);
  });
});
