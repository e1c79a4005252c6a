import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { DataStack } from './data-stack.ts';
import type { DispatchStack } from './dispatch-stack.ts';
import { PealFunction } from './peal-function.ts';

/** The function behind `peal admin`: invoked with AWS credentials only. */
export function operator(
  scope: Construct,
  { directory, fcmSecret, apnsSecret, webPushSecret, canarySecret, settings }: DataStack,
  { carriers, fanOut, receipts, socket }: DispatchStack,
  bundle: string,
): PealFunction {
  const secrets = { FCM: fcmSecret, APNS: apnsSecret, WEBPUSH: webPushSecret };
  const queues = { ...carriers, FAN_OUT: fanOut, REPEAT: receipts.repeats, CALLBACK: receipts.callbacks };
  const environment: Record<string, string> = {
    DIRECTORY_TABLE: directory.tableName,
    SOCKET_ENDPOINT: socket.endpoint,
    CANARY_MINUTES: String(settings.canary?.minutes ?? 0),
    ...(canarySecret && { CANARY_SECRET: canarySecret.secretArn }),
  };
  for (const [name, { queue, deadLetters }] of Object.entries(queues)) {
    environment[`${name.toUpperCase()}_QUEUE_URL`] = queue.queueUrl;
    environment[`${name.toUpperCase()}_DEAD_LETTER_QUEUE_URL`] = deadLetters.queueUrl;
  }
  for (const [name, secret] of Object.entries(secrets)) environment[`${name}_SECRET`] = secret.secretId;

  const working = Object.values(queues).map(({ queue }) => queue.queueArn);
  const dead = Object.values(queues).map(({ deadLetters }) => deadLetters.queueArn);
  const admin = new PealFunction(scope, 'Admin', {
    bundle,
    description: 'The operator’s commands: accounts, passwords, invitations, status, redrive',
    environment,
    timeout: Duration.seconds(60),
    memory: 1769,
  })
    .allowItems(['PutItem'], directory, 'logins', 'accounts', 'invitations')
    // Resetting a password, which ends the account's sessions and their sockets.
    .allowItems(['UpdateItem'], directory, 'logins')
    .allowItems(['Query', 'BatchWriteItem'], directory, 'accounts')
    .allowItems(['BatchGetItem'], directory, 'accounts', 'connections')
    .allowItems(['DeleteItem'], directory, 'connections')
    .allow(['execute-api:ManageConnections'], socket.manage)
    .allow(['secretsmanager:GetSecretValue'], ...Object.values(secrets).map(({ grantArn }) => grantArn))
    .allow(['sqs:GetQueueAttributes'], ...working, ...dead)
    .allow(['sqs:SendMessage'], ...working)
    .allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage'], ...dead);
  if (canarySecret) {
    admin
      // Reads what the canary's account has, to make it anew.
      .allowItems(['GetItem'], directory, 'logins')
      .allow(['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'], canarySecret.secretArn);
  }
  return admin;
}
