import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileAnswer } from '../../lib/http/file-answer.ts';

const FILE = {
  content: Buffer.from('0123456789'),
  type: 'audio/mpeg',
  tag: 'one',
  cacheControl: 'public, max-age=60',
};

const ask = (headers: Record<string, string> = {}) => fileAnswer(FILE, new Headers(headers));

test('answers the file with what caches need', async () => {
  const answer = ask();

  assert.equal(answer.status, 200);
  assert.equal(await answer.text(), '0123456789');
  assert.equal(answer.headers.get('content-type'), 'audio/mpeg');
  assert.equal(answer.headers.get('etag'), '"one"');
  assert.equal(answer.headers.get('cache-control'), 'public, max-age=60');
  assert.equal(answer.headers.get('accept-ranges'), 'bytes');
  assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
  assert.equal(answer.headers.get('access-control-allow-origin'), '*');
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
  test(`If-None-Match ${condition || 'nothing'}: ${status}`, async () => {
    const answer = ask({ 'If-None-Match': condition });

    assert.equal(answer.status, status);
    assert.equal(answer.headers.get('etag'), '"one"');
    assert.equal(answer.headers.get('content-type'), 'audio/mpeg');
    assert.equal(await answer.text(), status === 304 ? '' : '0123456789');
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
  ['bytes=5-4', 200, '0123456789', null],
  ['bytes=0-1,4-5', 200, '0123456789', null],
  ['bytes=-', 200, '0123456789', null],
  ['lines=0-1', 200, '0123456789', null],
] as const) {
  test(`Range ${range}: ${status}`, async () => {
    const answer = ask({ Range: range });

    assert.equal(answer.status, status);
    assert.equal(await answer.text(), content);
    assert.equal(answer.headers.get('content-range'), contentRange);
  });
}

test('a range of a file that has changed since is the whole file', async () => {
  const same = ask({ Range: 'bytes=0-1', 'If-Range': '"one"' });
  const other = ask({ Range: 'bytes=0-1', 'If-Range': '"zero"' });

  assert.equal(await same.text(), '01');
  assert.equal(await other.text(), '0123456789');
});
