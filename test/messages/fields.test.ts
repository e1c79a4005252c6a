import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { Params } from '../../lib/http/params.ts';
import { messageFields } from '../../lib/messages/fields.ts';
import { Refusal } from '../../lib/refusal.ts';

function params(fields: Record<string, string>): Params {
  const all = new Params();
  for (const [name, text] of Object.entries({ message: 'hello', ...fields })) all.set(name, { text });
  return all;
}

const refused = (fields: Record<string, string>) => {
  try {
    messageFields(params(fields));
  } catch (error) {
    assert.ok(error instanceof Refusal);
    return error.faults.map(({ field }) => field);
  }
  return [];
};

test('takes each text field at its limit and refuses it one character above', () => {
  for (const [name, limit] of Object.entries({ message: 1024, title: 250, url: 512, url_title: 100 })) {
    assert.deepEqual(refused({ [name]: 'é'.repeat(limit) }), []);
    assert.deepEqual(refused({ [name]: 'é'.repeat(limit + 1) }), [name]);
  }
});

test('takes the five priorities and nothing else', () => {
  for (const priority of ['-2', '-1', '0', '1'])
    assert.equal(messageFields(params({ priority })).priority, Number(priority));
  for (const priority of ['3', '-3', '1.0', '+1', 'high', '1 ', '01']) {
    assert.deepEqual(refused({ priority }), ['priority']);
  }
});

test('takes times in whole and broken seconds, within reason', () => {
  assert.equal(messageFields(params({ timestamp: '1700000000.75' })).timestamp, 1_700_000_000);
  assert.equal(messageFields(params({ ttl: '60' })).ttl, 60);
  for (const ttl of ['0', '0.5', '-1', 'soon', '1e3', '31536001'])
    assert.deepEqual(refused({ ttl }), ['ttl']);
  for (const timestamp of ['-1', 'now', '99999999999999'])
    assert.deepEqual(refused({ timestamp }), ['timestamp']);
});

test('names every fault at once', () => {
  const faults = refused({ message: '', title: 'x'.repeat(251), priority: '9', ttl: 'x' });

  assert.deepEqual(faults.sort(), ['message', 'priority', 'title', 'ttl']);
});

test('whatever the fields are, they are taken within their limits or refused by name', () => {
  const fields = fc.dictionary(
    fc.constantFrom(
      'message',
      'title',
      'url',
      'url_title',
      'device',
      'priority',
      'sound',
      'timestamp',
      'ttl',
      'html',
      'retry',
      'expire',
      'callback',
      'tags',
    ),
    fc.oneof(fc.string({ maxLength: 1200 }), fc.integer().map(String), fc.constant('1')),
  );

  fc.assert(
    fc.property(fields, (given) => {
      try {
        const { message, priority } = messageFields(params(given));
        assert.ok([...message].length <= 1024 && priority >= -2 && priority <= 2);
      } catch (error) {
        assert.ok(error instanceof Refusal && error.faults.length > 0, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

test('takes the ciphertext of any field at its limit, even if its sender’s gzip only wraps it', () => {
  for (const [name, limit] of Object.entries({ message: 1024, title: 250, url: 512, url_title: 100 })) {
    const zipped = gzipSync('😀'.repeat(limit), { level: 0 }).length;
    const ciphertext = 'x'.repeat(4 * Math.ceil((16 + 16 * (Math.floor(zipped / 16) + 1) + 32) / 3));

    assert.deepEqual(refused({ [name]: ciphertext, encrypted: '1' }), []);
    assert.deepEqual(refused({ [name]: ciphertext }), [name]);
    // What is allowed for a header with a file name is not much more.
    assert.deepEqual(refused({ [name]: `${ciphertext}${'x'.repeat(100)}`, encrypted: '1' }), [name]);
  }
});
