/** SQS behind the front: who may touch which queue, the limits that the emulator skips, requests counted. */
import { asList, isObject, type Json, type JsonObject } from '../template/json.ts';
import { arn } from '../template/pseudo.ts';
import type { Meter } from '../types.ts';
import type { Backend } from './backend.ts';
import { type Access, type Answer, answerJson, type Call, jsonAnswer, type Service } from './call.ts';
import { checkBatch, checkMessage, failedEntries, sqsError } from './sqs-limits.ts';

export interface SqsOptions {
  backend: Backend;
  meter: Meter;
  /** Puts a message with a group into a standard queue, which the emulator would forget (fair queues). */
  sendGrouped(message: JsonObject): JsonObject;
}

/** Actions that IAM knows under another name. */
const GRANTS: Record<string, string> = {
  SendMessageBatch: 'SendMessage',
  DeleteMessageBatch: 'DeleteMessage',
  ChangeMessageVisibilityBatch: 'ChangeMessageVisibility',
};

const ACTIONS = new Set([
  ...Object.keys(GRANTS),
  'SendMessage',
  'ReceiveMessage',
  'DeleteMessage',
  'ChangeMessageVisibility',
  'GetQueueAttributes',
  'SetQueueAttributes',
  'GetQueueUrl',
  'PurgeQueue',
  'CreateQueue',
  'DeleteQueue',
  'ListQueues',
]);

/** SQS bills each started 64 KB of a request. */
const CHUNK = 64 * 1024;

/** The SQS service over a fauxqs server. */
export function createSqs({ backend, meter, sendGrouped }: SqsOptions): Service {
  const forward = (action: string, body: Buffer | string): Promise<Answer> =>
    backend.send(
      'POST',
      '/',
      { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${action}` },
      body,
    );

  const count = (call: Call, bytes: number): void =>
    meter.count(call.caller.name, 'sqs.requests', Math.max(1, Math.ceil(bytes / CHUNK)));

  const send = (call: Call): Answer | Promise<Answer> => {
    const { input } = call;
    const refused = checkMessage(input);
    if (refused) return refused;
    if (input.MessageGroupId === undefined || isFifo(input.QueueUrl))
      return forward('SendMessage', call.body);
    return jsonAnswer(200, sendGrouped(input));
  };

  const sendBatch = async (call: Call): Promise<Answer> => {
    const { QueueUrl: queue = null } = call.input;
    const entries = asList(call.input.Entries).filter(isObject);
    const refused = checkBatch(entries);
    if (refused) return refused;
    const failed = failedEntries(entries);
    const rest = entries.filter((entry) => !failed.some(({ Id }) => Id === entry.Id));
    if (!isFifo(queue) && entries.some(({ MessageGroupId }) => MessageGroupId !== undefined)) {
      const sent = rest.map((entry) => ({
        Id: entry.Id as Json,
        ...sendGrouped({ ...entry, QueueUrl: queue }),
      }));
      return jsonAnswer(200, { Successful: sent, Failed: failed });
    }
    if (failed.length === 0) return forward('SendMessageBatch', call.body);
    if (rest.length === 0) return jsonAnswer(200, { Successful: [], Failed: failed });
    const answer = await forward('SendMessageBatch', JSON.stringify({ ...call.input, Entries: rest }));
    if (answer.status !== 200) return answer;
    const output = answerJson(answer);
    return jsonAnswer(200, { ...output, Failed: [...asList(output.Failed), ...failed] });
  };

  return {
    accesses,
    // SQS writes actions in its sentences in lower case.
    deny: (_call, message) =>
      jsonAnswer(
        400,
        {
          __type: 'com.amazon.coral.service#AccessDeniedException',
          Message: message.replaceAll(/sqs:[A-Za-z]+/g, (action) => action.toLowerCase()),
        },
        '1.0',
        { 'x-amzn-query-error': 'AccessDenied;Sender' },
      ),
    async run(call) {
      if (call.action === 'SendMessage' || call.action === 'SendMessageBatch') {
        count(call, call.body.length);
        return call.action === 'SendMessage' ? send(call) : sendBatch(call);
      }
      const answer = await forward(call.action, call.body);
      count(call, call.action === 'ReceiveMessage' ? answer.body.length : call.body.length);
      return answer;
    },
  };
}

function accesses(call: Call): Access[] | Answer {
  const { action, input } = call;
  if (!ACTIONS.has(action)) {
    return sqsError('UnsupportedOperation', `${action} is not available in the local cloud`);
  }
  const name = GRANTS[action] ?? action;
  if (action === 'ListQueues') return [{ action: 'sqs:ListQueues', resource: '*' }];
  const queue = typeof input.QueueName === 'string' ? input.QueueName : queueName(input.QueueUrl);
  return [{ action: `sqs:${name}`, resource: arn('sqs', queue) }];
}

/** The queue's name: the last part of its URL. */
export function queueName(url: Json | undefined): string {
  return typeof url === 'string' ? url.slice(url.lastIndexOf('/') + 1) : '';
}

function isFifo(url: Json | undefined): boolean {
  return queueName(url).endsWith('.fifo');
}
