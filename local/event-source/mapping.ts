/** Event source mappings as the template describes them, checked as AWS checks them when they are created. */
import type { Queue } from '../resources/queues.ts';
import { asList, asNumber, asString, isObject, TemplateError } from '../template/json.ts';
import { type Model, type Resource, whereIs } from '../template/model.ts';
import type { FunctionSpec } from '../types.ts';
import { type Pattern, readPattern } from './filter.ts';

/** One queue that feeds one function. */
export interface Mapping {
  id: string;
  function: FunctionSpec;
  queue: Queue;
  batchSize: number;
  /** Seconds to wait for a batch to fill. */
  window: number;
  /** Invocations at a time. */
  maximumConcurrency: number;
  reportsItemFailures: boolean;
  /** A message that matches none of these is deleted unseen; empty: all match. */
  filters: Pattern[];
}

/**
 * Invocations at a time where the template sets no limit. AWS begins with five and scales from there (to 1,250); more
 * than that gains nothing on one machine.
 */
const DEFAULT_CONCURRENCY = 5;

const PROPERTIES = new Set([
  'BatchSize',
  'Enabled',
  'EventSourceArn',
  'FilterCriteria',
  'FunctionName',
  'FunctionResponseTypes',
  'MaximumBatchingWindowInSeconds',
  'MetricsConfig',
  'ScalingConfig',
  'Tags',
]);

/**
 * Reads every enabled `AWS::Lambda::EventSourceMapping`.
 *
 * @param queues by ARN
 * @throws TemplateError for what AWS would refuse or the local cloud cannot run
 */
export function readMappings(
  model: Model,
  functions: readonly FunctionSpec[],
  queues: ReadonlyMap<string, Queue>,
): Mapping[] {
  return model
    .ofType('AWS::Lambda::EventSourceMapping')
    .filter(({ properties }) => properties.Enabled !== false && properties.Enabled !== 'false')
    .map((resource) => readMapping(resource, functions, queues));
}

function readMapping(
  resource: Resource,
  functions: readonly FunctionSpec[],
  queues: ReadonlyMap<string, Queue>,
): Mapping {
  const { properties } = resource;
  for (const name of Object.keys(properties)) {
    if (!PROPERTIES.has(name)) throw new TemplateError(whereIs(resource, name), 'is not supported here');
  }
  const number = (
    name: string,
    value: Parameters<typeof asNumber>[0],
    least: number,
    most: number,
  ): number => {
    const result = asNumber(value, whereIs(resource, name));
    if (Number.isInteger(result) && result >= least && result <= most) return result;
    throw new TemplateError(whereIs(resource, name), `AWS takes ${least} to ${most}, not ${result}`);
  };
  const name = asString(properties.FunctionName, whereIs(resource, 'FunctionName'));
  const target = functions.find((spec) => spec.name === name || spec.arn === name);
  if (!target) throw new TemplateError(whereIs(resource, 'FunctionName'), `there is no function ${name}`);
  const source = asString(properties.EventSourceArn, whereIs(resource, 'EventSourceArn'));
  const queue = queues.get(source);
  if (!queue) throw new TemplateError(whereIs(resource, 'EventSourceArn'), `there is no queue ${source}`);
  if (queue.visibilityTimeout < target.timeout) {
    throw new TemplateError(
      whereIs(resource),
      `Queue visibility timeout: ${queue.visibilityTimeout} seconds is less than Function timeout: ${target.timeout} seconds`,
    );
  }
  const window = number(
    'MaximumBatchingWindowInSeconds',
    properties.MaximumBatchingWindowInSeconds ?? 0,
    0,
    300,
  );
  const batchSize = number('BatchSize', properties.BatchSize ?? 10, 1, 10_000);
  if (batchSize > 10 && window < 1) {
    throw new TemplateError(
      whereIs(resource, 'BatchSize'),
      'a batch of more than 10 needs MaximumBatchingWindowInSeconds of at least 1',
    );
  }
  const scaling = properties.ScalingConfig;
  const concurrency = isObject(scaling) ? scaling.MaximumConcurrency : undefined;
  return {
    id: resource.ref,
    function: target,
    queue,
    batchSize,
    window,
    maximumConcurrency:
      concurrency === undefined
        ? DEFAULT_CONCURRENCY
        : number('ScalingConfig.MaximumConcurrency', concurrency, 2, 1000),
    reportsItemFailures: asList(properties.FunctionResponseTypes).includes('ReportBatchItemFailures'),
    filters: readFilters(resource),
  };
}

function readFilters(resource: Resource): Pattern[] {
  const where = whereIs(resource, 'FilterCriteria');
  const criteria = resource.properties.FilterCriteria;
  const filters = isObject(criteria) ? asList(criteria.Filters).filter(isObject) : [];
  return filters.map(({ Pattern: pattern }) => readPattern(JSON.parse(asString(pattern, where)), where));
}
