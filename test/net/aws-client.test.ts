/**
 * The kind of fault: a call to AWS that ends by nothing but the other side. A server that takes a request and never
 * answers, one that stops in the middle of its answer, and a kept connection whose peer is gone without a word.
 *
 * The clock is the test's: it goes on with each turn of the event loop, in which real sockets are read. So a limit of
 * seconds takes no second, and what a call took can be told exactly.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import {
  ApiGatewayManagementApiClient,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import { DeleteItemCommand, DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { GetAccountSettingsCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { S3Bucket } from '../../lib/attachments/s3.ts';
import { MediaBucket } from '../../lib/media/bucket.ts';
import { awsClient, BUDGETS, longest, type Purpose } from '../../lib/net/aws-client.ts';
import { timed } from '../support/timed.ts';

type Answering = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let answering: Answering;
let asked = 0;
const sockets = new Set<Socket>();

before(async () => {
  server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    asked++;
    request.resume();
    answering(request, response);
  }).listen(0, '127.0.0.1');
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await once(server, 'listening');
});
after(() => {
  server.closeAllConnections();
  server.close();
});
const JSON_TYPE = { 'content-type': 'application/x-amz-json-1.0' };
const silence: Answering = () => undefined;
const half: Answering = (_request, response) => {
  response.writeHead(200, { ...JSON_TYPE, 'content-length': '100' });
  response.write('{"Item":');
};
/** One byte after the other: never silent, and never done. */
const drip: Answering = (_request, response) => {
  response.writeHead(200, { ...JSON_TYPE, 'content-length': '100000' });
  const more = () => {
    if (!response.destroyed) response.write(' ', () => setImmediate(more));
  };
  more();
};
const well: Answering = (_request, response) => {
  response.writeHead(200, JSON_TYPE);
  response.end('{}');
};

const common = () => ({
  endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  region: 'us-east-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
});

/** A call by a client of each service. */
const CALLS: Record<Purpose, () => () => Promise<unknown>> = {
  dynamodb() {
    const client = awsClient('dynamodb', DynamoDBClient, common());
    return () => client.send(new GetItemCommand({ TableName: 't', Key: { pk: { S: 'a' } } }));
  },
  'dynamodb-once'() {
    const client = awsClient('dynamodb-once', DynamoDBClient, common());
    return () => client.send(new DeleteItemCommand({ TableName: 't', Key: { pk: { S: 'a' } } }));
  },
  sqs() {
    const client = awsClient('sqs', SQSClient, common());
    const QueueUrl = `${common().endpoint}/000000000000/q`;
    return () => client.send(new GetQueueAttributesCommand({ QueueUrl }));
  },
  'sqs-receive'() {
    const client = awsClient('sqs-receive', SQSClient, common());
    const QueueUrl = `${common().endpoint}/000000000000/q`;
    return () => client.send(new ReceiveMessageCommand({ QueueUrl }));
  },
  s3() {
    const client = awsClient('s3', S3Client, { ...common(), forcePathStyle: true });
    // So large that the SDK first asks whether it may send it.
    const Body = Buffer.alloc(3_000_000);
    return () => client.send(new PutObjectCommand({ Bucket: 'b', Key: 'k', Body }));
  },
  secretsmanager() {
    const client = awsClient('secretsmanager', SecretsManagerClient, common());
    return () => client.send(new GetSecretValueCommand({ SecretId: 's' }));
  },
  sockets() {
    const client = awsClient('sockets', ApiGatewayManagementApiClient, common());
    return () => client.send(new PostToConnectionCommand({ ConnectionId: 'c', Data: '!' }));
  },
  preflight() {
    const client = awsClient('preflight', LambdaClient, common());
    return () => client.send(new GetAccountSettingsCommand({}));
  },
  operator() {
    const client = awsClient('operator', LambdaClient, common());
    return () => client.send(new InvokeCommand({ FunctionName: 'f', Payload: '{}' }));
  },
};

for (const [service, make] of Object.entries(CALLS) as [Purpose, (typeof CALLS)['s3']][]) {
  const budget = BUDGETS[service];
  describe(`a client of ${service}`, () => {
    for (const [name, fault] of Object.entries({ silence, half, drip })) {
      test(`ends a call that meets ${name}, after all its tries`, async () => {
        answering = fault;
        asked = 0;
        const { ended, time } = await timed(make(), budget);

        assert.equal(ended, 'TimeoutError');
        assert.equal(asked, budget.tries);
        assert.ok(time <= longest(budget) + budget.limit / 10, `${time} ms of ${longest(budget)}`);
      });
    }

    test('repeats a call that was not answered, if it has another try', async () => {
      answering = (...args) => (asked === 1 ? silence : well)(...args);
      asked = 0;
      const { ended } = await timed(make(), budget);

      assert.equal(ended, budget.tries > 1 ? 'done' : 'TimeoutError');
    });

    test('gets over connections that have all died while the process was frozen', async () => {
      const call = make();
      const held: (() => void)[] = [];
      answering = (...args) => void held.push(() => well(...args));
      const kept = Array.from({ length: 6 }, call);
      while (held.length < kept.length) await turn();
      const dead = new Set<Socket>();
      for (const answer of held) answer();
      await Promise.all(kept);
      let swallowed = 0;
      answering = (request, response) => {
        if (dead.has(request.socket)) swallowed++;
        else well(request, response);
      };
      for (const socket of sockets) dead.add(socket);
      const { ended } = await timed(call, budget);

      assert.equal(ended, budget.tries > 1 ? 'done' : 'TimeoutError');
      assert.equal(swallowed, 1, 'the second try has a new connection');
    });
  });
}

test('an object of which half has come is asked for again', async () => {
  const client = awsClient('s3', S3Client, { ...common(), forcePathStyle: true });
  const bytes = Buffer.from('the whole of it');
  answering = (_request, response) => {
    response.writeHead(200, {
      'content-length': bytes.length,
      'last-modified': 'Tue, 01 Dec 2026 00:00:00 GMT',
    });
    if (asked % 2 === 1) response.write(bytes.subarray(0, 5));
    else response.end(bytes);
  };
  asked = 0;
  const read = async () => {
    const attachment = await new S3Bucket(client, 'b').get('k');
    assert.deepEqual(Buffer.from(await attachment!.read()), bytes);
    assert.deepEqual(Buffer.from((await new MediaBucket(client, 'b').get('icons', 'k'))!), bytes);
  };
  assert.equal((await timed(read, BUDGETS.s3)).ended, 'done');
  assert.equal(asked, 4);
});
