/** Creates the template's queues and buckets. */
import { asString, isObject, type JsonObject, TemplateError } from '../template/json.ts';
import { type Model, type Resource, whereIs } from '../template/model.ts';
import type { QueueServer } from './fauxqs.ts';

/** A queue as deployed. */
export interface Queue {
  logicalId: string;
  name: string;
  arn: string;
  url: string;
  /** Seconds. */
  visibilityTimeout: number;
}

/** Template properties that SQS takes as attributes of the same name. */
const ATTRIBUTES = new Set([
  'VisibilityTimeout',
  'DelaySeconds',
  'MaximumMessageSize',
  'MessageRetentionPeriod',
  'ReceiveMessageWaitTimeSeconds',
  'RedrivePolicy',
  'RedriveAllowPolicy',
  'KmsMasterKeyId',
  'KmsDataKeyReusePeriodSeconds',
  'SqsManagedSseEnabled',
  'FifoQueue',
  'ContentBasedDeduplication',
  'DeduplicationScope',
  'FifoThroughputLimit',
]);
const IGNORED = new Set(['QueueName', 'Tags']);

/**
 * Creates every queue, dead-letter queues included.
 *
 * @returns queues by ARN
 * @throws TemplateError for a property that SQS would not get, and a redrive policy to a queue that does not exist
 */
export function createQueues(model: Model, server: QueueServer): Map<string, Queue> {
  const queues = new Map<string, Queue>();
  const resources = model.ofType('AWS::SQS::Queue');
  for (const resource of resources) {
    const { Arn = '', QueueName = '' } = resource.attributes;
    const attributes = attributesOf(resource);
    server.createQueue(QueueName, resource.ref, attributes);
    queues.set(Arn, {
      logicalId: resource.logicalId,
      name: QueueName,
      arn: Arn,
      url: resource.ref,
      visibilityTimeout: Number(attributes.VisibilityTimeout ?? 30),
    });
  }
  for (const resource of resources) {
    const redrive = resource.properties.RedrivePolicy;
    if (redrive === undefined) continue;
    const policy = (typeof redrive === 'string' ? JSON.parse(redrive) : redrive) as JsonObject;
    const target = asString(policy.deadLetterTargetArn, whereIs(resource, 'RedrivePolicy'));
    if (!queues.has(target)) {
      throw new TemplateError(whereIs(resource, 'RedrivePolicy'), `there is no dead-letter queue ${target}`);
    }
  }
  return queues;
}

function attributesOf(resource: Resource): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [name, value] of Object.entries(resource.properties)) {
    if (IGNORED.has(name)) continue;
    if (!ATTRIBUTES.has(name)) throw new TemplateError(whereIs(resource, name), 'is not supported here');
    attributes[name] = isObject(value) ? JSON.stringify(value) : asString(value, whereIs(resource, name));
  }
  return attributes;
}

/** Creates every bucket. @returns bucket names */
export function createBuckets(model: Model, server: QueueServer): string[] {
  const names = model.ofType('AWS::S3::Bucket').map(({ ref }) => ref);
  for (const name of names) server.createBucket(name);
  return names;
}
