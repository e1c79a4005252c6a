import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  connectEvent,
  disconnectEvent,
  messageEvent,
  selectRoute,
} from '../../../local/websocket-api/events.ts';
import { createFrameWatch } from '../../../local/websocket-api/frames.ts';

const facts = {
  connectionId: 'L0SM9cOFvHcCIhw=',
  connectedAt: 1_583_348_638_000,
  sourceIp: '127.0.0.1',
  userAgent: 'ua',
  apiId: 'ws1',
  stage: 'push',
  domainName: 'ws1.execute-api.us-east-1.amazonaws.com',
};
const NOW = Date.UTC(2020, 2, 4, 19, 3, 59);

test('has every field of a message’s event', () => {
  const event = messageEvent(facts, '$default', 'login:a:b', 'Req=', NOW);

  assert.deepEqual(event, {
    requestContext: {
      routeKey: '$default',
      messageId: 'Req=',
      eventType: 'MESSAGE',
      extendedRequestId: 'Req=',
      requestTime: '04/Mar/2020:19:03:59 +0000',
      messageDirection: 'IN',
      stage: 'push',
      connectedAt: 1_583_348_638_000,
      requestTimeEpoch: NOW,
      identity: { userAgent: 'ua', sourceIp: '127.0.0.1' },
      requestId: 'Req=',
      domainName: 'ws1.execute-api.us-east-1.amazonaws.com',
      connectionId: 'L0SM9cOFvHcCIhw=',
      apiId: 'ws1',
    },
    body: 'login:a:b',
    isBase64Encoded: false,
  });
});

test('gives headers and query to the event of a handshake alone', () => {
  const request = { rawHeaders: ['Host', 'h', 'X-A', '1', 'X-A', '2'], query: 'a=1&a=2' };

  const event = connectEvent(facts, request, 'Req=', NOW);

  assert.equal(event.requestContext.eventType, 'CONNECT');
  assert.deepEqual(event.headers, { Host: 'h', 'X-A': '2' });
  assert.deepEqual(event.multiValueHeaders, { Host: ['h'], 'X-A': ['1', '2'] });
  assert.deepEqual(event.queryStringParameters, { a: '2' });
  assert.deepEqual(event.multiValueQueryStringParameters, { a: ['1', '2'] });
});

test('tells the end of a connection with its code', () => {
  const { requestContext } = disconnectEvent(facts, { code: 1006, reason: '' }, 'Req=', NOW);

  assert.equal(requestContext.eventType, 'DISCONNECT');
  assert.equal(requestContext.disconnectStatusCode, 1006);
});

test('selects a route by the expression, and $default for all else', () => {
  const keys = new Set(['$default', '$connect', 'join', '5']);
  const select = (body: string, expression = '$request.body.action') => selectRoute(expression, keys, body);

  assert.equal(select('{"action":"join"}'), 'join');
  assert.equal(select('{"action":5}'), '5');
  assert.equal(select('{"action":"join"}', `\${request.body.action}`), 'join');
  assert.equal(select('{"data":{"kind":"join"}}', '$request.body.data.kind'), 'join');
  assert.equal(select('{"action":"other"}'), '$default');
  assert.equal(select('{"action":"$connect"}'), '$default');
  assert.equal(select('{"__proto__":1}', '$request.body.constructor'), '$default');
  assert.equal(select('login:a:b'), '$default');
  assert.equal(select('null'), '$default');
});

/** A masked text frame as a client sends it, with the shortest form of its length. */
function frame(size: number): Buffer {
  const length =
    size < 126
      ? [size | 0x80]
      : size < 65_536
        ? [0xfe, size >> 8, size & 255]
        : [0xff, 0, 0, 0, 0, ...[24, 16, 8, 0].map((by) => (size >>> by) & 255)];
  return Buffer.concat([Buffer.from([0x81, ...length, 1, 2, 3, 4]), Buffer.alloc(size)]);
}

test('notices a frame over the limit however the stream is cut', () => {
  const sizes = fc.array(fc.constantFrom(0, 1, 125, 126, 300, 999, 1000), { maxLength: 5 });
  const last = fc.constantFrom(1000, 1001, 65_535, 65_536, 70_000);

  fc.assert(
    fc.property(sizes, last, fc.integer({ min: 1, max: 700 }), (before, size, step) => {
      const stream = Buffer.concat([...before.map(frame), frame(size)]);
      const watch = createFrameWatch(1000);
      let noticed = false;
      for (let at = 0; at < stream.length && !noticed; at += step)
        noticed = watch(stream.subarray(at, at + step));
      assert.equal(noticed, size > 1000);
    }),
  );
});
