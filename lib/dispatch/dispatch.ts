import type { DeviceRegistry } from '../accounts/device-registry.ts';
import type { Device } from '../accounts/devices.ts';
import type { Carrier, CarrierName, Outcome, Push } from '../carriers/carrier.ts';
import type { Log } from '../log.ts';
import type { MessageRef } from '../mailbox/item.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { Count } from '../metrics.ts';
import type { Receipts } from '../receipts/receipts.ts';
import type { Queue } from '../storage/queue.ts';
import { settleAll } from '../storage/settle.ts';
import { giveUpUnreadable, STUCK_AFTER } from '../storage/stuck.ts';
import { newCopy } from '../storage/succession.ts';
import type { Clock } from '../storage/table.ts';
import { type Address, carriersOf, type DispatchRecord, parseRecord, placeOf } from './record.ts';
import { withoutTarget } from './redact.ts';
import { nextDelay } from './retry.ts';

/** What dispatch over one carrier needs. */
export interface DispatchContext {
  name: CarrierName;
  carrier: Carrier;
  mailbox: Mailbox;
  devices: DeviceRegistry;
  receipts: Receipts;
  /** The carrier's own queue: what failed for now goes back to it. */
  queue: Queue;
  /** The queue of the slow lane, for what met silence; undefined in the slow lane itself. */
  slow?: Queue | undefined;
  /** Where a record goes that has used up its tries, with the reason. */
  deadLetters: Queue;
  clock: Clock;
  /** One line a hand-off that needs somebody's attention, and one a record. */
  log: Log;
  count: Count;
}

/** A record as the queue delivered it. */
export interface Delivery {
  id: string;
  body: string;
  /** How often it was delivered, this time included. */
  receives: number;
}

/**
 * Deliveries after which a record that cannot even be tried is put back as a new one. SQS gives a record up after 1,000
 * (`cdk/work-queue.ts`), which at one a minute are reached before the longest budget is over.
 */
const RENEW_AFTER = 500;

/** A device's share of a record that failed for now. */
interface Failure {
  address: Address;
  reason: string;
  retryAfter: number;
  /** Whether it is a case for the slow lane. */
  silent: boolean;
}

/**
 * Hands the records of a batch to a carrier, all side by side.
 *
 * Each record is settled by itself: what the carrier accepted is marked, a dead target is retired, and what failed
 * for now goes back to the queue as a record of only those devices, by one record for each device
 * (`lib/storage/succession.ts`). A record is reported as failed only if the tables could not be reached or its remainder
 * could not be queued; SQS then delivers that one again within a minute, and the marks keep what was accepted from being
 * pushed twice. A process that dies between acceptance and mark pushes again; the device knows the message's id.
 *
 * @returns ids of the deliveries to repeat, for `batchItemFailures`
 */
export async function dispatchBatch(deliveries: Delivery[], context: DispatchContext): Promise<string[]> {
  const failed = await Promise.all(
    deliveries.map(async ({ id, body, receives }) => {
      let record: DispatchRecord | undefined;
      try {
        record = parseRecord(body);
        await dispatchRecord(record, context);
        return [];
      } catch (error) {
        const about = { record: id, ...(record && aboutOf(record)) };
        context.log('error', 'record failed, the queue repeats it', { ...about, error: String(error) });
        if (receives >= STUCK_AFTER) context.count('ConfigurationFault', 1);
        if (!record) return (await giveUpUnreadable({ id, body, receives }, context)) ? [] : [id];
        return receives >= RENEW_AFTER && (await renewed(record, context)) ? [] : [id];
      }
    }),
  );
  return failed.flat();
}

/**
 * Puts a record that could not be tried back as a new one, which SQS counts from the start, or gives it up if its budget
 * is used up. Without taking it on, for which the tables would be needed: so a crash in this very moment leaves two
 * records of different turns, of which the earlier gives way once the tables are back.
 *
 * @returns false if the queue cannot be reached either
 */
async function renewed(record: DispatchRecord, context: DispatchContext): Promise<boolean> {
  const delay = nextDelay(record, 0, context.clock());
  const rest: DispatchRecord = { ...record, attempt: record.attempt + 1, copy: newCopy() };
  const reasons = ['could not be tried'];
  try {
    await (delay === undefined ? giveUp(rest, reasons, context) : putBack(rest, delay, reasons, context));
    return true;
  } catch (error) {
    context.log('error', 'could not be put back', { ...aboutOf(record), error: String(error) });
    return false;
  }
}

