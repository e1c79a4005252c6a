import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { HttpEvent } from '../../../local/http-api/event.ts';
import { createHttpApi, type HttpApiOptions } from '../../../local/http-api/server.ts';
import type { Throttling } from '../../../local/http-api/throttle.ts';
import { createAuthority } from '../../../local/network/ca.ts';
import type { InvokeResult } from '../../../local/types.ts';
import { createLog, createMeter, functionOf, inlineFunction } from '../lambda/support.ts';

const authority = await createAuthority();

type Handler = (event: HttpEvent) => Partial<InvokeResult> | Promise<Partial<InvokeResult>>;

interface Setting extends Partial<HttpApiOptions> {
  routes?: string[];
  throttling?: Throttling;
}

async function apiOf(
  t: TestContext,
  handler: Handler,
  { routes = ['$default'], throttling, ...change }: Setting = {},
) {
  const log = createLog();
  const meter = createMeter();
  const target = inlineFunction(handler);
  const api = await createHttpApi(
    {
      apiId: 'abc123',
      stage: '$default',
      routes: routes.map((routeKey) => ({ routeKey, functionArn: 'echo' })),
      ...(throttling === undefined ? {} : { throttling }),
    },
    {
      functions: (arn) => (arn === 'echo' ? target : undefined),
      mayInvoke: () => true,
      log,
      meter,
      authority,
      ...change,
    },
  );
  t.after(() => api.close());
  return { ...api, log, meter };
}

/** What the event of a request looks like from the inside. */
async function eventOf(t: TestContext, path: string, init: RequestInit): Promise<HttpEvent> {
  const { url } = await apiOf(t, (event) => ({ payload: event }));
  return (await fetch(url + path, init)).json() as Promise<HttpEvent>;
}

test('runs a bundle behind a route', async (t) => {
  const target = functionOf(
    t,
    `exports.handler = async (event) => ({ statusCode: 201, body: event.pathParameters.id });`,
  );
  const api = await apiOf(t, () => ({}), { routes: ['POST /1/devices/{id}'], functions: () => target });

  const response = await fetch(`${api.url}/1/devices/d%201`, { method: 'POST' });

  assert.equal(response.status, 201);
  assert.equal(await response.text(), 'd 1');
});

test('hands over a form as base64 and JSON as text', async (t) => {
  const form = await eventOf(t, '/f', { method: 'POST', body: new URLSearchParams({ token: 'a b' }) });
  const json = await eventOf(t, '/j', {
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'application/json' },
  });

  assert.equal(form.isBase64Encoded, true);
  assert.equal(Buffer.from(form.body ?? '', 'base64').toString(), 'token=a+b');
  assert.equal(json.isBase64Encoded, false);
  assert.equal(json.body, '{}');
});

test('sends status, headers in their given case, cookies and binary bodies', async (t) => {
  const api = await apiOf(t, () => ({
    payload: {
      statusCode: 202,
      headers: { 'X-Limit-App-Remaining': 7, 'content-type': 'image/png', 'Content-Length': '999' },
      cookies: ['a=1', 'b=2'],
      body: Buffer.from([0, 255]).toString('base64'),
      isBase64Encoded: true,
    },
  }));

  const response = await new Promise<IncomingMessage>((resolve) => httpRequest(api.url, resolve).end());
  const chunks = await response.toArray();

  assert.equal(response.statusCode, 202);
  assert.ok(response.rawHeaders.includes('X-Limit-App-Remaining'));
  assert.deepEqual(response.headers['set-cookie'], ['a=1', 'b=2']);
  assert.equal(response.headers['content-type'], 'image/png');
  assert.deepEqual(Buffer.concat(chunks), Buffer.from([0, 255]));
  assert.match(String(response.headers['apigw-requestid']), /=$/);
});

for (const [what, payload, body] of [
  ['an object', { status: 1 }, '{"status":1}'],
  ['a string', 'Hello', 'Hello'],
  ['nothing', undefined, 'null'],
] as const) {
  test(`answers 200 as JSON when the function returns ${what} without a status`, async (t) => {
    const api = await apiOf(t, () => ({ payload }));

    const response = await fetch(api.url);

    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'application/json');
    assert.equal(await response.text(), body);
  });
}

