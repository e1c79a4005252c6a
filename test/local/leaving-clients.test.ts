/** The kind of fault: a client that goes away at a bad moment, and a server that ends the whole process for it. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { Front } from '../../local/aws/front.ts';
import { startControl } from '../../local/carriers/control.ts';
import { Faults } from '../../local/carriers/faults.ts';
import { Journal } from '../../local/carriers/journal.ts';
import { Notes } from '../../local/carriers/notes.ts';
import { createEdge } from '../../local/edge/server.ts';
import { createHttpApi } from '../../local/http-api/server.ts';
import { createAuthority } from '../../local/network/ca.ts';
import { createWebSocketApi } from '../../local/websocket-api/server.ts';
import { createLog, createMeter, inlineFunction } from './lambda/support.ts';

const VISITS = 400;

/** Everything of the local cloud that takes connections over HTTP/1.1, with a function behind it that takes a while. */
async function startAll(t: TestContext): Promise<number[]> {
  const [authority, log, meter] = [await createAuthority(), createLog(), createMeter()];
  const target = inlineFunction(async () => {
    await turn();
    return { payload: { statusCode: 200, body: 'x'.repeat(1024 * 1024) } };
  });
  const shared = { functions: () => target, mayInvoke: () => true, log, meter, authority };
  const api = await createHttpApi(
    { apiId: 'http1', stage: '$default', routes: [{ routeKey: '$default', functionArn: 'f' }] },
    shared,
  );
  const socket = await createWebSocketApi(
    {
      apiId: 'ws1',
      stage: 'push',
      routeSelectionExpression: '$request.body.action',
      routes: ['$default', '$connect', '$disconnect'].map((routeKey) => ({
        routeKey,
        functionArn: 'f',
        hasRouteResponse: true,
      })),
    },
    { ...shared, authorize: () => ({ allowed: true, message: '' }) },
  );
  const edge = await createEdge(
    {
      names: ['edge.example'],
      origin: 'http1.example',
      headers: {},
      viewerRequest: undefined,
      methods: ['GET', 'POST'],
    },
    { originPort: api.port, authority, log },
  );
  const control = await startControl(0, {
    aws: undefined,
    faults: new Faults(),
    journal: new Journal(),
    notes: new Notes(),
  });
  const front = new Front({ log });
  await front.listen();
  for (const each of [front, control, edge, socket, api]) t.after(() => each.close());
  return [
    api.port,
    edge.port,
    socket.port,
    ...[control.url, front.url].map((url) => Number(new URL(url).port)),
  ];
}

const REQUESTS = [
  'GET /received?wait=50&count=1000 HTTP/1.1\r\nHost: a\r\n\r\n',
  `POST /faults HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n${'{"a":'.repeat(400)}`,
  'GET /push HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\x85\0\0\0\0hello',
  'POST /push/@connections/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nno chunk',
];

const visits = fc.record({
  server: fc.nat({ max: 4 }),
  request: fc.constantFrom(...REQUESTS),
  /** How much of the request is sent, of a thousand. */
  part: fc.integer({ min: 1, max: 1_500 }),
  stays: fc.nat({ max: 9 }),
  leaves: fc.constantFrom('reset' as const, 'half-close' as const, 'close' as const),
});

test('a server outlives clients that go away whenever they like, and serves the next one', async (t) => {
  const ports = await startAll(t);
  for (const { server, request, part, stays, leaves } of fc.sample(visits, { numRuns: VISITS, seed: 7325 })) {
    const socket = connect(ports[server]!, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(request.slice(0, Math.ceil((request.length * Math.min(part, 1_000)) / 1_000)), 'latin1');
    for (let n = 0; n < stays; n++) await turn();
    if (leaves === 'reset') socket.resetAndDestroy();
    else if (leaves === 'close') socket.destroy();
    else socket.end(() => setImmediate(() => socket.destroy()));
  }
  for (const port of ports.slice(0, 2)) {
    const response = await fetch(`http://127.0.0.1:${port}/`);
    assert.equal((await response.text()).length, 1024 * 1024);
  }
});
