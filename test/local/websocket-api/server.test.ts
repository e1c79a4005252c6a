import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import type { Throttling } from '../../../local/http-api/throttle.ts';
import { createAuthority } from '../../../local/network/ca.ts';
import { redirectEnvironment, redirectPreload } from '../../../local/network/preload.ts';
import type { InvokeResult } from '../../../local/types.ts';
import type { Timers } from '../../../local/websocket-api/connections.ts';
import type { SocketEvent } from '../../../local/websocket-api/events.ts';
import { createWebSocketApi, type WebSocketApiOptions } from '../../../local/websocket-api/server.ts';
import { createLog, createMeter, functionOf, inlineFunction, temporaryFolder } from '../lambda/support.ts';

const authority = await createAuthority();
const root = fileURLToPath(new URL('../../../', import.meta.url));

type Handler = (event: SocketEvent) => Partial<InvokeResult> | Promise<Partial<InvokeResult>>;

const echo: Handler = (event) => ({ payload: { statusCode: 200, body: event.body } });

interface Setting extends Partial<WebSocketApiOptions> {
  routes?: string[];
  throttling?: Throttling;
  respond?: boolean;
}

async function apiOf(t: TestContext, handler: Handler = echo, setting: Setting = {}) {
  const { routes = ['$default'], respond = true, throttling, ...change } = setting;
  const log = createLog();
  const meter = createMeter();
  const target = inlineFunction(handler);
  const api = await createWebSocketApi(
    {
      apiId: 'ws1',
      stage: 'push',
      routeSelectionExpression: '$request.body.action',
      routes: routes.map((routeKey) => ({ routeKey, functionArn: 'echo', hasRouteResponse: respond })),
      ...(throttling && { throttling }),
    },
    {
      functions: () => target,
      mayInvoke: () => true,
      authorize: () => ({ allowed: true, message: '' }),
      log,
      meter,
      authority,
      ...change,
    },
  );
  t.after(() => api.close());
  return { ...api, log, meter };
}

async function clientOf(t: TestContext, url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { headers: { 'User-Agent': 'tester' } });
  t.after(() => socket.terminate());
  await once(socket, 'open');
  return socket;
}

async function nextText(socket: WebSocket): Promise<string> {
  const [data] = await once(socket, 'message');
  return String(data);
}

async function closeCode(socket: WebSocket): Promise<number> {
  const [code] = await once(socket, 'close');
  return code as number;
}

/** Resolves to the status with which a handshake is refused. */
async function refusal(url: string): Promise<number | undefined> {
  const socket = new WebSocket(url);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  response.resume();
  return response.statusCode;
}

/** Timers that a test moves on by hand. */
function manualTimers(): Timers & { advance(milliseconds: number): void } {
  const pending = new Map<object, { at: number; action: () => void }>();
  let now = 1_000_000;
  return {
    now: () => now,
    set(action, milliseconds) {
      const key = {};
      pending.set(key, { at: now + milliseconds, action });
      return key;
    },
    clear: (key) => void pending.delete(key as object),
    advance(milliseconds) {
      now += milliseconds;
      for (const [key, { at, action }] of [...pending]) {
        if (at > now || !pending.delete(key)) continue;
        action();
      }
    },
  };
}

test('sends a bundle’s body back where the route has a response', async (t) => {
  const target = functionOf(
    t,
    `exports.handler = async (event) => ({ statusCode: 200, body: event.body.toUpperCase() });`,
  );
  const api = await apiOf(t, echo, { functions: () => target });
  const socket = await clientOf(t, api.url);

  socket.send('login:a:b');

  assert.equal(await nextText(socket), 'LOGIN:A:B');
});

test('sends nothing back without a route response or without a body', async (t) => {
  const seen: string[] = [];
  const handler: Handler = (event) => {
    seen.push(event.body ?? '');
    return { payload: { statusCode: 200, ...(event.body === 'quiet' ? {} : { body: 'answer' }) } };
  };
  const silent = await apiOf(t, handler, { respond: false });
  const answering = await apiOf(t, handler);
  const first = await clientOf(t, silent.url);
  const second = await clientOf(t, answering.url);
  first.on('message', () => seen.push('answered by the silent route'));

  first.send('one');
  second.send('quiet');
  second.send('loud');
  const answer = await nextText(second);

  assert.equal(answer, 'answer');
  assert.deepEqual(seen.toSorted(), ['loud', 'one', 'quiet']);
});

test('leads messages by the selection expression and forbids what no route takes', async (t) => {
  const api = await apiOf(
    t,
    (event) => ({ payload: { statusCode: 200, body: event.requestContext.routeKey } }),
    {
      routes: ['join'],
    },
  );
  const socket = await clientOf(t, api.url);

  socket.send('{"action":"join"}');
  const joined = await nextText(socket);
  socket.send('plain');
  const forbidden = JSON.parse(await nextText(socket));

  assert.equal(joined, 'join');
  assert.equal(forbidden.message, 'Forbidden');
  assert.equal(forbidden.connectionId, api.connections()[0]?.connectionId);
});

