/** `docs/scale.md`: the arithmetic between the readings and the page. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MAX_DEVICES } from '../../lib/accounts/devices.ts';
import { DEFAULT_LIMITS } from '../../lib/device/socket.ts';
import { CHUNK_USERS } from '../../lib/fanout/fan-out.ts';
import { MAX_MEMBERS } from '../../lib/groups/members.ts';
import { DIRECT_DEVICES } from '../../lib/messages/recipients.ts';
import { COUNTED_ONE_IN } from './burst.ts';
import { connections } from './cost-page.ts';
import { count, fill, whole } from './fill.ts';
import { sumOf } from './idle.ts';
import { enoughFor, type Hot, type Limit, limitsOf, partitionsOf, QUOTAS } from './limits.ts';
import { table } from './markdown.ts';
import type { Readings } from './readings.ts';
import { CROWD_DEVICES } from './scenarios.ts';
import { assumedMs, concurrency, totalOf, unitsOf } from './usage.ts';

const RATES = [10, 1_000, 100_000];
const HEARTBEAT_S = DEFAULT_LIMITS.heartbeat / 1000;
/** A member's item in the Directory, about. */
const MEMBER_BYTES = 100;
const MILLION = 1_000_000;
const MILLION_USERS = MILLION / 2;
/** Read units of all their items in a group. */
const MEMBER_UNITS = (MILLION_USERS * MEMBER_BYTES) / 4096;

/** The whole page. */
export function scalePage(readings: Readings): string {
  const { messages, deployment } = readings;
  const { android, desktop } = messages;
  const limits = limitsOf(android, deployment);
  const requests = android.amounts['http.requests'] ?? 0;
  const push = (kind: 'desktop' | 'fcm'): { full: string; single: string } => {
    const name = kind === 'fcm' ? 'FcmPush' : 'DesktopPush';
    const ms = assumedMs(name, messages[kind === 'fcm' ? 'android' : 'desktop'].functions[name]!);
    return { full: whole(Math.ceil(ms / deployment.workers[name]!.batch)), single: whole(Math.ceil(ms)) };
  };
  const partitions = hotPartitions(readings);
  const token = partitions.find(({ partition }) => partition === 'Directory token#…')!;
  const template = readFileSync(join(import.meta.dirname, '..', 'pages', 'scale.md'), 'utf8');
  return fill(template, {
    android: limitsTable(limits),
    desktop: limitsTable(different(limitsOf(desktop, deployment), limits)),
    newReads: whole(QUOTAS.newTable.reads),
    newWrites: whole(QUOTAS.newTable.writes),
    quotas: quotaTable(),
    partitions: partitionTable(partitions),
    partitionReads: whole(QUOTAS.partition.reads),
    partitionWrites: whole(QUOTAS.partition.writes),
    countedOneIn: whole(COUNTED_ONE_IN),
    tokenRate: whole(token.most),
    members: whole(MAX_MEMBERS),
    // `lib/messages/recipients.ts`: twice what a group has.
    recipients: whole(2 * MAX_MEMBERS),
    devices: whole(MAX_DEVICES),
    millionUsers: whole(MILLION_USERS),
    direct: whole(DIRECT_DEVICES),
    chunk: whole(CHUNK_USERS),
    crowd: whole(CROWD_DEVICES),
    million: millionTable(readings),
    groupMinute: whole((60 * QUOTAS.partition.reads) / MEMBER_UNITS),
    jobUsers: whole(QUOTAS.partition.reads * CHUNK_USERS),
    fanOutCeiling: whole(deployment.workers.FanOutWorker!.ceiling),
    requests: whole(requests),
    requests1000: whole(1_000 * requests * 2),
    fcm1000: push('fcm').full,
    fcmSingle1000: push('fcm').single,
    desktop1000: push('desktop').full,
    desktopSingle1000: push('desktop').single,
    directoryReads1000: whole(1_000 * unitsOf(android, 'Directory').reads * 2),
    mailboxWrites1000: whole(1_000 * unitsOf(android, 'Mailbox').writes * 2),
    heartbeat: whole(HEARTBEAT_S),
    socketRate: whole(deployment.socket.rate),
    desktops: whole(deployment.socket.rate * HEARTBEAT_S),
    stormSeconds: whole(HEARTBEAT_S),
    day100000: `$${whole((100_000 * 86_400 * totalOf(android)) / MILLION)}`,
    requests100000: whole(100_000 * requests),
    apiTimes: whole((100_000 * requests) / QUOTAS.apiGateway),
    fcmRate: whole(QUOTAS.fcm),
    millionFrames: whole(MILLION / HEARTBEAT_S),
    desktopsMonth: `$${whole(MILLION * sumOf(connections(readings)[0]!.month.lines))}`,
    lambda100000: whole(100_000 * concurrency(android)),
  });
}

