/** How the deployment is, and dead letters. */
import { SQSClient } from '@aws-sdk/client-sqs';
import { CARRIERS, type CarrierName } from '../../lib/carriers/carrier.ts';
import { type Redriven, type Renew, redrive, renewDispatch } from '../../lib/dispatch/redrive.ts';
import { statusOf } from '../../lib/dispatch/status.ts';
import { renewFanOut } from '../../lib/fanout/fan-out.ts';
import { awsClient } from '../../lib/net/aws-client.ts';
import { renewCallback } from '../../lib/receipts/callback.ts';
import { parseRepeatRecord } from '../../lib/receipts/repeat.ts';
import { Refusal } from '../../lib/refusal.ts';
import { OperatorQueue } from '../../lib/storage/operator-queue.ts';
import { Queue } from '../../lib/storage/queue.ts';
import { limit, variable } from '../environment.ts';
import { canaryStatus } from './canary.ts';
import { clock } from './context.ts';
import { CREDENTIALS, readSecret, type SecretName } from './secrets.ts';
import { WORK_MS } from './work.ts';

type WatchedQueue = CarrierName | 'callback' | 'fan-out' | 'repeat';

/** How records get a fresh budget that are not a carrier's. */
const RENEW: Partial<Record<WatchedQueue, Renew>> = {
  'fan-out': renewFanOut,
  repeat: parseRepeatRecord,
  callback: renewCallback,
};

const sqs = awsClient('sqs-receive', SQSClient);

/** What can be looked at and redriven: a queue each, and what says whether its carrier has credentials. */
const QUEUES = ([...CARRIERS, 'fan-out', 'repeat', 'callback'] as const).map(watched);

export const QUEUE_COMMANDS = {
  status: async () => ({
    version: variable('VERSION'),
    signUp: variable('SIGN_UP'),
    quota: limit('QUOTA'),
    api: variable('API_URL'),
    canaryStatus: await canaryStatus(),
    queues: await statusOf(QUEUES),
  }),

  redrive: async ({ queue: name }: { queue: string }): Promise<Redriven> => {
    const found = QUEUES.find((candidate) => candidate.name === name);
    if (!found) {
      const sentence = `unknown queue, can only be ${QUEUES.map((queue) => queue.name).join(', ')}`;
      throw new Refusal({ field: 'queue', reason: 'is unknown', sentence });
    }
    const queue = new Queue(sqs, found.url);
    const renew = RENEW[found.name] ?? renewDispatch;
    return redrive({ deadLetters: found.deadLetters, queue, renew }, clock, clock() + WORK_MS);
  },
};

function watched(name: WatchedQueue) {
  const prefix = name.replace('-', '_').toUpperCase();
  const url = variable(`${prefix}_QUEUE_URL`);
  // A queue's name takes the place of the last part of another's address.
  const at = (queueName: string) => new URL(queueName, url).href;
  return {
    name,
    url,
    queue: new OperatorQueue(sqs, url),
    ...(hasSlowLane(name) && { slow: new OperatorQueue(sqs, at(variable(`${prefix}_SLOW`))) }),
    deadLetters: new OperatorQueue(sqs, at(variable(`${prefix}_DEAD_LETTERS`))),
    ...(hasSecret(name) && {
      credentials: async () => CREDENTIALS[name](await readSecret(name)) !== undefined,
    }),
  };
}

/** Queues whose work is to ask other people's servers, or devices. */
function hasSlowLane(name: WatchedQueue): boolean {
  return name !== 'fan-out' && name !== 'repeat';
}

function hasSecret(name: WatchedQueue): name is SecretName & WatchedQueue {
  return name in CREDENTIALS;
}