for (const [what, result] of [
  ['fails', { error: { type: 'Error', message: 'lost' } }],
  ['answers without a status', { payload: { body: 'x' } }],
] as const) {
  test(`tells the client of an internal error when the function ${what}`, async (t) => {
    const api = await apiOf(t, () => result);
    const socket = await clientOf(t, api.url);

    socket.send('#');
    const message = JSON.parse(await nextText(socket));

    assert.equal(message.message, 'Internal server error');
    assert.equal(message.connectionId, api.connections()[0]?.connectionId);
    assert.equal(typeof message.requestId, 'string');
    assert.match(api.log.lines[0] ?? '', /^warn /);
  });
}

test('tells the client when the function takes too long', async (t) => {
  let finish = () => {};
  const slow: Handler = () =>
    new Promise((resolve) => {
      finish = () => resolve({});
    });
  const api = await apiOf(t, slow, { integrationTimeout: 20 });
  const socket = await clientOf(t, api.url);

  socket.send('#');
  const message = JSON.parse(await nextText(socket));
  finish();

  assert.equal(message.message, 'Endpoint request timed out');
});

test('does not call a function that gives it no permission', async (t) => {
  const asked: string[] = [];
  const api = await apiOf(t, echo, { mayInvoke: (_arn, source) => asked.push(source) < 0 });
  const socket = await clientOf(t, api.url);

  socket.send('#');
  await nextText(socket);

  assert.deepEqual(asked, ['arn:aws:execute-api:us-east-1:000000000000:ws1/push/$default']);
});

test('asks $connect before the handshake and tells $disconnect after the end', async (t) => {
  const events: SocketEvent[] = [];
  let disconnected = () => {};
  const end = new Promise<void>((resolve) => {
    disconnected = resolve;
  });
  const api = await apiOf(
    t,
    (event) => {
      events.push(event);
      if (event.requestContext.eventType === 'DISCONNECT') disconnected();
      return { payload: { statusCode: event.queryStringParameters?.refuse ? 401 : 200 } };
    },
    { routes: ['$connect', '$disconnect', '$default'] },
  );

  const refused = await refusal(`${api.url}?refuse=1`);
  const socket = await clientOf(t, `${api.url}?a=1`);
  socket.close(1000);
  await end;

  assert.equal(refused, 401);
  assert.deepEqual(
    events.map(({ requestContext }) => requestContext.eventType),
    ['CONNECT', 'CONNECT', 'DISCONNECT'],
  );
  assert.equal(events[1]?.headers?.['User-Agent'], 'tester');
  assert.equal(events[2]?.requestContext.connectionId, events[1]?.requestContext.connectionId);
  assert.equal(events[2]?.requestContext.disconnectStatusCode, 1000);
});

test('refuses the handshake when $connect fails', async (t) => {
  const api = await apiOf(t, () => ({ error: { type: 'Error', message: 'x' } }), { routes: ['$connect'] });

  assert.equal(await refusal(api.url), 502);
});

test('refuses another path than the stage’s', async (t) => {
  const api = await apiOf(t);

  const status = await refusal(api.url.replace('/push', '/other'));

  assert.equal(status, 403);
  assert.match(api.log.lines[0] ?? '', /it is \/push/);
});

test('refuses more new connections than may come in a second', async (t) => {
  const api = await apiOf(t, echo, { connectRate: 2, timers: manualTimers() });
  await clientOf(t, api.url);
  await clientOf(t, api.url);

  assert.equal(await refusal(api.url), 429);
});

test('throttles what clients say at the stage’s rate and burst, each route by itself, and keeps the connection', async (t) => {
  const timers = manualTimers();
  const throttling = { rate: 1, burst: 2 };
  const api = await apiOf(t, echo, { routes: ['$default', 'other'], throttling, timers });
  const [one, two] = [await clientOf(t, api.url), await clientOf(t, api.url)];
  const say = (socket: WebSocket, text: string) => {
    socket.send(text);
    return nextText(socket);
  };

  assert.equal(await say(one, '#'), '#');
  assert.equal(await say(two, '#'), '#');
  const refused = JSON.parse(await say(one, '#'));
  assert.equal(refused.message, 'Too Many Requests');
  assert.deepEqual(Object.keys(refused), ['message', 'connectionId', 'requestId']);
  assert.equal(await say(one, '{"action":"other"}'), '{"action":"other"}');
  timers.advance(1_000);
  assert.equal(await say(one, '#'), '#');
});