for (const [what, payload] of [
  ['a body that is an object', { statusCode: 200, body: {} }],
  ['a status that is none', { statusCode: 'ok' }],
  ['headers that are a list', { statusCode: 200, headers: [] }],
  ['a header that is a list', { statusCode: 200, headers: { a: ['1'] } }],
  ['cookies that are a string', { statusCode: 200, cookies: 'a=1' }],
  ['a header that HTTP forbids', { statusCode: 200, headers: { a: 'x\ny' } }],
] as const) {
  test(`answers 500 for ${what} and tells the operator`, async (t) => {
    const api = await apiOf(t, () => ({ payload }));

    const response = await fetch(api.url);

    assert.equal(response.status, 500);
    assert.deepEqual(await response.json(), { message: 'Internal Server Error' });
    assert.equal(api.log.lines.length, 1);
  });
}

for (const [type, status, message] of [
  ['Error', 500, 'Internal Server Error'],
  ['Sandbox.Timedout', 500, 'Internal Server Error'],
  ['TooManyRequestsException', 503, 'Service Unavailable'],
  ['RequestEntityTooLarge', 413, 'Request Entity Too Large'],
] as const) {
  test(`answers ${status} when the function fails with ${type}`, async (t) => {
    const api = await apiOf(t, () => ({ error: { type, message: 'secret detail' } }));

    const response = await fetch(api.url);

    assert.equal(response.status, status);
    assert.deepEqual(await response.json(), { message });
    assert.match(api.log.lines[0] ?? '', /secret detail/);
  });
}

test('answers 404 where there is no route, and says which there are', async (t) => {
  const api = await apiOf(t, () => ({ payload: {} }), { routes: ['POST /1/messages.json'] });

  const response = await fetch(`${api.url}/1/messages.json`);

  assert.equal(response.status, 404);
  assert.deepEqual(await response.json(), { message: 'Not Found' });
  assert.match(
    api.log.lines[0] ?? '',
    /^warn .*GET \/1\/messages\.json; there are: POST \/1\/messages\.json$/,
  );
});

test('answers 500 when the function gives the API no permission', async (t) => {
  const asked: string[] = [];
  const api = await apiOf(t, () => ({ payload: {} }), {
    routes: ['ANY /1/devices/{id}'],
    mayInvoke: (_arn, source) => asked.push(source) < 0,
  });

  const response = await fetch(`${api.url}/1/devices/x`, { method: 'PUT' });

  assert.equal(response.status, 500);
  assert.deepEqual(asked, ['arn:aws:execute-api:us-east-1:000000000000:abc123/$default/PUT/1/devices/{id}']);
  assert.match(api.log.lines[0] ?? '', /has no permission/);
});

test('gives up an integration after its time', async (t) => {
  let finish = () => {};
  const api = await apiOf(
    t,
    () =>
      new Promise((resolve) => {
        finish = () => resolve({});
      }),
    { integrationTimeout: 20 },
  );

  const response = await fetch(api.url);
  finish();

  assert.equal(response.status, 503);
  assert.deepEqual(await response.json(), { message: 'Service Unavailable' });
});

test('takes a body of 10 MB and refuses one byte more, announced or not', async (t) => {
  const api = await apiOf(t, (event) => ({
    payload: { size: Buffer.from(event.body ?? '', 'base64').length },
  }));
  const limit = 10 * 1024 * 1024;

  const fits = await fetch(api.url, { method: 'POST', body: Buffer.alloc(limit) });
  const announced = await fetch(api.url, { method: 'POST', body: Buffer.alloc(limit + 1) });
  const unannounced = await new Promise<IncomingMessage>((resolve) => {
    const request = httpRequest(api.url, { method: 'POST' }, resolve);
    request.on('error', () => {});
    request.write(Buffer.alloc(limit));
    request.write(Buffer.alloc(1));
  });

  assert.deepEqual(await fits.json(), { size: limit });
  assert.equal(announced.status, 413);
  assert.deepEqual(await announced.json(), { message: 'Request Entity Too Large' });
  assert.equal(unannounced.statusCode, 413);
  unannounced.destroy();
  assert.equal(api.meter.read().edge?.['http.requests'], 20 + 1 + 1);
});