async function dispatchRecord(record: DispatchRecord, context: DispatchContext): Promise<void> {
  const { again } = record;
  if (again && record.expiresAt * 1000 <= context.clock()) return;
  const [{ stored, gone }, lists] = (await settleAll<unknown>([
    context.mailbox.undelivered(
      record.to.map(([, device, id]) => ({ device, id })),
      context.name,
      placeOf(record),
      again?.n,
    ),
    context.devices.listMany(record.to.map(([user]) => user)),
  ])) as [Awaited<ReturnType<Mailbox['undelivered']>>, Awaited<ReturnType<DeviceRegistry['listMany']>>];
  const waiting: Waiting[] = [
    ...stored.map((message) => ({ ...message, ...(message.kind === 'sealed' && { sealed: message.body }) })),
    // The device holds the message already: it is told by the id alone that it asks again.
    ...(again ? gone.map((ref) => ({ ...ref, ...pick(record) })) : []),
  ];
  const counts: Record<string, number> = {};
  /** When the carrier took the first of them. */
  let handedOver: number | undefined;
  const failures = await settleAll(
    record.to.map(async (address): Promise<Failure | undefined> => {
      const [user, id, messageId] = address;
      const message = waiting.find((candidate) => candidate.device === id && candidate.id === messageId);
      const device = lists.get(user)?.devices.find((candidate) => candidate.id === id);
      if (!message || !device?.enabled || !carriersOf(device).includes(context.name)) {
        counts.dropped = (counts.dropped ?? 0) + 1;
        return undefined;
      }
      const answer = await context.carrier.send(pushOf(message, user, device, record.again?.until));
      const outcome: Outcome =
        'reason' in answer ? { ...answer, reason: withoutTarget(answer.reason, device.push) } : answer;
      counts[outcome.kind] = (counts[outcome.kind] ?? 0) + 1;
      if (outcome.kind === 'accepted') handedOver ??= context.clock();
      return settle(outcome, address, message, device, record, context);
    }),
  );
  const pending = failures.filter((failure) => failure !== undefined);
  const latency =
    handedOver === undefined ? undefined : Math.max(0, Math.round(handedOver - record.acceptedAt));
  if (latency !== undefined) context.count('Latency', latency);
  context.log('info', 'dispatched', { ...aboutOf(record), attempt: record.attempt, latency, ...counts });
  if (record.receipt !== undefined && counts.accepted) await noteDelivery(record, record.receipt, context);
  const slow = context.slow ? pending.filter(({ silent }) => silent) : [];
  if (context.slow && slow.length > 0) await moveToSlow(record, slow, context.slow, context);
  const rest = pending.filter((failure) => !slow.includes(failure));
  if (rest.length > 0) await repeat(record, rest, context);
}

/** Hands the devices that met silence on to the slow lane, at once: there they have their first try with patience. */
async function moveToSlow(
  record: DispatchRecord,
  failures: Failure[],
  slow: Queue,
  { log, count }: DispatchContext,
): Promise<void> {
  const to = failures.map(({ address }) => address);
  await slow.send([{ ...record, to }]);
  count('Slowed', to.length);
  const reasons = [...new Set(failures.map(({ reason }) => reason))];
  log('warn', 'left to the slow lane', { ...aboutOf(record), devices: to.length, reasons });
}

/** A message that is to be pushed; `sealed` if it waits in the mailbox of a device with a key. */
interface Waiting extends MessageRef {
  umid: number;
  priority: number;
  expiresAt: number;
  sealed?: Uint8Array;
}

function pick({
  umid,
  priority,
  expiresAt,
}: DispatchRecord): Pick<Waiting, 'expiresAt' | 'priority' | 'umid'> {
  return { umid, priority, expiresAt };
}

/** One write a record, not a device. Only its sender's curiosity depends on it, so a fault repeats nothing. */
async function noteDelivery(
  record: DispatchRecord,
  receipt: string,
  { receipts, log }: DispatchContext,
): Promise<void> {
  try {
    await receipts.delivered(receipt);
  } catch (error) {
    log('warn', 'could not note the delivery on the receipt', { ...aboutOf(record), error: String(error) });
  }
}

