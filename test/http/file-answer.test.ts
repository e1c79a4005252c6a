import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileAnswer } from '../../lib/http/file-answer.ts';

const FILE = {
  content: Buffer.from('0123456789'),
  type: 'audio/mpeg',
  tag: 'one',
  cacheControl: 'public, max-age=60',
};

const ask = (headers: Record<string, string> = {}) => fileAnswer(FILE, headers);
const textOf = ({ body }: { body: string | Uint8Array }) => Buffer.from(body).toString();

test('answers the file with what caches need', () => {
  const answer = ask();

  assert.equal(answer.status, 200);
  assert.equal(textOf(answer), '0123456789');
  assert.equal(answer.headers['Content-Type'], 'audio/mpeg');
  assert.equal(answer.headers.ETag, '"one"');
  assert.equal(answer.headers['Cache-Control'], 'public, max-age=60');
  assert.equal(answer.headers['Accept-Ranges'], 'bytes');
  assert.equal(answer.headers['X-Content-Type-Options'], 'nosniff');
  assert.equal(answer.headers['Access-Control-Allow-Origin'], '*');
});

for (const [condition, status] of [
  ['"one"', 304],
  ['W/"one"', 304],
  ['"zero", "one"', 304],
  ['*', 304],
  ['"on"', 200],
  ['one', 200],
  ['', 200],
] as const) {
  test(`If-None-Match ${condition || 'nothing'}: ${status}`, () => {
    const answer = ask({ 'if-none-match': condition });

    assert.equal(answer.status, status);
    assert.equal(answer.headers.ETag, '"one"');
    assert.equal(answer.headers['Content-Type'], 'audio/mpeg');
    assert.equal(textOf(answer), status === 304 ? '' : '0123456789');
  });
}

for (const [range, status, content, contentRange] of [
  ['bytes=0-1', 206, '01', 'bytes 0-1/10'],
  ['bytes=0-0', 206, '0', 'bytes 0-0/10'],
  ['bytes=7-', 206, '789', 'bytes 7-9/10'],
  ['bytes=9-100', 206, '9', 'bytes 9-9/10'],
  ['bytes=-3', 206, '789', 'bytes 7-9/10'],
  ['bytes=-30', 206, '0123456789', 'bytes 0-9/10'],
  ['bytes=10-', 416, '', 'bytes */10'],
  ['bytes=-0', 416, '', 'bytes */10'],
  ['bytes=5-4', 200, '0123456789', undefined],
  ['bytes=0-1,4-5', 200, '0123456789', undefined],
  ['bytes=-', 200, '0123456789', undefined],
  ['lines=0-1', 200, '0123456789', undefined],
] as const) {
  test(`Range ${range}: ${status}`, () => {
    const answer = ask({ range });

    assert.equal(answer.status, status);
    assert.equal(textOf(answer), content);
    assert.equal(answer.headers['Content-Range'], contentRange);
  });
}

test('a range of a file that has changed since is the whole file', () => {
  const same = ask({ range: 'bytes=0-1', 'if-range': '"one"' });
  const other = ask({ range: 'bytes=0-1', 'if-range': '"zero"' });

  assert.equal(textOf(same), '01');
  assert.equal(textOf(other), '0123456789');
});