test('answers 413 when the event outgrows what a Lambda takes', async (t) => {
  const target = functionOf(t, 'exports.handler = async (event) => ({ size: event.body.length });');
  const api = await apiOf(t, () => ({}), { functions: () => target });
  const post = (size: number) => fetch(api.url, { method: 'POST', body: Buffer.alloc(size) });

  const fits = await post(4_600_000);
  const tooLarge = await post(4_720_000);

  assert.equal(fits.status, 200);
  assert.equal(tooLarge.status, 413);
  assert.deepEqual(await tooLarge.json(), { message: 'Request Entity Too Large' });
});

test('refuses a request line and header values of more than 10,240 bytes', async (t) => {
  const api = await apiOf(t, () => ({ payload: 'ok' }));
  const send = (size: number) => fetch(api.url, { headers: { 'x-long': 'x'.repeat(size) } });

  const fits = await send(9_900);
  const tooLarge = await send(10_240);
  const beyondParser = await send(100_000);

  assert.equal(fits.status, 200);
  for (const response of [tooLarge, beyondParser]) {
    assert.equal(response.status, 431);
    assert.deepEqual(await response.json(), { message: 'Request Header Fields Too Large' });
  }
});

test('throttles at the stage’s rate and burst', async (t) => {
  let now = 0;
  const api = await apiOf(t, () => ({ payload: 'ok' }), {
    throttling: { rate: 1, burst: 2 },
    now: () => now,
  });
  const send = async () => (await fetch(api.url)).status;

  const burst = [await send(), await send(), await send()];
  now = 1000;
  const later = [await send(), await send()];

  assert.deepEqual(burst, [200, 200, 429]);
  assert.deepEqual(later, [200, 429]);
});

test('passes on a GET with a body, and a body without a type', async (t) => {
  const api = await apiOf(t, (event) => ({ payload: event }));
  const socket = connect(api.port, '127.0.0.1');

  socket.end('GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi');
  const [text] = [Buffer.concat(await socket.toArray()).toString()];

  const event = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) as HttpEvent;
  assert.equal(event.body, Buffer.from('hi').toString('base64'));
  assert.equal(event.requestContext.http.method, 'GET');
});

test('answers what is no HTTP with 400 and survives clients that leave', async (t) => {
  const api = await apiOf(t, () => ({ payload: 'ok' }));
  const garbage = connect(api.port, '127.0.0.1');
  const leaver = connect(api.port, '127.0.0.1');

  garbage.end('NONSENSE\r\n\r\n');
  const text = Buffer.concat(await garbage.toArray()).toString();
  leaver.write('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc', () => leaver.destroy());
  await once(leaver, 'close');
  const after = await fetch(api.url);

  assert.match(text, /^HTTP\/1\.1 400 Bad Request/);
  assert.equal(after.status, 200);
});

test('serves its own and further names over TLS', async (t) => {
  const api = await apiOf(t, (event) => ({ payload: event.requestContext.domainName }), {
    names: ['api.pushover.net'],
  });
  const ask = (host: string) =>
    new Promise<string>((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port: api.httpsPort,
        servername: host,
        headers: { host },
        ca: authority.pem,
      };
      httpsRequest(options, async (response) => resolve(Buffer.concat(await response.toArray()).toString()))
        .on('error', reject)
        .end();
    });

  const custom = await ask('api.pushover.net');
  const own = await ask('abc123.execute-api.us-east-1.amazonaws.com');

  assert.equal(custom, 'api.pushover.net');
  assert.equal(own, 'abc123.execute-api.us-east-1.amazonaws.com');
  await assert.rejects(ask('other.example'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
});
