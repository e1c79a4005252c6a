/** What the synthesized templates deploy, as far as it costs or limits something. */
import type { Cloud } from '../../local/cloud.ts';
import { asList, isObject, type JsonObject } from '../../local/template/json.ts';

/** Requests a second over a while, and at once. */
export interface Throttle {
  rate: number;
  burst: number;
}

/** A function that works on a queue. */
export interface Worker {
  /** Records in one invocation, at most. */
  batch: number;
  /** Invocations at once, at most. */
  ceiling: number;
}

export interface Deployment {
  secrets: number;
  /** Metrics that alarms watch: an alarm is billed by them. */
  alarms: number;
  dashboards: number;
  /** Metrics of our own that functions wrote in a measurement. */
  metrics: number;
  /** Of the REST API's stage. */
  http: Throttle;
  /** Of the socket's stage. */
  socket: Throttle;
  /** By the function's logical id. */
  workers: Record<string, Worker>;
  /** Queues that are polled: of a function with a slow lane, two. */
  queues: number;
}

export function deploymentOf(cloud: Cloud): Deployment {
  const { model, mappings } = cloud.engine;
  const count = (type: string) => model.ofType(type).length;
  const stage = (protocol: 'HTTP' | 'WEBSOCKET'): Throttle => {
    const apis = model
      .ofType('AWS::ApiGatewayV2::Api')
      .filter(({ properties }) => properties.ProtocolType === protocol)
      .map(({ ref }) => ref);
    const found = model
      .ofType('AWS::ApiGatewayV2::Stage')
      .find(({ properties }) => apis.includes(String(properties.ApiId)));
    const settings = Object(found?.properties.DefaultRouteSettings);
    return { rate: Number(settings.ThrottlingRateLimit), burst: Number(settings.ThrottlingBurstLimit) };
  };
  const logs = [...cloud.functions.values()].flatMap((one) => one.logs);
  return {
    secrets: count('AWS::SecretsManager::Secret'),
    alarms: model
      .ofType('AWS::CloudWatch::Alarm')
      .reduce((sum, { properties }) => sum + metricsWatched(properties), 0),
    dashboards: count('AWS::CloudWatch::Dashboard'),
    metrics: customMetrics(logs).size,
    http: stage('HTTP'),
    socket: stage('WEBSOCKET'),
    queues: mappings.length,
    workers: Object.fromEntries(
      mappings
        // Of a function with two lanes the fast one, which is the first.
        .toReversed()
        .map((mapping): [string, Worker] => [
          nameOf(mapping.function.logicalId),
          { batch: mapping.batchSize, ceiling: mapping.maximumConcurrency },
        ])
        .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ),
  };
}

/** A function's logical id without what CDK puts after it. */
export function nameOf(logicalId: string): string {
  return logicalId.replace(/Function[0-9A-F]{8}$/, '');
}

/** An alarm on an expression is billed for each metric in it. */
export function metricsWatched(alarm: JsonObject): number {
  const metrics = asList(alarm.Metrics).filter((one) => isObject(one) && one.MetricStat !== undefined);
  return Math.max(1, metrics.length);
}

/** The metrics in lines in CloudWatch's embedded metric format: one is a namespace, a name, and values of dimensions. */
export function customMetrics(lines: Iterable<object>): Set<string> {
  const found = new Set<string>();
  for (const line of lines) {
    const fields = line as JsonObject;
    const about = isObject(fields._aws) ? asList(fields._aws.CloudWatchMetrics) : [];
    for (const { Namespace, Dimensions, Metrics } of about.filter(isObject)) {
      for (const names of asList(Dimensions)) {
        const values = asList(names).map((name) => `${name}=${fields[String(name)]}`);
        for (const metric of asList(Metrics).filter(isObject)) {
          found.add([Namespace, metric.Name, ...values].join(' '));
        }
      }
    }
  }
  return found;
}
