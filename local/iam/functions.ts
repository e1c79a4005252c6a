/** The functions of the template as callers that IAM knows. */
import type { Queue } from '../resources/queues.ts';
import { logGroupOf } from '../template/functions.ts';
import { TemplateError } from '../template/json.ts';
import { type Model, whereIs } from '../template/model.ts';
import type { CloudLog, FunctionSpec } from '../types.ts';
import { Iam } from './iam.ts';
import { logStreamArn, readRoles } from './policy.ts';

/** What Lambda needs to poll a queue; AWS refuses a mapping whose role lacks one of them. */
const POLL_GRANTS = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];

/**
 * Lets each function act under its role, and warns of roles that may not write their logs.
 *
 * @throws TemplateError for a role that cannot be read as AWS would
 */
export function createIam(model: Model, specs: readonly FunctionSpec[], log: CloudLog): Iam {
  const iam = new Iam();
  const roles = readRoles(model);
  for (const spec of specs) {
    const role = roles.get(spec.roleArn);
    if (!role) throw new Error(`${spec.name}: the role ${spec.roleArn} is missing`);
    iam.addFunction(spec.accessKeyId, spec.name, role);
  }
  for (const resource of model.ofType('AWS::Lambda::Function')) {
    const spec = specs.find(({ name }) => name === resource.ref);
    if (!spec) continue;
    const stream = logStreamArn(logGroupOf(resource));
    for (const action of ['logs:CreateLogStream', 'logs:PutLogEvents']) {
      if (iam.authorize(spec.accessKeyId, action, stream).allowed) continue;
      log('warn', `${resource.ref} may not ${action} on its log group: on AWS its logs would be lost`, {
        function: resource.ref,
      });
    }
  }
  return iam;
}

/**
 * Checks that a function's role lets Lambda poll its queue.
 *
 * @param id of the event source mapping
 * @throws TemplateError with AWS's sentence if it does not
 */
export function checkPollGrants(model: Model, iam: Iam, spec: FunctionSpec, queue: Queue, id: string): void {
  for (const action of POLL_GRANTS) {
    const decision = iam.authorize(spec.accessKeyId, action, queue.arn);
    if (decision.allowed) continue;
    const resource = model.ofType('AWS::Lambda::EventSourceMapping').find(({ ref }) => ref === id);
    const where = resource ? whereIs(resource) : { stack: spec.stack, logicalId: spec.logicalId };
    const name = action.slice('sqs:'.length);
    throw new TemplateError(
      where,
      `The provided execution role does not have permissions to call ${name} on SQS: ${decision.message}`,
    );
  }
}
