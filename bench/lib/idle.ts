/** What Peal costs while nobody sends anything. */
import type { Cloud } from '../../local/cloud.ts';
import { isObject, type JsonObject } from '../../local/template/json.ts';
import { table } from './markdown.ts';
import {
  ALARM_MONTH,
  DASHBOARD_MONTH,
  dollars,
  MONTH,
  PER_MILLION_CONNECTION_MINUTES,
  priceOf,
  SECRET_MONTH,
} from './prices.ts';

/** Lambda polls the queue of an idle mapping with so many pollers, each of which waits as long as SQS lets it. */
const POLLERS = 5;
const LONG_POLL_S = 20;
/** A device's heartbeat, seconds (`lib/device/socket.ts`): `#` there, `#` back, an invocation each. */
const HEARTBEAT_S = 120;
const month = (dollars: number) => `$${dollars.toFixed(2)}`;

/** How many metrics an alarm looks at: one, or those that its expression is of. */
function metricsOf({ Metrics }: JsonObject): number {
  return Array.isArray(Metrics) ? Metrics.filter((one) => isObject(one) && one.MetricStat).length : 1;
}

/** A table of what each thing that waits costs a month. */
export function idleReport({ engine }: Cloud): string {
  const polls = (POLLERS * MONTH) / LONG_POLL_S;
  const mappings = engine.pollers.length;
  const alarms = engine.model.ofType('AWS::CloudWatch::Alarm');
  const watched = alarms.reduce((sum, { properties }) => sum + metricsOf(properties), 0);
  const dashboards = engine.model.ofType('AWS::CloudWatch::Dashboard').length;
  const secrets = engine.model.ofType('AWS::SecretsManager::Secret').length;
  const beats = MONTH / HEARTBEAT_S;
  const connected =
    ((MONTH / 60) * PER_MILLION_CONNECTION_MINUTES) / 1e6 +
    dollars(priceOf('websocket.messages'), 2 * beats) +
    dollars(priceOf('lambda.requests'), beats);
  const rows = [
    [
      `${mappings} queues polled: ${POLLERS} pollers × ${LONG_POLL_S} s long polls, ${polls.toLocaleString('en')} requests each`,
      month(mappings * dollars(priceOf('sqs.requests'), polls)),
    ],
    [`${secrets} secrets`, month(secrets * SECRET_MONTH)],
    [`${alarms.length} alarms of ${watched} metrics`, month(watched * ALARM_MONTH)],
    [`${dashboards} dashboard`, month(dashboards * DASHBOARD_MONTH)],
    [
      `a desktop that is always connected: minutes, a heartbeat every ${HEARTBEAT_S} s (without Lambda GB-s)`,
      month(connected),
    ],
  ];
  return table(['Without any message', '$ a month'], rows);
}
