/** Messages that are measured in the local cloud, each through to every device's sync and acknowledge. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { OutgoingMessage } from '../../lib/device/index.ts';
import type { Received } from '../../local/carriers/index.ts';
import type { Cloud } from '../../local/cloud.ts';
import type { Peal } from '../../local/peal.ts';
import { hurry } from '../../test/receipts/hurry.ts';
import { imageOf } from '../../test/support/images.ts';
import { post } from '../../test/support/peal.ts';
import { nameOf } from './deployment.ts';
import { TRANSFER_BYTES } from './prices.ts';
import { createPerson, type Kind, type Person } from './receiver.ts';
import { type Amounts, StepMeter } from './step-meter.ts';
import { CallTally } from './tally.ts';
import { type FunctionUse, perMessage, type Usage } from './usage.ts';

/** A message, and who gets it. */
export interface Scenario {
  /** The devices of each person. Several people are a group, and the message goes to its key. */
  people: readonly (readonly Kind[])[];
  message: Omit<OutgoingMessage, 'token' | 'user'>;
  /** How many are counted, if not the usual number. */
  messages?: number;
  /** It is an emergency that is repeated so often, and then acknowledged by a person. */
  repetitions?: number;
}

/** Before anything is counted: whatever is done once a function, a session, a connection. */
const WARM_UP = 3;
const MESSAGES = 10;

const FIVE: readonly Kind[] = ['fcm', 'fcm', 'apns', 'web', 'desktop'];
/** People of a large group, and their phones. */
const CROWD = { people: 21, phones: Array.from({ length: 10 }, (): Kind => 'fcm') };
/** Devices in it. */
export const CROWD_DEVICES = CROWD.people * CROWD.phones.length;
const text = (length: number) => 'x'.repeat(length);
const toOne = (kind: Kind, length = 200): Scenario => ({
  people: [[kind]],
  message: { message: text(length) },
});
const toMany = (people: number, kinds: readonly Kind[]): Scenario => ({
  people: Array.from({ length: people }, () => kinds),
  message: { message: text(200) },
});

const emergency = (repetitions: number): Scenario => ({
  people: [['fcm']],
  message: { message: text(200), priority: 2, retry: 600, expire: 10_800 },
  repetitions,
});

/** Bytes of the image that is attached. */
export const IMAGE_BYTES = 100_000;

export type ScenarioName =
  | 'android'
  | 'attachment'
  | 'browser'
  | 'crowd'
  | 'desktop'
  | 'emergency'
  | 'emergencyTwice'
  | 'fifty'
  | 'fiftyDesktops'
  | 'five'
  | 'fiveDesktops'
  | 'iphone'
  | 'kilobyte'
  | 'open'
  | 'sixKilobytes'
  | 'three';

/** What is measured. */
export const SCENARIOS: Record<ScenarioName, Scenario> = {
  desktop: toOne('desktop'),
  android: toOne('fcm'),
  iphone: toOne('apns'),
  browser: toOne('web'),
  open: toOne('open'),
  three: toMany(1, ['fcm', 'web', 'desktop']),
  five: toMany(1, FIVE),
  fiveDesktops: toMany(1, ['desktop', 'desktop', 'desktop', 'desktop', 'desktop']),
  fifty: toMany(10, FIVE),
  fiftyDesktops: toMany(10, ['desktop', 'desktop', 'desktop', 'desktop', 'desktop']),
  // More than one request does by itself: it is fanned out.
  crowd: { ...toMany(CROWD.people, CROWD.phones), messages: 4 },
  kilobyte: toOne('fcm', 1024),
  // Everything as long as it may be, in characters of four bytes where that goes.
  sixKilobytes: {
    people: [['fcm']],
    message: {
      message: '🔔'.repeat(1024),
      title: '🔔'.repeat(250),
      url: `https://example.org/${text(492)}`,
      url_title: '🔔'.repeat(100),
    },
  },
  attachment: {
    people: [['fcm']],
    message: {
      message: text(200),
      attachment: new Blob([new Uint8Array(imageOf('image/jpeg', IMAGE_BYTES))], { type: 'image/jpeg' }),
    },
  },
  emergency: emergency(1),
  emergencyTwice: emergency(2),
};

/** @returns what one message used */
export async function measure(peal: Peal, scenario: Scenario): Promise<Usage> {
  const transfer = new Transfer(peal);
  const people: Person[] = [];
  for (const kinds of scenario.people) people.push(await createPerson(peal, kinds, transport(transfer)));
  const to = people.length === 1 ? people[0]!.to : await groupOf(peal, people);
  const send = () => people[0]!.api.sendMessage({ ...to, ...scenario.message });
  const { repetitions } = scenario;
  const work = repetitions
    ? () => repeated(peal, people[0]!, send, repetitions)
    : () => delivered(peal, people, send);
  const usage = await count(peal, transfer, work, scenario.messages);
  for (const device of people.flatMap(({ devices }) => devices)) device.stop();
  return usage;
}

