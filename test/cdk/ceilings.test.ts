import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ceilings } from '../../cdk/ceilings.ts';

test('what is not given keeps its default', () => {
  assert.equal(ceilings(undefined).apns, 10);
  assert.deepEqual(ceilings('{"apns": 2}'), { ...ceilings(undefined), apns: 2 });
  assert.equal(ceilings({ fanOut: 1000 }).fanOut, 1000);
});

for (const [given, message] of [
  ['{', /ceilings must be JSON/],
  ['[]', /ceilings must be an object/],
  ['{"sms": 3}', /has no sms, only fcm, apns, webpush, desktop, fanOut/],
  ['{"fcm": 1}', /whole numbers from 2 to 1000; fcm is 1/],
  ['{"fcm": 1001}', /fcm is 1001/],
  ['{"fcm": "ten"}', /fcm is "ten"/],
] as const) {
  test(`refuses ${given}`, () => {
    assert.throws(() => ceilings(given), message);
  });
}
