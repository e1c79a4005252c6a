import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createKeyPair } from '../../lib/device/keys.ts';
import { readMessage } from '../../lib/device/message.ts';
import { newMessage, plainItem, sealedItem, sealText } from './builders.ts';

const keys = createKeyPair();

test('reads a sealed message', () => {
  assert.deepEqual(readMessage(sealedItem(7, keys), { keys }), newMessage(7));
});

test('reads a plain message with the classic fields', () => {
  const item = plainItem(7, {
    title: 'T',
    sound: 'po',
    html: 1,
    url: 'https://example.org',
    queued_date: 990,
    dispatched_date: 991,
    expiration_date: 2000,
    receipt: 'r',
    added_later: 1,
  });

  assert.deepEqual(
    readMessage(item, {}),
    newMessage(7, {
      title: 'T',
      sound: 'po',
      html: 1,
      url: 'https://example.org',
      received: 990,
      expires: 2000,
      receipt: 'r',
    }),
  );
});

test('takes empty, null and 0 in a plain message for absent', () => {
  const item = plainItem(7, {
    title: '',
    url: null,
    html: 0,
    monospace: 0,
    sound: '',
    expiration_date: 0,
    receipt: null,
  });

  assert.deepEqual(readMessage(item, {}), newMessage(7));
});

test('a plain message has a time of receipt only if it is not the time to show', () => {
  assert.deepEqual(readMessage(plainItem(7, { queued_date: 1000 }), {}), newMessage(7));
});

test('takes the id from its text where the number is missing', () => {
  const { id: _, ...item } = sealedItem(9_007_199_254_740_991, keys);

  assert.deepEqual(readMessage(item, { keys }), newMessage(9_007_199_254_740_991));
});

test('keeps what it cannot read as it came, and says why', () => {
  const other = createKeyPair();
  const cases: [reason: string, item: { sealed: string }, with_: { keys?: typeof keys }][] = [
    ['version', { sealed: sealText('{"v":2}', keys) }, { keys }],
    ['seal', sealedItem(7, other), { keys }],
    ['seal', { sealed: 'no base64' }, { keys }],
    ['json', { sealed: sealText('no json', keys) }, { keys }],
    ['shape', { sealed: sealText('{"v":1}', keys) }, { keys }],
    ['id', sealedItem(8, keys), { keys }],
    ['key', sealedItem(7, keys), {}],
  ];

  for (const [reason, item, reading] of cases) {
    const read = readMessage({ ...item, id: 7 }, reading);

    assert.deepEqual(read, { kind: 'unreadable', id: 7, reason, kept: { sealed: item.sealed } });
  }
});

test('keeps a plain message that it cannot read', () => {
  const item = plainItem(7, { message: 5 });

  assert.deepEqual(readMessage(item, {}), {
    kind: 'unreadable',
    id: 7,
    reason: 'shape',
    kept: { plain: item },
  });
});

test('never throws, and is undefined only without a usable id', () => {
  const item = fc.oneof(
    fc.jsonValue(),
    fc.record({ id: fc.jsonValue(), sealed: fc.oneof(fc.base64String(), fc.jsonValue()) }),
  );

  fc.assert(
    fc.property(item, fc.boolean(), (value, withKeys) => {
      const read = readMessage(value, withKeys ? { keys } : {});

      assert.ok(read === undefined || (Number.isSafeInteger(read.id) && read.id > 0));
    }),
    { numRuns: 60 },
  );
});
