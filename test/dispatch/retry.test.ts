import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeviceRegistry } from '../../lib/accounts/device-registry.ts';
import { type DispatchContext, dispatchBatch } from '../../lib/dispatch/dispatch.ts';
import type { DispatchRecord } from '../../lib/dispatch/record.ts';
import { nextDelay } from '../../lib/dispatch/retry.ts';
import { Mailbox } from '../../lib/mailbox/mailbox.ts';
import type { Receipts } from '../../lib/receipts/receipts.ts';
import type { Queue } from '../../lib/storage/queue.ts';
import type { Table } from '../../lib/storage/table.ts';

const NOW = Date.UTC(2026, 10, 23);
const record = { acceptedAt: NOW, attempt: 0, expiresAt: NOW / 1000 + 21 * 24 * 3600, priority: 0 };
const latest = () => 0.999_999;

test('waits longer with every try, with full jitter, and never over ten minutes', () => {
  const longest = Array.from({ length: 12 }, (_, attempt) =>
    nextDelay({ ...record, attempt }, 0, NOW, latest),
  );
  const shortest = nextDelay({ ...record, attempt: 8 }, 0, NOW, () => 0);

  assert.deepEqual(longest.slice(0, 5), [2, 4, 8, 16, 32]);
  assert.equal(longest.at(-1), 600);
  assert.equal(shortest, 0);
});

test('waits at least as long as the carrier asked, as far as SQS can', () => {
  assert.equal(
    nextDelay(record, 60, NOW, () => 0),
    60,
  );
  assert.equal(
    nextDelay(record, 1200, NOW, () => 0),
    900,
  );
});

test('gives up when the message would have expired', () => {
  const expiring = { ...record, expiresAt: NOW / 1000 + 30 };

  assert.equal(nextDelay(expiring, 29, NOW), 29);
  assert.equal(nextDelay(expiring, 30, NOW), undefined);
});

test('tries longer the higher the priority', () => {
  const hours = (priority: number) =>
    Array.from({ length: 48 }, (_, hour) => hour).findLast(
      (hour) => nextDelay({ ...record, priority }, 0, NOW + hour * 3_600_000, () => 0) !== undefined,
    );

  assert.deepEqual([-1, 0, 1].map(hours), [0, 5, 23]);
});

/** Has a record dispatched while the tables cannot be reached. @param queues whether queues can be */
async function withoutTables(receives: number, more: Partial<DispatchRecord> = {}, queues = true) {
  const queue: DispatchRecord[] = [];
  const dead: DispatchRecord[] = [];
  const sendTo = (sent: DispatchRecord[]) => {
    const send = async (bodies: DispatchRecord[]) => {
      if (!queues) throw new Error('no connection');
      sent.push(...bodies);
    };
    return { send } as unknown as Queue;
  };
  const client = {
    send: async () => Promise.reject(new Error('no connection')),
  } as unknown as Table['client'];
  const table: Table = { client, name: 'unreachable' };
  const context: DispatchContext = {
    name: 'fcm',
    carrier: { send: () => assert.fail('pushed'), close: async () => undefined },
    mailbox: new Mailbox(table, () => NOW),
    devices: new DeviceRegistry(table, () => NOW),
    receipts: {} as Receipts,
    queue: sendTo(queue),
    deadLetters: sendTo(dead),
    clock: () => NOW,
    log: () => undefined,
    count: () => undefined,
  };
  const body = JSON.stringify({ v: 1, umid: 1, copy: 'c', ...record, ...more, to: [['u', 'd', 1]] });
  return { failed: await dispatchBatch([{ id: 'm', body, receives }], context), queue, dead };
}

test('what cannot be tried comes again as the same record, and before SQS gives it up as a new one', async () => {
  const early = await withoutTables(499);
  const late = await withoutTables(500);
  const silent = await withoutTables(500, {}, false);

  assert.deepEqual(early, { failed: ['m'], queue: [], dead: [] });
  assert.deepEqual(late.failed, []);
  assert.deepEqual(
    late.queue.map(({ attempt, to }) => [attempt, to]),
    [[1, [['u', 'd', 1]]]],
  );
  assert.notEqual(late.queue[0]!.copy, 'c');
  assert.deepEqual(silent.failed, ['m']);
});

test('what cannot be tried until its budget is used up is a dead letter', async () => {
  const { failed, queue, dead } = await withoutTables(500, { acceptedAt: NOW - 7 * 3_600_000 });

  assert.deepEqual([failed, queue, dead.length], [[], [], 1]);
});
