/**
 * The operator's function: invoked with AWS credentials (`lambda:InvokeFunction`), never over HTTP. Makes accounts and
 * invitations whatever the sign-up mode is, resets passwords, makes the canary, says how the queues are, and puts dead
 * letters back.
 */
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { Accounts, type Login } from '../../lib/accounts/accounts.ts';
import { apnsKeyOf } from '../../lib/carriers/apns/credentials.ts';
import { CARRIERS, type CarrierName } from '../../lib/carriers/carrier.ts';
import { serviceAccountOf } from '../../lib/carriers/fcm/credentials.ts';
import { vapidKeyOf } from '../../lib/carriers/webpush/credentials.ts';
import { type Redriven, type Renew, redrive, renewDispatch } from '../../lib/dispatch/redrive.ts';
import { type QueueStatus, statusOf } from '../../lib/dispatch/status.ts';
import { renewFanOut } from '../../lib/fanout/fan-out.ts';
import { renewCallback } from '../../lib/receipts/callback.ts';
import { parseRepeatRecord } from '../../lib/receipts/repeat.ts';
import { Refusal } from '../../lib/refusal.ts';
import { OperatorQueue } from '../../lib/storage/operator-queue.ts';
import { Queue } from '../../lib/storage/queue.ts';
import { CALL, table, variable } from '../environment.ts';
import { sessionRegistry } from '../sessions.ts';
import { type CanaryStatus, OperatorCanary } from './canary.ts';

/** What the operator asks for. */
export type AdminCommand =
  | { command: 'create-account'; email: string; password: string }
  | { command: 'reset-password'; email: string; password: string; twofa: 'keep' | 'off' }
  | { command: 'invite' }
  | { command: 'canary' }
  | { command: 'status' }
  | { command: 'redrive'; queue: string };

/** What came of it. `errors`: the command was refused. */
export type AdminAnswer =
  | { id: string }
  | { invitation: string }
  | { canary: string }
  | { queues: QueueStatus[]; canaryStatus: CanaryStatus }
  | Redriven
  | { errors: string[] };

/** How long one redrive goes on; there may be more then. Below the function's own limit. Milliseconds. */
const REDRIVE_MS = 40_000;

const clock = Date.now;
const directory = table('DIRECTORY_TABLE');
const sessions = sessionRegistry(directory);
const accounts = new Accounts(directory, clock, sessions);
const sqs = new SQSClient({ maxAttempts: 4, requestHandler: { ...CALL, requestTimeout: 5_000 } });
const secrets = new SecretsManagerClient({ maxAttempts: 4, requestHandler: CALL });
const canary = new OperatorCanary(secrets);

/** How a carrier's secret is read, for those that need one. */
const CREDENTIALS: Partial<Record<string, (secret: string) => object | undefined>> = {
  fcm: serviceAccountOf,
  apns: apnsKeyOf,
  webpush: vapidKeyOf,
};

type WatchedQueue = CarrierName | 'callback' | 'fan-out' | 'repeat';

/** How records get a fresh budget that are not a carrier's. */
const RENEW: Partial<Record<WatchedQueue, Renew>> = {
  'fan-out': renewFanOut,
  repeat: parseRepeatRecord,
  callback: renewCallback,
};

/** What can be looked at and redriven: a queue each, and what says whether its carrier has credentials. */
const QUEUES = ([...CARRIERS, 'fan-out', 'repeat', 'callback'] as const).map(watched);

export const handler = async (event: AdminCommand): Promise<AdminAnswer> => {
  try {
    return await run(event);
  } catch (error) {
    if (error instanceof Refusal) return { errors: error.sentences };
    throw error;
  }
};

async function run(event: AdminCommand): Promise<AdminAnswer> {
  switch (event.command) {
    case 'create-account': {
      const { id }: Login = await accounts.create(String(event.email), String(event.password), '');
      return { id };
    }
    case 'reset-password': {
      const twofa = event.twofa === 'off' ? 'off' : 'keep';
      return { id: await accounts.resetPassword(String(event.email), String(event.password), twofa) };
    }
    case 'invite':
      return { invitation: await accounts.invite() };
    case 'status':
      return { queues: await statusOf(QUEUES), canaryStatus: await canary.status() };
    case 'canary':
      return { canary: await canary.setUp(directory, accounts, sessions) };
    case 'redrive': {
      const found = QUEUES.find(({ name }) => name === event.queue);
      if (!found)
        return { errors: [`unknown queue, can only be ${QUEUES.map(({ name }) => name).join(', ')}`] };
      const queue = new Queue(sqs, found.url);
      const renew = RENEW[found.name] ?? renewDispatch;
      return redrive({ deadLetters: found.deadLetters, queue, renew }, clock, clock() + REDRIVE_MS);
    }
    default:
      return {
        errors: [
          'unknown command, can only be create-account, reset-password, invite, canary, status or redrive',
        ],
      };
  }
}

function watched(name: WatchedQueue) {
  const credentialsOf = CREDENTIALS[name];
  const prefix = name.replace('-', '_').toUpperCase();
  const url = variable(`${prefix}_QUEUE_URL`);
  return {
    name,
    url,
    queue: new OperatorQueue(sqs, url),
    deadLetters: new OperatorQueue(sqs, variable(`${prefix}_DEAD_LETTER_QUEUE_URL`)),
    ...(credentialsOf && {
      credentials: async () => {
        const answer = await secrets.send(
          new GetSecretValueCommand({ SecretId: variable(`${prefix}_SECRET`) }),
        );
        return credentialsOf(answer.SecretString ?? '') !== undefined;
      },
    }),
  };
}
