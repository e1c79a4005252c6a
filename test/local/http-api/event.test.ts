import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clfTime, createEvent, type IncomingRequest, isText } from '../../../local/http-api/event.ts';

const api = {
  apiId: 'abc123',
  accountId: '000000000000',
  stage: '$default',
  domainName: 'abc123.execute-api.us-east-1.amazonaws.com',
};
const match = { route: { routeKey: 'POST /1/{id}', functionArn: 'f' }, parameters: { id: 'x y' } };
const NOW = Date.UTC(2020, 2, 12, 19, 3, 58, 390);

function eventOf(change: Partial<IncomingRequest> = {}) {
  const request: IncomingRequest = {
    method: 'POST',
    target: '/1/x%20y',
    rawHeaders: ['Host', 'localhost:7325', 'User-Agent', 'curl/8'],
    body: Buffer.alloc(0),
    sourceIp: '127.0.0.1',
    secure: false,
    ...change,
  };
  return createEvent(request, match, api, 'JKJaXmPLvHcESHA=', NOW);
}

test('has every field of payload format 2.0', () => {
  const event = eventOf({ target: '/1/x%20y?a=1&a=2&b=%C3%BC+' });

  const { headers, ...rest } = event;
  assert.deepEqual(rest, {
    version: '2.0',
    routeKey: 'POST /1/{id}',
    rawPath: '/1/x y',
    rawQueryString: 'a=1&a=2&b=%C3%BC+',
    queryStringParameters: { a: '1,2', b: 'ü ' },
    requestContext: {
      accountId: '000000000000',
      apiId: 'abc123',
      domainName: 'abc123.execute-api.us-east-1.amazonaws.com',
      domainPrefix: 'abc123',
      http: {
        method: 'POST',
        path: '/1/x y',
        protocol: 'HTTP/1.1',
        sourceIp: '127.0.0.1',
        userAgent: 'curl/8',
      },
      requestId: 'JKJaXmPLvHcESHA=',
      routeKey: 'POST /1/{id}',
      stage: '$default',
      time: '12/Mar/2020:19:03:58 +0000',
      timeEpoch: NOW,
    },
    pathParameters: { id: 'x y' },
    isBase64Encoded: false,
  });
  assert.equal(headers.host, 'localhost:7325');
  assert.equal(headers['content-length'], '0');
  assert.equal(headers['x-forwarded-for'], '127.0.0.1');
  assert.equal(headers['x-forwarded-port'], '7325');
  assert.equal(headers['x-forwarded-proto'], 'http');
  assert.match(headers['x-amzn-trace-id'] ?? '', /^Root=1-5e6a8/);
});

test('lowers header names, joins repeated ones and lists cookies apart', () => {
  const rawHeaders = [
    'X-A',
    '1',
    'x-a',
    '2',
    'Cookie',
    'a=1; b=2',
    'cookie',
    'c=3',
    'Connection',
    'close',
    'X-Forwarded-For',
    '10.0.0.1',
  ];

  const { headers, cookies } = eventOf({ rawHeaders });

  assert.equal(headers['x-a'], '1,2');
  assert.deepEqual(cookies, ['a=1', 'b=2', 'c=3']);
  assert.equal('cookie' in headers, false);
  assert.equal('connection' in headers, false);
  assert.equal(headers['x-forwarded-for'], '10.0.0.1, 127.0.0.1');
});

test('decodes the path up to a question mark that was hidden in it, but not the query', () => {
  const event = eventOf({ target: '/1/a%2Fb%3Fc?q=%20' });

  assert.equal(event.rawPath, '/1/a/b');
  assert.equal(event.rawQueryString, 'q=%20');
});

test('takes a whole URL for a target', () => {
  const event = eventOf({ target: 'http://localhost:7325/1/x?q=1' });

  assert.equal(event.rawPath, '/1/x');
  assert.equal(event.rawQueryString, 'q=1');
});

test('puts a named stage before the path', () => {
  const request = {
    method: 'GET',
    target: '/1/x',
    rawHeaders: [],
    body: Buffer.alloc(0),
    sourceIp: '::1',
    secure: true,
  };

  const event = createEvent(request, match, { ...api, stage: 'prod' }, 'r', NOW);

  assert.equal(event.rawPath, '/prod/1/x');
  assert.equal(event.requestContext.stage, 'prod');
});

for (const [type, text] of [
  ['text/plain', true],
  ['text/html; charset=utf-8', true],
  ['application/json', true],
  ['Application/JSON; charset=UTF-8', true],
  ['application/xml', true],
  ['application/javascript', true],
  ['application/x-www-form-urlencoded', false],
  ['multipart/form-data; boundary=x', false],
  ['application/octet-stream', false],
  ['application/problem+json', false],
  ['image/png', false],
  ['', false],
  [undefined, false],
] as const) {
  test(`${text ? 'keeps' : 'encodes'} a body of type ${type}`, () => {
    const rawHeaders = type === undefined ? [] : ['Content-Type', type];

    const event = eventOf({ rawHeaders, body: Buffer.from('token=ü') });

    assert.equal(isText(type), text);
    assert.equal(event.isBase64Encoded, !text);
    assert.equal(event.body, text ? 'token=ü' : Buffer.from('token=ü').toString('base64'));
  });
}

test('carries any bytes and any query through', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), fc.string(), (bytes, query) => {
      const event = eventOf({
        body: Buffer.from(bytes),
        target: `/1/x?q=${encodeURIComponent(query.toWellFormed())}`,
      });

      assert.deepEqual(Buffer.from(event.body ?? '', 'base64'), Buffer.from(bytes));
      assert.equal(event.queryStringParameters?.q, query.toWellFormed());
    }),
  );
});

test('writes the time in the common log format', () => {
  assert.equal(clfTime(Date.UTC(2026, 10, 3, 4, 5, 6)), '03/Nov/2026:04:05:06 +0000');
});
