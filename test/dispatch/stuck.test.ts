/** Records that cannot be tried, since a table is out of reach: they stay alive for as long as their message is tried. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SQSEvent } from 'aws-lambda';
import { batchHandler } from '../../functions/work.ts';
import { type DispatchContext, dispatchBatch } from '../../lib/dispatch/dispatch.ts';
import type { DispatchRecord } from '../../lib/dispatch/record.ts';
import type { Queue } from '../../lib/storage/queue.ts';

const NOW = Date.UTC(2026, 10, 30);
const HOUR = 3_600_000;

/** Delivers a record whose mailbox cannot be read, accepted so long ago, for the so-manieth time. */
async function deliver(receives: number, { age = 0, queueFails = false } = {}) {
  const record: DispatchRecord = {
    v: 1,
    umid: 7,
    acceptedAt: NOW - age,
    expiresAt: NOW / 1000 + 86_400,
    priority: 0,
    attempt: 0,
    copy: 'c',
    to: [['u', 'd', 7]],
  };
  const sent: Record<'deadLetters' | 'queue', DispatchRecord[]> = { queue: [], deadLetters: [] };
  const counts: string[] = [];
  const unreachable = () => Promise.reject(new Error('unreachable'));
  const into = (list: DispatchRecord[]) => ({
    send: async (records: DispatchRecord[]) => {
      if (queueFails) throw new Error('unreachable');
      list.push(...records);
    },
  });
  const again = await dispatchBatch([{ id: 'm', body: JSON.stringify(record), receives }], {
    name: 'fcm',
    mailbox: { undelivered: unreachable },
    devices: { listMany: unreachable },
    queue: into(sent.queue),
    deadLetters: into(sent.deadLetters),
    clock: () => NOW,
    log: () => undefined,
    count: (name: string) => counts.push(name),
  } as unknown as DispatchContext);
  return { again: again.length > 0, ...sent, counts };
}

test('a record that cannot be tried is left to the queue, and after five deliveries somebody is told', async () => {
  const [fourth, fifth] = [await deliver(4), await deliver(5)];

  assert.deepEqual(fourth, { again: true, queue: [], deadLetters: [], counts: [] });
  assert.deepEqual(fifth, { again: true, queue: [], deadLetters: [], counts: ['ConfigurationFault'] });
});

test('before SQS would give it up it is put back as a new record, and given up when its budget is over', async () => {
  const [young, old] = [await deliver(500), await deliver(500, { age: 7 * HOUR })];

  assert.equal(young.again, false);
  assert.deepEqual(
    young.queue.map(({ attempt, to }) => ({ attempt, to })),
    [{ attempt: 1, to: [['u', 'd', 7]] }],
  );
  assert.notEqual(young.queue[0]!.copy, 'c');
  assert.deepEqual(young.deadLetters, []);
  assert.equal(old.again, false);
  assert.equal(old.deadLetters.length, 1);
});

test('while the queue is out of reach as well, the record stays where it is', async () => {
  assert.equal((await deliver(500, { queueFails: true })).again, true);
});

test('the other workers leave to the queue what cannot be tried, and after five deliveries say that it is stuck', async () => {
  const counts: string[] = [];
  const handler = batchHandler({
    parse: (body) => body,
    work: () => Promise.reject(new Error('unreachable')),
    deadLetters: {} as Queue,
    log: () => undefined,
    count: (name) => counts.push(name),
  });
  const handle = async (receives: number) => {
    const attributes = { ApproximateReceiveCount: String(receives) };
    const Records = [{ messageId: 'm', body: 'a record', receiptHandle: 'r', attributes }];
    const { batchItemFailures } = await handler({ Records } as unknown as SQSEvent);
    return batchItemFailures.length;
  };

  const failed = [await handle(4), await handle(5), await handle(999)];

  assert.deepEqual(failed, [1, 1, 1]);
  assert.deepEqual(counts, ['Stuck', 'Stuck']);
});
