import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isEdgeKey } from '../../lib/net/edge.ts';

test('the key and the one before it are good', () => {
  assert.equal(isEdgeKey('new', ['new', 'old']), true);
  assert.equal(isEdgeKey('old', ['new', 'old']), true);
});

test('nothing else is: no text, none at all, none that begins like it', () => {
  for (const given of [undefined, '', 'ne', 'newer', 'NEW'])
    assert.equal(isEdgeKey(given, ['new', 'old']), false);
  assert.equal(isEdgeKey('new', []), false);
  assert.equal(isEdgeKey('', ['']), false);
});
