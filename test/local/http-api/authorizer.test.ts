import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthorizer } from '../../../local/http-api/authorizer.ts';
import type { HttpEvent } from '../../../local/http-api/event.ts';
import type { InvokeResult } from '../../../local/types.ts';

const authorizer = { id: 'one', functionArn: 'arn', headers: ['x-key'], ttl: 300 };
const event = (headers: Record<string, string>) => ({ headers, body: 'text' }) as unknown as HttpEvent;
const result = (change: Partial<InvokeResult>): InvokeResult => ({ duration: 1, requestId: 'r', ...change });

/** An authorizer whose function lets `good` in, with what it was asked. */
function made(ttl = 300) {
  const asked: Record<string, unknown>[] = [];
  let time = 0;
  const decide = createAuthorizer(
    { ...authorizer, ttl },
    async (request) => {
      asked.push(request as Record<string, unknown>);
      const [key] = (request as { identitySource: string[] }).identitySource;
      return result({ payload: { isAuthorized: key === 'good' } });
    },
    () => time,
  );
  const pass = (ms: number) => {
    time += ms;
  };
  return { decide, asked, pass };
}

test('lets in and refuses as the function says, which sees the request without its body', async () => {
  const { decide, asked } = made();

  const answers = [
    await decide(event({ 'x-key': 'good' }), 'route'),
    await decide(event({ 'x-key': 'bad' }), 'route'),
  ];

  assert.deepEqual(answers, [undefined, 403]);
  assert.deepEqual(asked[0], {
    headers: { 'x-key': 'good' },
    type: 'REQUEST',
    routeArn: 'route',
    identitySource: ['good'],
  });
});

test('does not ask about a request that shows nothing', async () => {
  const { decide, asked } = made();

  const answers = [await decide(event({}), 'route'), await decide(event({ 'x-key': '' }), 'route')];

  assert.deepEqual(answers, [401, 401]);
  assert.equal(asked.length, 0);
});

test('remembers an answer for its time, on every route', async () => {
  const { decide, asked, pass } = made();

  await decide(event({ 'x-key': 'good' }), 'one');
  pass(299_000);
  await decide(event({ 'x-key': 'good' }), 'another');
  pass(2_000);
  await decide(event({ 'x-key': 'good' }), 'one');

  assert.equal(asked.length, 2);
});

test('remembers nothing without a time', async () => {
  const { decide, asked } = made(0);

  for (let n = 0; n < 2; n++) await decide(event({ 'x-key': 'good' }), 'route');

  assert.equal(asked.length, 2);
});

for (const [what, answer] of [
  ['fails', result({ error: { type: 'Error', message: 'no' } })],
  ['is late', 'timeout'],
  ['says nothing that is meant', result({ payload: { isAuthorized: 'yes' } })],
] as const) {
  test(`answers 500, and remembers nothing, when the function ${what}`, async () => {
    let asked = 0;
    const decide = createAuthorizer(
      authorizer,
      async () => {
        asked++;
        return answer;
      },
      () => 0,
    );

    const answers = [await decide(event({ 'x-key': 'a' }), 'r'), await decide(event({ 'x-key': 'a' }), 'r')];

    assert.deepEqual(answers, [500, 500]);
    assert.equal(asked, 2);
  });
}
