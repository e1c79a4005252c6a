import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSyncLoop } from '../../lib/device/sync-loop.ts';
import { ManualTimers, settle } from './builders.ts';

/** A loop whose syncs end when the test says so. */
function loopWith(options: { least?: number | 'stop' } = {}) {
  const timers = new ManualTimers();
  const syncs: { resolve(): void; reject(error: Error): void }[] = [];
  const failures: unknown[] = [];
  const loop = createSyncLoop({
    timers,
    sync: () => new Promise<void>((resolve, reject) => syncs.push({ resolve, reject })),
    onFailure: (error) => {
      failures.push(error);
      return options.least ?? 0;
    },
  });
  const end = async (index: number, error?: Error) => {
    if (error) syncs[index]?.reject(error);
    else syncs[index]?.resolve();
    await settle();
  };
  return { loop, timers, syncs, failures, end };
}

test('many requests during a sync cause one more', async () => {
  const { loop, syncs, end } = loopWith();

  loop.request();
  loop.request();
  loop.request();
  assert.equal(syncs.length, 1);
  await end(0);
  assert.equal(syncs.length, 2);
  await end(1);

  assert.equal(syncs.length, 2);
});

test('a request in the very moment in which a sync ends is not lost', async () => {
  for (let steps = 0; steps < 10; steps++) {
    const { loop, syncs, end } = loopWith();
    loop.request();

    syncs[0]?.resolve();
    for (let i = 0; i < steps; i++) await Promise.resolve();
    loop.request();
    await end(1);

    assert.equal(syncs.length, 2, `${steps} steps after the end`);
  }
});

test('a failed sync is tried again, later and later', async () => {
  const { loop, timers, syncs, failures, end } = loopWith();

  loop.request();
  await end(0, new Error('first'));
  assert.deepEqual(timers.waits(), [1000]);
  timers.advance(1000);
  await end(1, new Error('second'));
  assert.deepEqual(timers.waits(), [2000]);
  timers.advance(2000);
  await end(2);

  assert.equal(syncs.length, 3);
  assert.equal(failures.length, 2);
  assert.deepEqual(timers.waits(), []);
});

test('after a success, the next failure counts as the first', async () => {
  const { loop, timers, end } = loopWith();
  loop.request();
  await end(0, new Error());
  timers.advance(1000);
  await end(1);

  loop.request();
  await end(2, new Error());

  assert.deepEqual(timers.waits(), [1000]);
});

test('news is a reason not to wait for the retry', async () => {
  const { loop, timers, syncs, end } = loopWith();
  loop.request();
  await end(0, new Error());

  loop.request();

  assert.equal(syncs.length, 2);
  assert.deepEqual(timers.waits(), []);
});

test('when the server asked for patience, news waits too', async () => {
  const { loop, timers, syncs, end } = loopWith({ least: 60_000 });
  loop.request();
  await end(0, new Error());

  loop.request();
  assert.equal(syncs.length, 1);
  timers.advance(60_000);

  assert.equal(syncs.length, 2);
});

test('does not try again what is useless', async () => {
  const { loop, timers, syncs, end } = loopWith({ least: 'stop' });
  loop.request();

  await end(0, new Error());
  loop.request();

  assert.equal(syncs.length, 1);
  assert.deepEqual(timers.waits(), []);
});

test('stopping waits for the sync under way and starts no more', async () => {
  const { loop, syncs, end } = loopWith();
  loop.request();
  loop.request();
  let stopped = false;

  const stopping = loop.stop().then(() => {
    stopped = true;
  });
  await settle();
  assert.equal(stopped, false);
  await end(0);
  await stopping;
  loop.request();

  assert.equal(syncs.length, 1);
});

test('stopping ends the wait for a retry, also one that comes after it', async () => {
  const { loop, timers, end } = loopWith();
  loop.request();
  const stopping = loop.stop();

  await end(0, new Error());
  await stopping;

  assert.deepEqual(timers.waits(), []);
});
