/**
 * Records that put what is left back as a new record: whatever dies where, and however often and in whatever order a
 * queue delivers, one record of each line goes on, and none is lost.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DeviceRegistry } from '../../lib/accounts/device-registry.ts';
import type { Device } from '../../lib/accounts/devices.ts';
import { randomDeviceId, randomKey } from '../../lib/accounts/keys.ts';
import type { CarrierName, Outcome } from '../../lib/carriers/carrier.ts';
import { dispatchBatch } from '../../lib/dispatch/dispatch.ts';
import type { DispatchRecord } from '../../lib/dispatch/record.ts';
import { renewDispatch } from '../../lib/dispatch/redrive.ts';
import type { CarrierQueues } from '../../lib/dispatch/router.ts';
import { parseFanOutRecord, renewFanOut, runChunk, startFanOut } from '../../lib/fanout/fan-out.ts';
import { Jobs } from '../../lib/fanout/job.ts';
import type { History } from '../../lib/history/history.ts';
import { Mailbox } from '../../lib/mailbox/mailbox.ts';
import { Copies } from '../../lib/messages/copies.ts';
import { Receipts } from '../../lib/receipts/receipts.ts';
import { parseRepeatRecord, runRepeat, startRepeats } from '../../lib/receipts/repeat.ts';
import { type Fate, Line, type Process } from '../support/mortal.ts';
import { useDirectory, useMailbox } from '../support/table.ts';

const mailbox = useMailbox();
const directory = useDirectory();

const NOW = Date.UTC(2026, 10, 30);
const EXPIRES = NOW / 1000 + 86_400;
const RUNS = { numRuns: 8, seed: 44 };
const clock = () => NOW;
const quiet = () => undefined;

const fates = fc.array(
  fc.record<Fate>({
    pick: fc.nat(20),
    dies: fc.option(fc.nat(9), { nil: undefined, freq: 2 }),
    after: fc.boolean(),
    again: fc.boolean(),
    beside: fc.boolean(),
  }),
  { minLength: 6, maxLength: 12 },
);

/** Phones of one user: FCM reaches them. */
function household(count: number) {
  const user = randomKey('u');
  const devices = Array.from(
    { length: count },
    (_, n): Device => ({
      id: randomDeviceId(),
      name: `phone ${n}`,
      platform: 'android',
      enabled: true,
      createdAt: 0,
      push: { type: 'fcm', token: `token of phone ${n}` },
    }),
  );
  const registry = { listMany: async () => new Map([[user, { user, devices }]]) };
  return { user, devices, registry: registry as unknown as DeviceRegistry };
}

/** Stores a message for each device. */
async function store(user: string, devices: Device[]): Promise<DispatchRecord['to']> {
  const box = new Mailbox(mailbox(), clock);
  const body = new Uint8Array([1]);
  const common = {
    user,
    umid: 7,
    priority: 1,
    expiresAt: EXPIRES,
    request: 'r',
    kind: 'plain' as const,
    body,
  };
  for (const { id } of devices) await box.put({ ...common, device: id, id: 7 });
  return devices.map(({ id }) => [user, id, 7]);
}

/** A record of a carrier's queue and what dispatch does with it. */
async function dispatching(again?: DispatchRecord['again']) {
  const { user, devices, registry } = household(3);
  const to = await store(user, devices);
  const accepted = new Map<string, number>();
  const dead: string[] = [];
  /** Devices that the carrier takes a push for. */
  const willing = new Set<string>();
  const line = new Line(async (body, process) => {
    const send = async ({ device }: { device: string }): Promise<Outcome> => {
      if (!willing.has(device)) return { kind: 'failed', reason: 'away' };
      accepted.set(device, (accepted.get(device) ?? 0) + 1);
      return { kind: 'accepted' };
    };
    const name: CarrierName = 'fcm';
    const failed = await dispatchBatch([{ id: 'm', body, receives: 1 }], {
      name,
      carrier: { send: (push) => process.do(() => send(push)), close: async () => undefined },
      mailbox: new Mailbox(process.table(mailbox()), clock),
      devices: registry,
      receipts: { delivered: async () => undefined } as unknown as Receipts,
      queue: process.queue(line.live),
      deadLetters: process.queue(dead),
      clock,
      log: quiet,
      count: quiet,
    });
    return failed.length === 0;
  });
  const record = {
    v: 1,
    umid: 7,
    acceptedAt: NOW,
    expiresAt: EXPIRES,
    priority: 1,
    attempt: 0,
    copy: 'a',
    to,
  };
  line.live.push(JSON.stringify({ ...record, ...(again && { again }) }));
  const holding = (device: string) => line.live.filter((body) => body.includes(device)).length;
  return { line, devices, accepted, willing, dead, holding };
}

