import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createAsyncInvoker } from '../../../local/event-source/async-invoke.ts';
import type { FunctionSpec } from '../../../local/types.ts';
import { inProcess, keepLog } from '../assemblies.ts';

const SPEC = { name: 'F' } as FunctionSpec;

describe('an asynchronous invocation', () => {
  const attempts = async (fails: number, retries?: number) => {
    const { log, lines } = keepLog();
    const done = Promise.withResolvers<void>();
    let count = 0;
    const invoker = createAsyncInvoker(
      new Map(retries === undefined ? [] : [['F', retries]]),
      (level, message) => {
        log(level, message);
        done.resolve();
      },
      [0, 0],
    );
    const target = inProcess(SPEC, () => {
      count++;
      if (count <= fails) throw new Error('no');
      done.resolve();
    });
    invoker.invoke(target, {});
    await done.promise;
    invoker.close();
    return { count, lines };
  };

  test('is tried again after an error', async () => {
    const { count, lines } = await attempts(1);

    assert.equal(count, 2);
    assert.deepEqual(lines, []);
  });

  test('is given up with a line in the log after three tries', async () => {
    const { count, lines } = await attempts(9);

    assert.equal(count, 3);
    assert.match(lines[0]?.message ?? '', /F: asynchronous invocation given up after 3 tries: no/);
  });

  test('is tried as often as the template says', async () => {
    assert.equal((await attempts(9, 0)).count, 1);
  });
});
