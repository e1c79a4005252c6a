import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sendingLimits } from '../../cdk/sending-limits.ts';

const read = (context: Record<string, unknown>) => sendingLimits((name) => context[name]);

test('what is not given keeps its default: no quota, 1,200 messages a minute', () => {
  assert.deepEqual(read({}), { quota: 0, burst: 1200 });
  assert.deepEqual(read({ quota: '10000' }), { quota: 10_000, burst: 1200 });
  assert.deepEqual(read({ quota: 1, burst: 0 }), { quota: 1, burst: 0 });
  assert.equal(read({ burst: '2147483647' }).burst, 2 ** 31 - 1);
});

for (const wrong of ['', 'many', '-1', '1.5', '1e3', '2147483648', 2 ** 31, -1, 0.5, true, {}]) {
  test(`refuses ${JSON.stringify(wrong)}`, () => {
    assert.throws(() => read({ quota: wrong }), /context value quota must be a whole number from 0/);
    assert.throws(() => read({ burst: wrong }), /context value burst must be a whole number from 0/);
  });
}