for (const [what, again] of [
  ['a message', undefined],
  ['a repetition', { n: 3, until: EXPIRES }],
] as const) {
  test(`of the records that push ${what} to a device, one goes on`, async () => {
    await fc.assert(
      fc.asyncProperty(fates, fc.nat(2), async (all, lucky) => {
        const { line, devices, accepted, willing, holding } = await dispatching(again);
        willing.add(devices[lucky]!.id);

        await line.deliverAll(all, () => {
          for (const { id } of devices) assert.ok(accepted.has(id) || holding(id) > 0, 'is lost');
        });
        assert.ok(line.live.length <= 1 + line.troubles, 'more records than there were troubles');
        await line.calm();
        await line.calm();
        const waiting = devices.filter(({ id }) => !accepted.has(id));
        const held = devices.map(({ id }) => holding(id));

        assert.deepEqual(
          held,
          devices.map((device) => (waiting.includes(device) ? 1 : 0)),
        );
        for (const { id } of devices) willing.add(id);
        await line.calm();
        assert.equal(line.live.length, 0);
        assert.equal(accepted.size, devices.length);
      }),
      RUNS,
    );
  });
}

test('a dead letter that is redriven takes the place of whatever was left of its message', async () => {
  const { line, devices, accepted, willing, holding } = await dispatching();
  const [first] = line.live;
  for (let round = 0; round < 3; round++) await line.calm();
  line.live.push(JSON.stringify(renewDispatch(first!, NOW + 3_600_000)));

  await line.deliver({ pick: 1, after: false, again: false });
  await line.calm();
  const held = devices.map(({ id }) => holding(id));
  for (const { id } of devices) willing.add(id);
  await line.calm();

  assert.deepEqual(held, [1, 1, 1]);
  assert.deepEqual([...accepted.values()], [1, 1, 1]);
});

test('of the records of a chain of repetitions, one goes on', async () => {
  const when = NOW + 60_000;
  await fc.assert(
    fc.asyncProperty(fates, async (all) => {
      const { user, devices, registry } = household(1);
      const stored = [{ ...(await copyOf(user, devices[0]!)), request: 'r' }];
      const receipt = randomKey('r');
      const app = { id: 1, owner: user };
      const asking = { receipt, app, expiresAt: EXPIRES, tags: [], ttl: EXPIRES };
      await new Receipts(directory(), clock).put(asking, [{ user }]);
      const pushes: string[] = [];
      const line = new Line(async (body, process) => {
        await runRepeat(parseRepeatRecord(body), {
          receipts: new Receipts(process.table(directory()), () => when),
          devices: registry,
          queues: { fcm: process.queue(pushes) } as CarrierQueues,
          queue: process.queue(line.live),
          callbacks: process.queue([]),
          clock: () => when,
          log: quiet,
        });
        return true;
      });
      const start = () => startRepeats(sendsTo(line), envelope(receipt), NOW, stored, clock);
      await start();

      await line.deliverAll(all, () => assert.ok(line.live.length > 0, 'is lost'));
      assert.ok(line.live.length <= 1 + line.troubles, 'more records than there were troubles');
      // A repeat of the request begins it once more.
      await start();
      await line.calm();
      await line.calm();

      assert.equal(line.live.length, 1);
    }),
    RUNS,
  );
});

