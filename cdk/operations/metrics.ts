import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { CarrierName } from '../../lib/carriers/carrier.ts';
import { METRICS, type MetricName } from '../../lib/metrics.ts';

/** How a metric is added up: over which time, by which statistic, under which name in a graph. */
export interface View {
  /** Default: the sum of counts, the maximum of times. */
  statistic?: string;
  /** Default: five minutes, which is also how long most alarms look at. */
  period?: Duration;
  label?: string;
}

const PERIOD = Duration.minutes(5);

/** A metric that Peal's functions write into their logs. */
export function ownMetric(
  stage: string,
  name: MetricName,
  { carrier, ...view }: View & { carrier?: CarrierName } = {},
): Metric {
  const statistic = METRICS[name] === 'Count' ? 'Sum' : 'Maximum';
  return new Metric({
    namespace: 'Peal',
    metricName: name,
    dimensionsMap: { Stage: stage, ...(carrier && { Carrier: carrier }) },
    statistic,
    period: PERIOD,
    ...view,
  });
}

/** A metric that AWS writes; without dimensions, of all that the account has in the region. */
export function awsMetric(
  namespace: 'ApiGateway' | 'DynamoDB' | 'Lambda' | 'Logs',
  metricName: string,
  dimensionsMap: Record<string, string> = {},
  view: View = {},
): Metric {
  return new Metric({
    namespace: `AWS/${namespace}`,
    metricName,
    ...(Object.keys(dimensionsMap).length > 0 && { dimensionsMap }),
    statistic: 'Sum',
    period: PERIOD,
    ...view,
  });
}

/**
 * Some metrics, added up. Of those that were silent nothing is added.
 *
 * @param label a word that no other sum in the same graph has
 */
export function sumOf(metrics: IMetric[], label: string, period = PERIOD): MathExpression {
  const usingMetrics = Object.fromEntries(metrics.map((metric, n) => [`${label}${n}`, metric]));
  const expression = `SUM([${Object.keys(usingMetrics).join(', ')}])`;
  return new MathExpression({ expression, usingMetrics, label, period });
}
