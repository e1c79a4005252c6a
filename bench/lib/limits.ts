/** What limits how many messages a second Peal takes: AWS's default quotas, and what a message takes of each. */
import type { Deployment } from './deployment.ts';
import type { Units } from './tally.ts';
import { assumedMs, concurrency, type FunctionUse, type Usage, unitsOf } from './usage.ts';

/** Default quotas of an AWS account in us-east-1, a second where nothing else is said; November 2026. */
export const QUOTAS = {
  /** All APIs of a region together: requests, frames of sockets, `@connections`. */
  apiGateway: 10_000,
  /** Invocations at once, of a region. */
  lambda: 1_000,
  /** Read and write units of a table on demand, each. */
  table: 40_000,
  /** What a new table takes at once. */
  newTable: { reads: 12_000, writes: 4_000 },
  /** What one partition takes, whatever the table does. */
  partition: { reads: 3_000, writes: 1_000 },
  /** New connections of sockets, of a region. */
  connections: 500,
  /** 600,000 messages a minute from one Firebase project. */
  fcm: 10_000,
} as const;

/** One thing that may run out. */
export interface Limit {
  what: string;
  /** What a message takes of it; for things that are busy for a while, how many of them one message a second keeps busy. */
  each: number;
  /** How much there is by default. */
  most: number;
}

/** What limits messages of a kind, in the order of their way. */
export function limitsOf(usage: Usage, deployment: Deployment): Limit[] {
  const requests = usage.amounts['http.requests'] ?? 0;
  // A signal over the socket is a call of `@connections`.
  const calls = requests + (usage.amounts['websocket.messages'] ?? 0);
  const directory = unitsOf(usage, 'Directory');
  const mailbox = unitsOf(usage, 'Mailbox');
  const workers = Object.entries(deployment.workers).flatMap(([name, { batch, ceiling }]) => {
    const use = usage.functions[name];
    if (!use) return [];
    return [
      {
        what: `${name}: invocations at once, batches of ${batch} (its ceiling)`,
        each: busy(name, use) / batch,
        most: ceiling,
      },
    ];
  });
  const limits: Limit[] = [
    { what: 'REST API: requests (its throttle)', each: requests, most: deployment.http.rate },
    { what: 'API Gateway: requests and signals', each: calls, most: QUOTAS.apiGateway },
    { what: 'Lambda: invocations at once', each: concurrency(usage), most: QUOTAS.lambda },
    ...workers,
    { what: 'Directory: read units', each: directory.reads, most: QUOTAS.table },
    { what: 'Directory: write units', each: directory.writes, most: QUOTAS.table },
    { what: 'Mailbox: read units', each: mailbox.reads, most: QUOTAS.table },
    { what: 'Mailbox: write units', each: mailbox.writes, most: QUOTAS.table },
    { what: 'FCM: messages', each: usage.functions.FcmPush ? 1 : 0, most: QUOTAS.fcm },
  ];
  return limits.filter(({ each }) => each > 0);
}

function busy(name: string, use: FunctionUse): number {
  return assumedMs(name, use) / 1000;
}

/** Messages a second at which it runs out. */
export function enoughFor({ each, most }: Limit): number {
  return most / each;
}

/** A partition of a kind, with what one message takes of it. */
export interface Hot extends Units {
  /** Table and partition key. */
  partition: string;
  /** Messages a second at which it runs out. */
  most: number;
}

/** The partitions that a message touches, by what it takes of all their items together. */
export function partitionsOf({ partitions }: Pick<Usage, 'partitions'>): Hot[] {
  const sums = new Map<string, Units>();
  for (const [kind, { reads, writes }] of Object.entries(partitions)) {
    const partition = kind.split(' ').slice(0, 2).join(' ');
    const sum = sums.get(partition) ?? { reads: 0, writes: 0 };
    sums.set(partition, { reads: sum.reads + reads, writes: sum.writes + writes });
  }
  return [...sums].map(([partition, { reads, writes }]) => ({
    partition,
    reads,
    writes,
    most: Math.min(QUOTAS.partition.reads / reads, QUOTAS.partition.writes / writes),
  }));
}