/** @returns what a desktop's login over its socket used, in the place of one that was lost, and the sync after it */
export async function measureLogin(peal: Peal): Promise<Usage> {
  const transfer = new Transfer(peal);
  const { devices } = await createPerson(peal, ['desktop'], transport(transfer));
  const [desktop] = devices;
  const usage = await count(peal, transfer, async () => {
    await desktop!.reconnect!();
    await desktop!.sync();
  });
  desktop!.stop();
  return usage;
}

/** Does something several times, and counts what each used. */
async function count(
  peal: Peal,
  transfer: Transfer,
  work: () => Promise<void>,
  messages = MESSAGES,
): Promise<Usage> {
  const meter = new StepMeter(peal.cloud);
  const tally = new CallTally(peal.cloud);
  for (let n = 0; n < WARM_UP; n++) await work();
  meter.lap(() => '');
  tally.take();
  transfer.take();
  for (let n = 0; n < messages; n++) await work();
  const used = meter.lap((who) => who) as Record<string, Amounts>;
  const { calls, partitions } = tally.take();
  meter.close();
  tally.close();
  transfer.close();

  const amounts: Amounts = { [TRANSFER_BYTES]: transfer.take() };
  const functions: Record<string, FunctionUse> = {};
  for (const [who, items] of Object.entries(used)) {
    for (const [item, amount] of Object.entries(items)) {
      if (KEPT.test(item)) amounts[item] = (amounts[item] ?? 0) + amount;
    }
    const spec = peal.cloud.functions.get(who)?.spec;
    if (!spec || !items['lambda.requests']) continue;
    const { logicalId, memory } = spec;
    functions[nameOf(logicalId)] = { invocations: items['lambda.requests'], memory, calls: calls[who] ?? {} };
  }
  return perMessage({ amounts, functions, partitions }, messages);
}

/** Counters that are billed and the same on every machine. */
const KEPT = /^(http|websocket\.messages|lambda\.requests|dynamodb\.[rw]ru|sqs|s3|secretsmanager|logs)/;

/** Sends a message; every device is signalled, syncs and acknowledges it. */
async function delivered({ cloud }: Peal, people: Person[], send: () => Promise<unknown>): Promise<void> {
  const devices = people.flatMap((person) => person.devices);
  const signals = devices.map((device) => device.signal());
  await send();
  await Promise.all(signals);
  await drained(cloud);
  for (const device of devices) {
    const opened = await device.sync();
    if (opened.length !== 1) throw new Error(`a device got ${opened.length} messages instead of one`);
  }
}

/**
 * Sends an emergency. The device syncs it, is told again so often, and then the person acknowledges. The chain's steps
 * come as soon as what is before them has happened, instead of after their time.
 */
async function repeated(
  peal: Peal,
  { api, devices }: Person,
  send: () => Promise<{ receipt?: string }>,
  repetitions: number,
): Promise<void> {
  const device = devices[0]!;
  let signal = device.signal();
  const enough = Promise.withResolvers<void>();
  const acknowledged = Promise.withResolvers<void>();
  const stop = hurry(peal, repetitions + 1, async (step) => {
    await signal;
    await peal.cloud.poller('FcmPush').drained();
    if (step === 1) await device.sync();
    if (step <= repetitions) {
      // Deliveries within one second share a note, and repetitions are half a minute apart.
      await sleep(1_001 - (Date.now() % 1_000));
      signal = device.signal();
      return;
    }
    enough.resolve();
    await acknowledged.promise;
  });
  const { receipt } = await send();
  await enough.promise;
  await api.acknowledgeReceipt(receipt!);
  acknowledged.resolve();
  await drained(peal.cloud);
  stop();
}

async function drained(cloud: Cloud): Promise<void> {
  for (const poller of cloud.engine.pollers) await poller.drained();
}

/** Makes a group of people; its key, with a token of the first. */
async function groupOf(peal: Peal, people: Person[]): Promise<Person['to']> {
  const { token } = people[0]!.to;
  const { body } = await post(peal, 'groups.json', { token, name: 'Bench' });
  const user = String(body.group);
  for (const { to } of people) {
    const { status } = await post(peal, `groups/${user}/add_user.json`, { token, user: to.user });
    if (status !== 200) throw new Error(`adding to a group was answered ${status}`);
  }
  return { token, user };
}

/** Bytes that leave AWS: the bodies of answers to senders and devices, and of pushes to the carriers. */
class Transfer {
  readonly #peal: Peal;
  #bytes = 0;

  constructor(peal: Peal) {
    this.#peal = peal;
    peal.carriers.journal.on('received', this.#received);
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  take(): number {
    const bytes = this.#bytes;
    this.#bytes = 0;
    return bytes;
  }

  close(): void {
    this.#peal.carriers.journal.off('received', this.#received);
  }

  readonly #received = ({ payload }: Received) => {
    // Web Push sends bytes, of which the journal keeps base64.
    const { body } = payload;
    this.add(typeof body === 'string' ? (body.length * 3) / 4 : Buffer.byteLength(JSON.stringify(payload)));
  };
}

function transport(transfer: Transfer): typeof fetch {
  return async (...request) => {
    const response = await fetch(...request);
    transfer.add((await response.clone().arrayBuffer()).byteLength);
    return response;
  };
}