test('closes on a binary message with 1003', async (t) => {
  const api = await apiOf(t);
  const socket = await clientOf(t, api.url);

  socket.send(Buffer.from('bytes'));

  assert.equal(await closeCode(socket), 1003);
});

test('takes a frame of 32 KB and closes on a longer one with 1009', async (t) => {
  const api = await apiOf(t, (event) => ({ payload: { statusCode: 200, body: String(event.body?.length) } }));
  const socket = await clientOf(t, api.url);

  socket.send('x'.repeat(32 * 1024));
  const answer = await nextText(socket);
  socket.send('x'.repeat(32 * 1024 + 1));

  assert.equal(answer, '32768');
  assert.equal(await closeCode(socket), 1009);
});

test('takes a message of 128 KB in frames and closes on a longer one with 1009', async (t) => {
  const api = await apiOf(t, (event) => ({ payload: { statusCode: 200, body: String(event.body?.length) } }));
  const socket = await clientOf(t, api.url);
  const part = 'x'.repeat(32 * 1024);

  for (const at of [1, 2, 3, 4]) socket.send(part, { fin: at === 4 });
  const answer = await nextText(socket);
  for (const at of [1, 2, 3, 4]) socket.send(part, { fin: at === 5 });
  socket.send('x', { fin: true });

  assert.equal(answer, '131072');
  assert.equal(await closeCode(socket), 1009);
});

test('closes a connection that was idle for ten minutes, counted from its last message', async (t) => {
  const timers = manualTimers();
  const api = await apiOf(t, echo, { timers });
  const socket = await clientOf(t, api.url);
  timers.advance(9 * 60_000);
  socket.send('#');
  await nextText(socket);

  timers.advance(9 * 60_000);
  const still = api.connections().length;
  timers.advance(60_000);

  assert.equal(still, 1);
  assert.equal(await closeCode(socket), 1001);
});

test('closes a connection after two hours however busy it is', async (t) => {
  const timers = manualTimers();
  const api = await apiOf(t, echo, { timers });
  const socket = await clientOf(t, api.url);
  for (let minutes = 0; minutes < 115; minutes += 5) {
    timers.advance(5 * 60_000);
    socket.send('#');
    await nextText(socket);
  }

  timers.advance(5 * 60_000);

  assert.equal(await closeCode(socket), 1001);
});

test('meters messages by 32 KB both ways, connections and their minutes', async (t) => {
  const timers = manualTimers();
  const api = await apiOf(t, (event) => ({ payload: { statusCode: 200, body: event.body } }), { timers });
  const socket = await clientOf(t, api.url);
  const part = 'x'.repeat(30 * 1024);

  socket.send('#');
  await nextText(socket);
  socket.send(part, { fin: false });
  socket.send(part, { fin: true });
  await nextText(socket);
  timers.advance(90_000);
  const [connection] = api.connections();
  const ended = once(connection?.socket as WebSocket, 'close');
  socket.close();
  await ended;

  assert.deepEqual(api.meter.read().edge, {
    'websocket.connections': 1,
    'websocket.messages': 1 + 1 + 2 + 2,
    'websocket.minutes': 2,
  });
});

/** Calls `@connections` with the unmodified AWS SDK, in a process that sees the local network. */
async function manage(
  t: TestContext,
  httpsPort: number,
  steps: string,
): Promise<{ status?: number; name?: string; message?: string; body?: Record<string, unknown> }[]> {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'ca.pem'), authority.pem);
  const hosts = { 'ws1.execute-api.us-east-1.amazonaws.com:443': httpsPort };
  const env = {
    PATH: process.env.PATH,
    AWS_ACCESS_KEY_ID: 'AKIAPUSH',
    AWS_SECRET_ACCESS_KEY: 's',
    AWS_REGION: 'us-east-1',
    AWS_MAX_ATTEMPTS: '1',
    ...redirectEnvironment({ hosts, ca: join(folder, 'ca.pem'), deny: true }),
  };
  const code = `const { ApiGatewayManagementApiClient: Client, PostToConnectionCommand: Post, GetConnectionCommand: Get, DeleteConnectionCommand: Delete } = require('@aws-sdk/client-apigatewaymanagementapi');
    const client = new Client({ endpoint: 'https://ws1.execute-api.us-east-1.amazonaws.com/push' });
    const results = [];
    const call = (command) => client.send(command).then(
      ({ $metadata, ...body }) => results.push({ status: $metadata.httpStatusCode, body }),
      (error) => results.push({ status: error.$metadata?.httpStatusCode, name: error.name, message: error.message }));
    (async () => { ${steps} })().then(() => console.log(JSON.stringify(results)));`;
  return new Promise((resolve, reject) => {
    const args = ['--import', redirectPreload(), '-e', code];
    execFile(process.execPath, args, { env, cwd: root }, (error, stdout) =>
      error ? reject(error) : resolve(JSON.parse(stdout)),
    );
  });
}

