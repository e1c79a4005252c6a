/** What a message used, and what that costs. Arithmetic alone: the readings come from `scenarios.ts`. */
import { DURATION, dollars, LOG_BYTES, PRICES, TRANSFER_BYTES } from './prices.ts';
import type { Amounts } from './step-meter.ts';
import type { Units } from './tally.ts';

/** What one function did for a message. */
export interface FunctionUse {
  invocations: number;
  /** MiB. */
  memory: number;
  /** By action, such as `dynamodb.PutItem`. */
  calls: Record<string, number>;
}

/** What one message used, on its whole way. */
export interface Usage {
  /** By counter. Lambda's duration is not among them: it would be this machine's. */
  amounts: Amounts;
  /** By the function's logical id, without what CDK puts after it. */
  functions: Record<string, FunctionUse>;
  /** By table and kind of key. */
  partitions: Record<string, Units>;
}

/**
 * How long things are taken to last on AWS, milliseconds. Assumptions and not measured: this machine is not AWS, and what
 * a deployment really takes is its functions' `Duration` in CloudWatch.
 */
export const ASSUMED = {
  /** Our own code, an invocation. */
  own: 3,
  /** The first request of each kind in an invocation, by service. */
  dynamodb: 5,
  sqs: 8,
  s3: 25,
  /** Each further request of the same kind: they go side by side; sealing and storing one more copy. */
  further: 1,
  /** Handing over to a carrier, an invocation: FCM, APNs, a push service; `@connections`. */
  carrier: 60,
  connections: 15,
} as const;

/** Milliseconds that a function is taken to run for a message, by {@link ASSUMED}. */
export function assumedMs(name: string, { invocations, calls }: FunctionUse): number {
  const handOff = name === 'DesktopPush' ? ASSUMED.connections : name.endsWith('Push') ? ASSUMED.carrier : 0;
  const requests = Object.entries(calls).map(([action, count]) => {
    const first = Math.min(count, invocations);
    const service = action.split('.')[0] as keyof typeof ASSUMED;
    return first * (ASSUMED[service] ?? ASSUMED.further) + (count - first) * ASSUMED.further;
  });
  return invocations * (ASSUMED.own + handOff) + requests.reduce((sum, ms) => sum + ms, 0);
}

/** GB × milliseconds of all functions together. */
export function assumedDuration({ functions }: Pick<Usage, 'functions'>): number {
  return Object.entries(functions).reduce(
    (sum, [name, use]) => sum + (assumedMs(name, use) * use.memory) / 1024,
    0,
  );
}

/** Invocations that are under way at once for one message a second. */
export function concurrency({ functions }: Pick<Usage, 'functions'>): number {
  return Object.entries(functions).reduce((sum, [name, use]) => sum + assumedMs(name, use), 0) / 1000;
}

/** One line of a bill. */
export interface BillLine {
  item: string;
  /** For one message, in the price's own unit. */
  amount: number;
  /** For a million messages. */
  dollars: number;
}

/** What a million messages cost, by item; only what was used. */
export function billOf(usage: Pick<Usage, 'amounts' | 'functions'>): BillLine[] {
  const amounts: Amounts = { ...usage.amounts, [DURATION]: assumedDuration(usage) };
  return PRICES.flatMap((price) => {
    const amount = amounts[price.counter] ?? 0;
    if (amount === 0) return [];
    return [
      { item: price.item, amount: amount / (price.divisor ?? 1), dollars: dollars(price, amount) * 1e6 },
    ];
  });
}

/** Dollars for a million messages. */
export function totalOf(usage: Pick<Usage, 'amounts' | 'functions'>): number {
  return billOf(usage).reduce((sum, line) => sum + line.dollars, 0);
}

/** What many messages used, for each. Bytes are rounded: times and ids in them have more or fewer digits. */
export function perMessage(total: Usage, messages: number): Usage {
  const each = (amount: number) => Number((amount / messages).toPrecision(5));
  const mapped = <From, To>(all: Record<string, From>, to: (one: From, name: string) => To) =>
    Object.fromEntries(
      Object.entries(all)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, one]) => [name, to(one, name)]),
    );
  const bytes = new Set([LOG_BYTES, TRANSFER_BYTES]);
  return {
    amounts: mapped(total.amounts, (amount, name) =>
      bytes.has(name) ? roundBytes(amount / messages) : each(amount),
    ),
    functions: mapped(total.functions, ({ invocations, memory, calls }) => ({
      invocations: each(invocations),
      memory,
      calls: mapped(calls, each),
    })),
    partitions: mapped(total.partitions, ({ reads, writes }) => ({
      reads: each(reads),
      writes: each(writes),
    })),
  };
}

function roundBytes(bytes: number): number {
  return bytes < 5_000 ? Math.round(bytes / 50) * 50 : Number(bytes.toPrecision(2));
}

/** Units of a table, over all its partitions. */
export function unitsOf({ partitions }: Pick<Usage, 'partitions'>, table: 'Directory' | 'Mailbox'): Units {
  const units = { reads: 0, writes: 0 };
  for (const [kind, { reads, writes }] of Object.entries(partitions)) {
    if (!kind.startsWith(`${table} `)) continue;
    units.reads += reads;
    units.writes += writes;
  }
  return units;
}
