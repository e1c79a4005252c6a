import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { matchesAction, matchesArn, matchesWildcard } from '../../../local/iam/match.ts';

/** The same by a regular expression: slow on hostile patterns, but plain. */
function reference(pattern: string, value: string): boolean {
  const source = [...pattern]
    .map((letter) => (letter === '*' ? '.*' : letter === '?' ? '.' : letter.replace(/[^a-z]/, '\\$&')))
    .join('');
  return new RegExp(`^${source}$`, 's').test(value);
}

const letters = (...all: string[]) => fc.string({ unit: fc.constantFrom(...all), maxLength: 12 });

describe('wildcards', () => {
  test('match as a regular expression would', () => {
    fc.assert(
      fc.property(letters('a', 'b', ':', '/', '*', '?'), letters('a', 'b', ':', '/'), (pattern, value) => {
        assert.equal(matchesWildcard(pattern, value), reference(pattern, value));
      }),
      { numRuns: 2000 },
    );
  });

  test('match every text by itself and by a star', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        assert.ok(matchesWildcard('*', value));
        assert.ok(matchesWildcard(`${value}*`, value));
        if (!/[*?]/.test(value)) assert.ok(matchesWildcard(value, value));
      }),
    );
  });

  test('stay fast on a pattern made to be slow', () => {
    const start = performance.now();

    const found = matchesWildcard(`${'*a'.repeat(40)}b`, 'a'.repeat(10_000));

    assert.equal(found, false);
    assert.ok(performance.now() - start < 1000);
  });
});

describe('actions', () => {
  test('do not heed upper and lower case', () => {
    assert.ok(matchesAction('DynamoDB:get*', 'dynamodb:GetItem'));
    assert.ok(!matchesAction('dynamodb:Get*', 'dynamodb:PutItem'));
  });
});

describe('ARNs', () => {
  const TABLE = 'arn:aws:dynamodb:us-east-1:000000000000:table/T';

  test('match part by part', () => {
    assert.ok(matchesArn('*', TABLE));
    assert.ok(matchesArn('arn:aws:dynamodb:*:*:table/*', TABLE));
    assert.ok(matchesArn('arn:aws:dynamodb:us-east-1:000000000000:table/?', TABLE));
  });

  test('do not let a star run over the colon into the next part', () => {
    assert.ok(!matchesArn('arn:aws:dynamodb:*:table/T', TABLE));
    assert.ok(!matchesArn('arn:aws:*T', TABLE));
  });

  test('tell a table from its index', () => {
    assert.ok(!matchesArn(TABLE, `${TABLE}/index/i`));
    assert.ok(matchesArn(`${TABLE}/index/*`, `${TABLE}/index/i`));
  });

  test('keep colons of the resource', () => {
    assert.ok(
      matchesArn('arn:aws:lambda:us-east-1:0:function:f:*', 'arn:aws:lambda:us-east-1:0:function:f:1'),
    );
  });
});