test('of the records of a chunk of recipients, one goes on with those whose copies cannot be stored', async () => {
  await fc.assert(
    fc.asyncProperty(fates, async (all) => {
      const homes = Array.from({ length: 3 }, () => household(1));
      const lists = new Map(homes.flatMap(({ user, devices }) => [[user, { user, devices }] as const]));
      const [unlucky] = homes[1]!.devices;
      let mended = false;
      const dispatched: string[] = [];
      const context = (process: Process) => {
        const table = process.table(mailbox());
        const copies = new Copies(new Mailbox(table, clock));
        const store: Copies['store'] = (copy, ...rest) =>
          copy.device === unlucky!.id && !mended
            ? Promise.reject(new Error('throttled'))
            : Copies.prototype.store.call(copies, copy, ...rest);
        return {
          jobs: new Jobs(table),
          devices: { listMany: async () => lists } as unknown as DeviceRegistry,
          copies: Object.assign(Object.create(copies), { make: copies.make.bind(copies), store }) as Copies,
          queues: { fcm: process.queue(dispatched) } as CarrierQueues,
          repeats: process.queue([]),
          queue: process.queue(line.live),
          deadLetters: process.queue([]),
          history: { addChunk: async () => undefined } as unknown as History,
          clock,
          log: quiet,
          count: quiet,
        };
      };
      const line: Line = new Line(async (body, process) => {
        const record = parseFanOutRecord(body);
        const only = new Map(record.users.map((user) => [user, lists.get(user)!]));
        const devices = { listMany: async () => only } as unknown as DeviceRegistry;
        await runChunk(record, { ...context(process), devices });
        return true;
      });
      const users = homes.map(({ user }) => ({ user }));
      const origin = { request: randomUUID(), expiresAt: EXPIRES, acceptedAt: NOW };
      const jobs = new Jobs(mailbox());
      await startFanOut(envelope(), users, origin, { jobs, queue: sendsTo(line) });

      await line.deliverAll(all, () => assert.ok(line.live.length > 0, 'is lost'));
      assert.ok(line.live.length <= 1 + line.troubles, 'more records than there were troubles');
      await line.calm();
      await line.calm();
      assert.equal(line.live.length, 1);
      // A redrive of a dead letter takes its place.
      line.live.push(JSON.stringify(renewFanOut(line.live[0]!, NOW + 1_000)));
      await line.deliver({ pick: 1, after: false, again: false });
      await line.calm();
      assert.equal(line.live.length, 1);
      mended = true;
      await line.calm();
      const box = new Mailbox(mailbox(), clock);
      const found = await Promise.all(
        homes.map(({ devices }) => box.find({ device: devices[0]!.id, id: 7 })),
      );

      assert.equal(line.live.length, 0);
      assert.ok(found.every((message) => message !== undefined));
      for (const { devices } of homes) assert.ok(dispatched.some((body) => body.includes(devices[0]!.id)));
    }),
    RUNS,
  );
});

const sendsTo = ({ live }: Line) =>
  ({
    send: async (bodies: unknown[]) => {
      live.push(...bodies.map((body) => JSON.stringify(body)));
    },
  }) as unknown as Parameters<typeof startRepeats>[0];

function envelope(receipt?: string) {
  const about = {
    v: 1 as const,
    id: 7,
    umid: 7,
    app: 'Test',
    aid: 1,
    icon: 'default',
    date: 0,
    message: 'fire',
  };
  const emergency = { priority: 2, receipt, retry: 60, ack_until: EXPIRES };
  return receipt === undefined ? { ...about, priority: 0 } : { ...about, ...emergency, receipt };
}

const copyOf = async (user: string, { id: device }: Device) => ({
  user,
  device,
  id: 7,
  umid: 7,
  priority: 2,
  expiresAt: EXPIRES,
  kind: 'plain' as const,
  body: new Uint8Array([1]),
});
