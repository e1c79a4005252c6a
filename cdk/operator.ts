import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import manifest from '../package.json' with { type: 'json' };
import type { DataStack } from './data-stack.ts';
import type { DispatchStack } from './dispatch-stack.ts';
import { PealFunction } from './peal-function.ts';

/** The function behind `peal admin`: invoked with AWS credentials only. */
export function operator(
  scope: Construct,
  data: DataStack,
  { carriers, fanOut, receipts, socket }: DispatchStack,
  bundle: string,
): PealFunction {
  const { directory, mailbox, attachments, media, canarySecret, settings } = data;
  const { fcmSecret, apnsSecret, webPushSecret } = data;
  const secrets = { FCM: fcmSecret, APNS: apnsSecret, WEBPUSH: webPushSecret };
  const queues = { ...carriers, FAN_OUT: fanOut, REPEAT: receipts.repeats, CALLBACK: receipts.callbacks };
  const environment: Record<string, string> = {
    DIRECTORY_TABLE: directory.tableName,
    MAILBOX_TABLE: mailbox.tableName,
    ATTACHMENTS_BUCKET: attachments.bucketName,
    MEDIA_BUCKET: media.bucketName,
    VERSION: manifest.version,
    SIGN_UP: settings.signUp,
    QUOTA: String(settings.quota),
    SOCKET_ENDPOINT: socket.endpoint,
    CANARY_MINUTES: String(settings.canary?.minutes ?? 0),
    ...(canarySecret && { CANARY_SECRET: canarySecret.secretArn }),
  };
  for (const [name, work] of Object.entries(queues)) {
    const { queue, deadLetters } = work;
    environment[`${name.toUpperCase()}_QUEUE_URL`] = queue.queueUrl;
    // By their names, which are in the same place: Lambda takes 4 KB of variables, and an address is twice as long.
    if ('slow' in work) environment[`${name.toUpperCase()}_SLOW`] = work.slow.queueName;
    environment[`${name.toUpperCase()}_DEAD_LETTERS`] = deadLetters.queueName;
  }
  for (const [name, secret] of Object.entries(secrets)) environment[`${name}_SECRET`] = secret.secretId;

  const working = Object.values(queues).map(({ queue }) => queue.queueArn);
  const slow = Object.values(queues).flatMap((work) => ('slow' in work ? [work.slow.queueArn] : []));
  const dead = Object.values(queues).map(({ deadLetters }) => deadLetters.queueArn);
  const admin = new PealFunction(scope, 'Admin', {
    bundle,
    description: 'The operator’s commands: accounts, apps, invitations, carriers, status, redrive',
    environment,
    timeout: Duration.seconds(60),
    memory: 1769,
  })
    // Making, listing, reading and changing accounts; ending their sessions and sockets; deleting all that is theirs.
    .allowItems(['GetItem'], directory, 'logins', 'listed', 'accounts')
    .allowItems(
      ['PutItem'],
      directory,
      'logins',
      'listed',
      'accounts',
      'tokens',
      'invitations',
      'madeInvitations',
    )
    .allowItems(['UpdateItem'], directory, 'logins', 'accounts', 'tokens', 'groups')
    .allowItems(['DeleteItem'], directory, 'logins', 'listed', 'accounts', 'groups', 'connections')
    .allowItems(['Query'], directory, 'listed', 'accounts', 'groups', 'ownReceipts', 'madeInvitations')
    .allowItems(
      ['BatchGetItem'],
      directory,
      'logins',
      'accounts',
      'groups',
      'receipts',
      'deliveries',
      'connections',
      'invitations',
    )
    .allowItems(
      ['BatchWriteItem'],
      directory,
      'accounts',
      'tokens',
      'groups',
      'receipts',
      'recipients',
      'deliveries',
      'ownReceipts',
      'tags',
      'connections',
      'invitations',
      'madeInvitations',
    )
    // What waits for the devices of an account, and what became of what it has sent, is exported, and deleted with it.
    .allowItems(['Query'], mailbox, 'devices', 'acknowledgements', 'sent')
    .allowItems(['BatchGetItem'], mailbox, 'reached')
    .allowItems(['BatchWriteItem'], mailbox, 'devices', 'acknowledgements', 'sent', 'reached', 'attachments')
    // A device that is deleted will never fetch its attachments: that is its report.
    .allowItems(['UpdateItem'], mailbox, 'attachments')
    .allow(
      ['s3:DeleteObject'],
      attachments.arnForObjects('attachments/*'),
      attachments.arnForObjects('plain/*'),
      media.arnForObjects('sounds/*'),
    )
    .allow(['execute-api:ManageConnections'], socket.manage)
    .allow(
      ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'],
      ...Object.values(secrets).map(({ grantArn }) => grantArn),
    )
    // Each queue once: IAM takes 10,240 characters of all policies of a role.
    .allow(['sqs:GetQueueAttributes', 'sqs:SendMessage'], ...working)
    .allow(['sqs:GetQueueAttributes'], ...slow)
    .allow(['sqs:GetQueueAttributes', 'sqs:ReceiveMessage', 'sqs:DeleteMessage'], ...dead);
  if (canarySecret) {
    admin.allow(['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'], canarySecret.secretArn);
  }
  return admin;
}
