import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { SignUpMode } from '../lib/accounts/accounts.ts';
import manifest from '../package.json' with { type: 'json' };
import type { DataStack } from './data-stack.ts';
import type { DispatchStack } from './dispatch-stack.ts';
import { PealFunction } from './peal-function.ts';

/** What it tells of the deployment. */
export interface OperatorProps {
  bundle: string;
  signUp: SignUpMode;
  /** Users that an account's messages may reach in a month; 0: no limit. */
  quota: number;
}

/** The function behind `peal admin`: invoked with AWS credentials only. */
export function operator(
  scope: Construct,
  { directory, mailbox, attachments, media, fcmSecret, apnsSecret, webPushSecret }: DataStack,
  { carriers, fanOut, receipts, socket }: DispatchStack,
  { bundle, signUp, quota }: OperatorProps,
): PealFunction {
  const secrets = { FCM: fcmSecret, APNS: apnsSecret, WEBPUSH: webPushSecret };
  const queues = { ...carriers, FAN_OUT: fanOut, REPEAT: receipts.repeats, CALLBACK: receipts.callbacks };
  const environment: Record<string, string> = {
    DIRECTORY_TABLE: directory.tableName,
    MAILBOX_TABLE: mailbox.tableName,
    ATTACHMENTS_BUCKET: attachments.bucketName,
    MEDIA_BUCKET: media.bucketName,
    VERSION: manifest.version,
    SIGN_UP: signUp,
    QUOTA: String(quota),
    SOCKET_ENDPOINT: socket.endpoint,
  };
  for (const [name, { queue, deadLetters }] of Object.entries(queues)) {
    environment[`${name.toUpperCase()}_QUEUE_URL`] = queue.queueUrl;
    environment[`${name.toUpperCase()}_DEAD_LETTER_QUEUE_URL`] = deadLetters.queueUrl;
  }
  for (const [name, secret] of Object.entries(secrets)) environment[`${name}_SECRET`] = secret.secretArn;

  const working = Object.values(queues).map(({ queue }) => queue.queueArn);
  const dead = Object.values(queues).map(({ deadLetters }) => deadLetters.queueArn);
  return (
    new PealFunction(scope, 'Admin', {
      bundle,
      description: 'The operator’s commands: accounts, apps, invitations, carriers, status, redrive',
      environment,
      timeout: Duration.seconds(60),
      memory: 1769,
    })
      // Making, reading and changing accounts; ending their sessions and sockets, and deleting all that is theirs.
      .allow(
        [
          'dynamodb:GetItem',
          'dynamodb:PutItem',
          'dynamodb:UpdateItem',
          'dynamodb:Query',
          'dynamodb:BatchWriteItem',
          'dynamodb:BatchGetItem',
          'dynamodb:DeleteItem',
        ],
        directory.tableArn,
      )
      // What waits for the devices of an account is exported, and deleted with it; an update reports its attachments.
      .allow(['dynamodb:Query', 'dynamodb:UpdateItem', 'dynamodb:BatchWriteItem'], mailbox.tableArn)
      .allow(
        ['s3:DeleteObject'],
        attachments.arnForObjects('attachments/*'),
        attachments.arnForObjects('plain/*'),
        media.arnForObjects('sounds/*'),
      )
      .allow(['execute-api:ManageConnections'], socket.manage)
      .allow(
        ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'],
        ...Object.values(secrets).map(({ secretArn }) => secretArn),
      )
      .allow(['sqs:GetQueueAttributes'], ...working, ...dead)
      .allow(['sqs:SendMessage'], ...working)
      .allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage'], ...dead)
  );
}