test('posts to, describes and ends a connection for the AWS SDK', async (t) => {
  const api = await apiOf(t);
  const socket = await clientOf(t, api.url);
  const id = api.connections()[0]?.connectionId;
  const text = nextText(socket);
  const closed = closeCode(socket);

  const results = await manage(
    t,
    api.httpsPort,
    `
    await call(new Post({ ConnectionId: '${id}', Data: '!ü' }));
    await call(new Get({ ConnectionId: '${id}' }));
    await call(new Delete({ ConnectionId: '${id}' }));`,
  );

  assert.equal(await text, '!ü');
  assert.deepEqual(
    results.map(({ status }) => status),
    [200, 200, 204],
  );
  assert.equal((results[1]?.body?.Identity as { UserAgent: string } | undefined)?.UserAgent, 'tester');
  assert.ok(Date.parse(results[1]?.body?.ConnectedAt as string) > 0);
  assert.equal(await closed, 1000);
});

test('answers the AWS SDK with 410, 413, 429 and 500 as the connection has it', async (t) => {
  const api = await apiOf(t);
  const socket = await clientOf(t, api.url);
  const id = api.connections()[0]?.connectionId as string;
  api.failOnce(id, 429);
  api.failOnce(id, 500);
  const text = nextText(socket);

  const results = await manage(
    t,
    api.httpsPort,
    `
    await call(new Post({ ConnectionId: 'unknownAAAAAAAA=', Data: '!' }));
    await call(new Post({ ConnectionId: '${id}', Data: 'x'.repeat(131073) }));
    await call(new Post({ ConnectionId: '${id}', Data: '!' }));
    await call(new Post({ ConnectionId: '${id}', Data: '!' }));
    await call(new Post({ ConnectionId: '${id}', Data: 'y'.repeat(131072) }));`,
  );

  assert.deepEqual(
    results.map(({ status }) => status),
    [410, 413, 429, 500, 200],
  );
  assert.deepEqual(
    results.slice(0, 3).map(({ name }) => name),
    ['GoneException', 'PayloadTooLargeException', 'LimitExceededException'],
  );
  assert.equal((await text).length, 131_072);
});

test('forbids the AWS SDK what its role does not grant', async (t) => {
  const asked: unknown[] = [];
  const sentence = 'User: push is not authorized to perform: execute-api:ManageConnections';
  const api = await apiOf(t, echo, {
    authorize: (...question) => {
      asked.push(question);
      return { allowed: false, message: sentence };
    },
  });

  const [result] = await manage(
    t,
    api.httpsPort,
    `await call(new Post({ ConnectionId: 'a+b/c=', Data: '!' }));`,
  );

  assert.equal(result?.status, 403);
  assert.equal(result?.name, 'ForbiddenException');
  assert.deepEqual(asked, [
    [
      'AKIAPUSH',
      'execute-api:ManageConnections',
      'arn:aws:execute-api:us-east-1:000000000000:ws1/push/POST/@connections/a+b/c=',
    ],
  ]);
  assert.ok(api.log.lines.includes(`warn WebSocket API: ${sentence}`));
});

test('answers 410 for a connection that was lost, and forgets it', async (t) => {
  const api = await apiOf(t);
  const socket = await clientOf(t, api.url);
  const id = api.connections()[0]?.connectionId as string;
  const closed = closeCode(socket);

  api.drop(id);
  const code = await closed;
  const [result] = await manage(
    t,
    api.httpsPort,
    `await call(new Post({ ConnectionId: '${id}', Data: '!' }));`,
  );

  assert.equal(code, 1006);
  assert.equal(result?.status, 410);
  assert.equal(api.connections().length, 0);
});

test('makes a slow connection’s posts take their time, and no other’s', async (t) => {
  const api = await apiOf(t);
  const first = await clientOf(t, api.url);
  const second = await clientOf(t, api.url);
  const [slow, quick] = api.connections().map(({ connectionId }) => connectionId);
  api.slow(slow as string, 300);
  const order: string[] = [];
  const both = [first, second].map(async (socket) => order.push(await nextText(socket)));

  await manage(
    t,
    api.httpsPort,
    `await Promise.all([
    call(new Post({ ConnectionId: '${slow}', Data: 'slow' })), call(new Post({ ConnectionId: '${quick}', Data: 'quick' }))]);`,
  );
  await Promise.all(both);

  assert.deepEqual(order, ['quick', 'slow']);
});

test('does not answer calls that are not signed', async (t) => {
  const api = await apiOf(t);
  const { get } = await import('node:https');
  const options = { port: api.httpsPort, host: '127.0.0.1', path: '/push/@connections/x', ca: authority.pem };

  const [response] = (await once(get(options), 'response')) as [IncomingMessage];

  response.resume();
  assert.equal(response.statusCode, 403);
});