function limitsTable(limits: Limit[]): string {
  const rows = limits.map((limit) => [
    limit.what,
    count(limit.each),
    ...RATES.map((rate) => count(rate * limit.each)),
    whole(limit.most),
    count(enoughFor(limit)),
  ]);
  const heading = ['What', 'a message', ...RATES.map((rate) => `${whole(rate)}/s`), 'there is', 'enough for'];
  return table(heading, rows);
}

/** Those limits that are not the same elsewhere. */
function different(limits: Limit[], elsewhere: Limit[]): Limit[] {
  return limits.filter(({ what, each }) => {
    const other = elsewhere.find((one) => one.what === what);
    return other?.each !== each;
  });
}

/** AWS's names of the quotas, what they are by default, and what of Peal they bound. */
function quotaTable(): string {
  const { apiGateway, lambda, connections, fcm } = QUOTAS;
  const rows = [
    [
      'API Gateway',
      'Throttle quota per account, per Region across HTTP APIs, REST APIs, WebSocket APIs, and WebSocket callback APIs',
      `${whole(apiGateway)}; 2,500 in some regions`,
      'requests, frames and signals together; its burst of 5,000 follows from it',
    ],
    [
      'API Gateway',
      'New connections per second per account (across all WebSocket APIs) per Region',
      whole(connections),
      'desktops that connect',
    ],
    [
      'Lambda',
      'Concurrent executions',
      `${whole(lambda)}; less in new accounts`,
      'all functions together; each grows by 1,000 in ten seconds at most',
    ],
    [
      'Lambda',
      'none, but `ceilings`: the maximum concurrency of a mapping',
      '2 to 1,000 (AWS)',
      'a carrier, the fan-out, repetitions; a mapping grows by 300 a minute',
    ],
    [
      'DynamoDB',
      'Table-level read throughput limit, table-level write throughput limit',
      '40,000 each',
      'the Directory and the Mailbox, each',
    ],
    [
      'SQS',
      'none for standard queues, but 120,000 records in flight',
      '',
      'a queue; workers hold ten at a time',
    ],
    [
      'Firebase (Google Cloud console)',
      'Messages per minute per project',
      `${whole(fcm * 60)}`,
      'pushes to Android; and 240 a minute and 5,000 an hour to one device, which cannot be raised',
    ],
    [
      'Apple',
      'none is published',
      '',
      'pushes to iPhones; one provider token for all environments, see [the decision](decisions/0005-one-apns-token.md)',
    ],
  ];
  return table(['Service', 'Quota', 'Default', 'What it bounds'], rows, 4);
}