/** Does what an outcome asks for. Returns the failure if the device must be tried again. */
async function settle(
  outcome: Outcome,
  address: Address,
  message: Waiting,
  device: Device,
  record: DispatchRecord,
  context: DispatchContext,
): Promise<Failure | undefined> {
  const about = { ...aboutOf(record), device: device.id };
  switch (outcome.kind) {
    case 'accepted':
      try {
        await context.mailbox.markDelivered(message, context.name, message.expiresAt, record.again?.n);
      } catch (error) {
        // Accepted but not marked: try again later; the device knows the second push by its id.
        context.log('warn', 'could not mark as delivered', { ...about, error: String(error) });
        return { address, reason: 'not marked', retryAfter: 0, silent: false };
      }
      context.count('Delivered', 1);
      return undefined;
    case 'refused': {
      const registered = (device.pushSince ?? 0) / 1000;
      const dead = outcome.retire && (outcome.deadSince === undefined || outcome.deadSince >= registered);
      const retired = dead && device.pushSince !== undefined;
      if (retired) await context.devices.retire(address[0], device.id, device.pushSince!);
      if (!outcome.expected) context.count('Refused', 1);
      context.log('info', 'refused', { ...about, reason: outcome.reason, retired });
      return undefined;
    }
    case 'fault':
      context.count('ConfigurationFault', 1);
      context.log('error', 'the carrier refuses our configuration', { ...about, reason: outcome.reason });
      return undefined;
    case 'failed':
      return {
        address,
        reason: outcome.reason,
        retryAfter: outcome.retryAfter ?? 0,
        silent: outcome.silent !== undefined,
      };
  }
}

/**
 * Puts the devices that failed for now back on the queue, or on the dead-letter queue when the budget is used up: those
 * that no other record has taken on. It costs a write unit a device.
 */
async function repeat(record: DispatchRecord, failed: Failure[], context: DispatchContext): Promise<void> {
  const retryAfter = Math.max(...failed.map((failure) => failure.retryAfter));
  const delay = nextDelay(record, retryAfter, context.clock());
  if (delay === undefined && record.again) {
    const reasons = [...new Set(failed.map(({ reason }) => reason))];
    const about = { ...aboutOf(record), devices: failed.length };
    context.log('info', 'left to the next repetition', { ...about, reasons });
    return;
  }
  const failures = await takenOn(record, failed, context);
  if (failures.length === 0) return;
  const rest: DispatchRecord = {
    ...record,
    attempt: record.attempt + 1,
    copy: newCopy(),
    to: failures.map(({ address }) => address),
  };
  const reasons = [...new Set(failures.map(({ reason }) => reason))];
  await (delay === undefined ? giveUp(rest, reasons, context) : putBack(rest, delay, reasons, context));
}

/** Those of the failures that are this record's to try again. */
async function takenOn(
  record: DispatchRecord,
  failed: Failure[],
  { mailbox, name, log }: DispatchContext,
): Promise<Failure[]> {
  const { expiresAt, again } = record;
  const place = placeOf(record);
  const taken = await settleAll(
    failed.map(({ address: [, device, id] }) =>
      mailbox.takeOn({ device, id }, name, place, { ttl: expiresAt, repetition: again?.n }),
    ),
  );
  const others = taken.filter((mine) => !mine).length;
  if (others > 0) log('info', 'left to another record', { ...aboutOf(record), devices: others });
  return failed.filter((_, n) => taken[n]);
}

async function putBack(
  rest: DispatchRecord,
  delay: number,
  reasons: string[],
  context: DispatchContext,
): Promise<void> {
  await context.queue.send([rest], delay);
  context.count('Retries', rest.to.length);
  const about = { ...aboutOf(rest), devices: rest.to.length };
  context.log('warn', 'will be tried again', { ...about, delay, reasons });
}

async function giveUp(rest: DispatchRecord, reasons: string[], context: DispatchContext): Promise<void> {
  await context.deadLetters.send([{ ...rest, reasons }]);
  context.count('GivenUp', rest.to.length);
  context.log('error', 'given up, the message stays for sync', {
    ...aboutOf(rest),
    devices: rest.to.length,
    reasons,
  });
}

/** What finds a message in the logs: by the id that its sender was answered, where the record has it. */
function aboutOf({ request, umid }: DispatchRecord): { request?: string; umid: number } {
  return { ...(request !== undefined && { request }), umid };
}

function pushOf(message: Waiting, user: string, device: Device, until: number | undefined): Push {
  return {
    user,
    device: device.id,
    id: message.id,
    priority: message.priority,
    expiresAt: message.expiresAt,
    ...(until !== undefined && { until }),
    ...(message.sealed && { sealed: message.sealed }),
    ...(device.push && { target: device.push }),
  };
}
