import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SQSEvent } from 'aws-lambda';
import fc from 'fast-check';
import { failedIds, toRecord } from '../../../local/event-source/event.ts';
import { matchesPattern, readPattern } from '../../../local/event-source/filter.ts';
import type { Json } from '../../../local/template/json.ts';

const EVENT = { Records: [{ messageId: 'a' }, { messageId: 'b' }] } as SQSEvent;
const ALL = ['a', 'b'];

describe('a partial batch response', () => {
  const cases: [unknown, string[]][] = [
    [undefined, []],
    [null, []],
    [{}, []],
    [{ batchItemFailures: null }, []],
    [{ batchItemFailures: [] }, []],
    [{ batchItemFailures: [{ itemIdentifier: 'b' }] }, ['b']],
    [{ batchItemFailures: [{ itemIdentifier: 'b' }, { itemIdentifier: 'nobody' }] }, ALL],
    [{ batchItemFailures: [{ itemIdentifier: '' }] }, ALL],
    [{ batchItemFailures: [{ itemIdentifier: null }] }, ALL],
    [{ batchItemFailures: [{ identifier: 'a' }] }, ALL],
    [{ batchItemFailures: 'a' }, ALL],
    ['text', ALL],
  ];
  for (const [payload, failed] of cases) {
    test(`${JSON.stringify(payload)} fails ${failed.length} of 2`, () => {
      assert.deepEqual([...failedIds(payload, EVENT)], failed);
    });
  }

  test('never names a record that is not in the batch', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (payload) => {
        for (const id of failedIds(payload, EVENT)) assert.ok(ALL.includes(id));
      }),
    );
  });
});

describe('a record', () => {
  test('has message attributes in Lambda’s letter case', () => {
    const message = {
      MessageId: 'm',
      ReceiptHandle: 'r',
      Body: 'b',
      MD5OfBody: 'x',
      MD5OfMessageAttributes: 'y',
      MessageAttributes: {
        text: { DataType: 'String', StringValue: 'v' },
        bytes: { DataType: 'Binary', BinaryValue: 'AQ==' },
      },
    };

    const { messageAttributes, md5OfMessageAttributes } = toRecord(message, 'arn');

    assert.equal(md5OfMessageAttributes, 'y');
    const lists = { stringListValues: [], binaryListValues: [] };
    assert.deepEqual(messageAttributes, {
      text: { ...lists, dataType: 'String', stringValue: 'v' },
      bytes: { ...lists, dataType: 'Binary', binaryValue: 'AQ==' },
    });
  });
});

describe('a filter pattern', () => {
  const cases: [Json, Json, boolean][] = [
    [{ a: ['x'] }, { a: 'x' }, true],
    [{ a: ['x'] }, { a: 'y' }, false],
    [{ a: ['x', 'y'], b: [1] }, { a: 'y', b: 1 }, true],
    [{ a: [null] }, { a: null }, true],
    [{ a: ['x'] }, { a: ['w', 'x'] }, true],
    [{ a: { b: [true] } }, { a: { b: true } }, true],
    [{ a: { b: [true] } }, { a: 1 }, false],
    [{ a: [{ exists: false }] }, {}, true],
    [{ a: [{ exists: true }] }, {}, false],
    [{ a: [{ prefix: 'ab' }] }, { a: 'abc' }, true],
    [{ a: [{ suffix: 'bc' }] }, { a: 'abc' }, true],
    [{ a: [{ 'anything-but': ['x'] }] }, { a: 'y' }, true],
    [{ a: [{ 'anything-but': 'x' }] }, { a: 'x' }, false],
    [{ a: [{ 'equals-ignore-case': 'X' }] }, { a: 'x' }, true],
    [{ a: [{ numeric: ['>', 1, '<=', 3] }] }, { a: 3 }, true],
    [{ a: [{ numeric: ['>', 1, '<=', 3] }] }, { a: 1 }, false],
    [{ $or: [{ a: ['x'] }, { b: ['y'] }] }, { b: 'y' }, true],
  ];
  for (const [pattern, value, expected] of cases) {
    test(`${JSON.stringify(pattern)} ${expected ? 'matches' : 'does not match'} ${JSON.stringify(value)}`, () => {
      assert.equal(matchesPattern(readPattern(pattern, { stack: 'S', logicalId: 'M' }), value), expected);
    });
  }
});
