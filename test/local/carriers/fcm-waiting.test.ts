import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FcmWaiting } from '../../../local/carriers/fcm-waiting.ts';

const HOUR = 3_600_000;

/** FCM as it keeps messages for a device `d` that is away, and a way to send to it. */
function away() {
  const clock = { now: HOUR };
  const waiting = new FcmWaiting(() => clock.now);
  waiting.leave('d');
  const send = (n: number, android: Record<string, string> = {}) => {
    const received = { carrier: 'fcm', target: 'd', headers: {}, time: clock.now } as const;
    waiting.keep({ ...received, payload: { data: { n }, android } });
  };
  const back = () => {
    const { messages, deleted } = waiting.return('d');
    return { got: messages.map(({ payload }) => (payload.data as { n: number }).n), deleted };
  };
  return { clock, send, back };
}

const range = (count: number) => Array.from({ length: count }, (_, n) => n);

test('keeps four collapse keys for a device that is away, the latest of each, and says nothing of the rest', () => {
  const { send, back } = away();

  for (const n of range(6)) send(n, { collapse_key: `key ${n === 5 ? 4 : n}` });

  assert.deepEqual(back(), { got: [1, 2, 3, 5], deleted: false });
});

test('keeps a hundred messages without a collapse key; one more deletes them all, and the device is told', () => {
  const [full, over] = [away(), away()];
  full.send(1_000, { collapse_key: 'sync' });
  over.send(1_000, { collapse_key: 'sync' });

  for (const n of range(100)) full.send(n);
  for (const n of range(101)) over.send(n);

  assert.deepEqual(full.back(), { got: [1_000, ...range(100)], deleted: false });
  assert.deepEqual(over.back(), { got: [1_000], deleted: true });
});

test('drops what has outlived its ttl', () => {
  const { clock, send, back } = away();
  send(1, { ttl: '60s' });
  send(2, { ttl: '7200s' });
  send(3);

  clock.now += HOUR;

  assert.deepEqual(back().got, [2, 3]);
});
