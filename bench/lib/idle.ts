/** What Peal costs while nobody sends anything: what stands, and who is connected. */
import type { Deployment } from './deployment.ts';
import { table } from './markdown.ts';
import {
  ALARM_MONTH,
  DASHBOARD_MONTH,
  dollars,
  METRIC_MONTH,
  MONTH,
  PER_MILLION_CONNECTION_MINUTES,
  PRICES,
  type Price,
  priceOf,
  SECRET_MONTH,
} from './prices.ts';
import { ASSUMED, totalOf, type Usage } from './usage.ts';

/**
 * Lambda polls the queue of an idle mapping with so many pollers, each of which waits as long as SQS lets it. It would go
 * down to two, but not where a mapping has a maximum concurrency, as all of ours have.
 */
export const POLLERS = 5;
export const LONG_POLL_S = 20;
/** The managed WebSocket API closes a connection after so long without a frame. */
export const IDLE_MS = 600_000;

/** Something that costs by the month. */
export interface MonthLine {
  what: string;
  dollars: number;
}

/** What each thing costs a month that waits for messages. */
export function standingCosts(deployment: Deployment): MonthLine[] {
  const { secrets, alarms, dashboards, metrics, queues } = deployment;
  const polls = (POLLERS * MONTH) / LONG_POLL_S;
  const lines = [
    {
      what: `${queues} queues polled: ${POLLERS} pollers × ${LONG_POLL_S} s long polls, ${polls.toLocaleString('en')} requests each`,
      dollars: queues * dollars(priceOf('sqs.requests'), polls),
    },
    { what: `${secrets} secrets`, dollars: secrets * SECRET_MONTH },
    { what: `${alarms} metrics watched by alarms`, dollars: alarms * ALARM_MONTH },
    { what: `${dashboards} dashboards`, dollars: dashboards * DASHBOARD_MONTH },
    {
      what: `${metrics} metrics of our own (in the hours in which they are written)`,
      dollars: metrics * METRIC_MONTH,
    },
  ];
  return lines.filter((line) => line.dollars > 0);
}

/** How a desktop stays connected. All in milliseconds. */
export interface Keeping {
  /** Between heartbeats; absent: none. */
  heartbeat?: number;
  /** From one login to the next. */
  life: number;
}

/** What a desktop that is always connected costs a month. */
export interface Connection {
  logins: number;
  heartbeats: number;
  lines: MonthLine[];
}

/**
 * A connection's month: its minutes, `#` and `#` back with an invocation each, and logins with the sync after them.
 *
 * @param login what one of these used
 * @param memory of the function that answers the socket, MiB
 */
export function connectionMonth({ heartbeat, life }: Keeping, login: Usage, memory: number): Connection {
  const month = MONTH * 1000;
  const logins = month / life;
  const heartbeats = heartbeat === undefined ? 0 : month / heartbeat;
  const beat: [Price, number][] = [
    [priceOf('websocket.messages'), 2],
    [priceOf('lambda.requests'), 1],
    [priceOf('lambda.gbms'), (ASSUMED.own * memory) / 1024],
  ];
  return {
    logins,
    heartbeats,
    lines: [
      { what: 'minutes', dollars: ((MONTH / 60) * PER_MILLION_CONNECTION_MINUTES) / 1e6 },
      {
        what: 'heartbeats',
        dollars: heartbeats * beat.reduce((sum, [price, amount]) => sum + dollars(price, amount), 0),
      },
      { what: 'logins', dollars: (logins * totalOf(login)) / 1e6 },
    ],
  };
}

/** Dollars of all lines. */
export function sumOf(lines: readonly { dollars: number }[]): number {
  return lines.reduce((sum, line) => sum + line.dollars, 0);
}

/** A table of what each thing that waits costs a month. */
export function idleReport(deployment: Deployment): string {
  const lines = standingCosts(deployment);
  const rows = [...lines, { what: '**Total**', dollars: sumOf(lines) }].map(({ what, dollars: each }) => [
    what,
    `$${each.toFixed(2)}`,
  ]);
  return table(['Without any message', '$ a month'], rows);
}

/** The table of prices that everything here is computed with. */
export function priceTable(): string {
  const rows = PRICES.map(({ item, perMillion, unit }) => [item, unit, `$${perMillion}`]);
  const more: [string, string, string][] = [
    ['WebSocket connections', 'minute', `$${PER_MILLION_CONNECTION_MINUTES}`],
  ];
  return table(['Item', 'One is', '$ a million'], [...rows, ...more], 2);
}