/** What the partitions of a kind are of, by the beginning of their key; without a rate: of one message alone. */
const ABOUT: Record<string, { of: string; rate: boolean }> = {
  'Directory token#…': { of: 'one app that sends', rate: true },
  'Directory user#…': { of: 'one person who receives: devices, sessions', rate: true },
  'Directory device#…': { of: 'one desktop: its connection', rate: true },
  'Directory group#…': { of: 'one group that is sent to: its members', rate: true },
  'Directory sent#…': { of: 'one account that sends, and day: its history', rate: true },
  'Mailbox device': { of: 'one device: what waits, marks, what was served', rate: true },
  'Mailbox acked#…': { of: 'one device: what it has acknowledged', rate: true },
  'Directory receipt#…': { of: 'one emergency: its receipt', rate: false },
  'Directory recipients#…': {
    of: 'one emergency: up to a hundred recipients, or a 32nd of more',
    rate: false,
  },
  'Directory delivered#…': { of: 'one emergency: when it was delivered', rate: false },
  'Mailbox reached#…': { of: 'one chunk of a large message (all of its chunks here)', rate: false },
  'Mailbox job#…': { of: 'one large message: its job, read by each chunk', rate: false },
  'Mailbox attachment#…': { of: 'one message: its image', rate: false },
};

/** Every kind of partition that a message touches, with the first kind of message that does. */
function hotPartitions({ messages }: Readings): Hot[] {
  const order = ['android', 'desktop', 'emergency', 'attachment', 'crowd'] as const;
  const found = new Map<string, Hot>();
  for (const name of order) {
    for (const hot of partitionsOf(messages[name])) {
      if (!found.has(hot.partition)) found.set(hot.partition, hot);
    }
  }
  const rate = ({ partition }: Hot) => ABOUT[partition]?.rate ?? true;
  return [...found.values()].sort((a, b) => Number(rate(b)) - Number(rate(a)) || b.most - a.most);
}

function partitionTable(partitions: Hot[]): string {
  const rows = partitions.map(({ partition, reads, writes, most }) => {
    const { of, rate } = ABOUT[partition] ?? { of: '', rate: true };
    const [where = '', ...key] = partition.split(' ');
    const named = key[0] === 'device' ? 'device id' : `\`${key.join(' ')}\``;
    return [`${where} ${named}`, of, count(reads), count(writes), rate ? count(most) : ''];
  });
  return table(['Partition', 'of', 'read units', 'write units', 'messages/s at most'], rows, 2);
}

/** What a message to a million devices takes, and how long at least at the default limits. */
function millionTable({ messages: { crowd }, deployment }: Readings): string {
  const device = (units: number) => (units / CROWD_DEVICES) * MILLION;
  const chunks = MILLION_USERS / CHUNK_USERS;
  const worker = deployment.workers.FanOutWorker!;
  const workerSeconds = device(assumedMs('FanOutWorker', crowd.functions.FanOutWorker!)) / 1000;
  const directory = unitsOf(crowd, 'Directory');
  const mailbox = unitsOf(crowd, 'Mailbox');
  // The sender's one request is not the devices'.
  const synced = device((crowd.amounts['http.requests'] ?? 0) - 1);
  const row = (what: string, amount: number, limit: string, most: number) => [
    what,
    count(amount),
    limit,
    count(amount / most),
  ];
  return table(
    ['What', 'how much', 'at', 'seconds'],
    [
      row(
        'read units for the members',
        MEMBER_UNITS,
        `${whole(QUOTAS.partition.reads)}/s of a partition`,
        QUOTAS.partition.reads,
      ),
      ['chunks to queue, ten a request', whole(chunks), '', ''],
      row('workers that seal and store, seconds', workerSeconds, `${worker.ceiling} at once`, worker.ceiling),
      row('Mailbox: write units', device(mailbox.writes), `${whole(QUOTAS.table)}/s`, QUOTAS.table),
      row('Mailbox: read units', device(mailbox.reads), `${whole(QUOTAS.table)}/s`, QUOTAS.table),
      row('Directory: read units', device(directory.reads), `${whole(QUOTAS.table)}/s`, QUOTAS.table),
      row('pushes by FCM', MILLION, `${whole(QUOTAS.fcm)}/s`, QUOTAS.fcm),
      row(
        'requests to sync and acknowledge',
        synced,
        `${whole(deployment.http.rate)}/s`,
        deployment.http.rate,
      ),
    ],
  );
}
