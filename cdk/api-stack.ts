import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { HttpApi, HttpMethod, HttpStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { Construct } from 'constructs';
import type { SignUpMode } from '../lib/accounts/accounts.ts';
import type { Bundles } from './bundles.ts';
import type { DataStack } from './data-stack.ts';
import type { DispatchStack } from './dispatch-stack.ts';
import { queueUrls } from './fan-out.ts';
import { operator } from './operator.ts';
import { PealFunction } from './peal-function.ts';
import type { SendingLimits } from './sending-limits.ts';

export interface ApiStackProps extends StackProps {
  data: DataStack;
  dispatch: DispatchStack;
  bundles: Bundles;
  signUp: SignUpMode;
  sending: SendingLimits;
  /** Most sign-ups from one address within an hour. */
  registrationsPerHour: number;
}

/** The front door: the HTTP API with a function for sending, one for sync, one for
 * accounts, one for receipts; the documentation; and the operator's. */
export class ApiStack extends Stack {
  /** Where senders and devices connect. */
  readonly endpoint: string;

  constructor(scope: Construct, id: string, options: ApiStackProps) {
    const { data, dispatch, bundles, signUp, registrationsPerHour, sending, ...props } = options;
    super(scope, id, props);
    const { directory, mailbox, attachments: bucket } = data;
    const tables = { DIRECTORY_TABLE: directory.tableName, MAILBOX_TABLE: mailbox.tableName };
    const quota = { QUOTA: String(sending.quota) };
    const bucketName = { ATTACHMENTS_BUCKET: bucket.bucketName };
    const objects = (...prefixes: string[]) => prefixes.map((prefix) => bucket.arnForObjects(`${prefix}/*`));

    const send = new PealFunction(this, 'Send', {
      bundle: bundles('send'),
      description: 'Accepts messages: seals, stores, queues',
      environment: {
        ...tables,
        ...quota,
        BURST: String(sending.burst),
        ...bucketName,
        ...queueUrls(dispatch.carriers),
        FAN_OUT_QUEUE_URL: dispatch.fanOut.queue.queueUrl,
        REPEAT_QUEUE_URL: dispatch.receipts.repeats.queue.queueUrl,
      },
      timeout: Duration.seconds(29),
      // A whole CPU: sealing for fifty users' devices is arithmetic.
      memory: 1769,
    })
      // A query reads a group's members; puts and deletes are of receipts, updates count against the limits.
      .allow(
        [
          'dynamodb:BatchGetItem',
          'dynamodb:Query',
          'dynamodb:PutItem',
          'dynamodb:UpdateItem',
          'dynamodb:DeleteItem',
        ],
        directory.tableArn,
      )
      .allow(
        ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
        mailbox.tableArn,
      )
      .allow(['s3:PutObject'], ...objects('attachments'))
      .allow(['s3:GetObject'], ...objects('uploads'))
      .allow(['s3:DeleteObject'], ...objects('attachments', 'uploads'))
      // Without it S3 says of an upload that is not there that it is forbidden, as of a missing grant.
      .allow(['s3:ListBucket'], bucket.bucketArn)
      .allow(
        ['sqs:SendMessage'],
        ...Object.values(dispatch.carriers).map(({ queue }) => queue.queueArn),
        dispatch.fanOut.queue.queueArn,
        dispatch.receipts.repeats.queue.queueArn,
      );

    const sync = new PealFunction(this, 'Sync', {
      bundle: bundles('sync'),
      description: 'Serves what waits for a device, and deletes what it has stored',
      environment: { ...tables, ...bucketName },
      timeout: Duration.seconds(29),
      memory: 1024,
    })
      // Updates note the use of a session.
      .allow(['dynamodb:BatchGetItem', 'dynamodb:UpdateItem'], directory.tableArn)
      .allow(
        ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:UpdateItem', 'dynamodb:BatchWriteItem'],
        mailbox.tableArn,
      )
      .allow(['s3:DeleteObject'], ...objects('attachments', 'plain'));

    const attachments = new PealFunction(this, 'Attachments', {
      bundle: bundles('attachments'),
      description: 'Attachments: uploads, where a device gets one, that it has it',
      environment: { ...tables, ...bucketName },
      timeout: Duration.seconds(29),
      // An image is opened in memory for a device without a key.
      memory: 1024,
    })
      .allow(['dynamodb:BatchGetItem'], directory.tableArn)
      .allow(['dynamodb:GetItem', 'dynamodb:UpdateItem'], mailbox.tableArn)
      // What it presigns is done under its role.
      .allow(['s3:GetObject'], ...objects('attachments', 'plain'))
      .allow(['s3:PutObject'], ...objects('plain', 'uploads'))
      // A device learns that an attachment is gone, and not that it is forbidden.
      .allow(['s3:ListBucket'], bucket.bucketArn);

    const receipts = new PealFunction(this, 'Receipts', {
      bundle: bundles('receipts'),
      description: 'Receipts of emergency messages: state, cancel, acknowledge',
      environment: {
        DIRECTORY_TABLE: directory.tableName,
        CALLBACK_QUEUE_URL: dispatch.receipts.callbacks.queue.queueUrl,
      },
      timeout: Duration.seconds(15),
      memory: 512,
    })
      .allow(
        ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:UpdateItem'],
        directory.tableArn,
      )
      .allow(['sqs:SendMessage'], dispatch.receipts.callbacks.queue.queueArn);

    const account = new PealFunction(this, 'Account', {
      bundle: bundles('account'),
      description: 'Accounts, sessions, devices, apps',
      environment: {
        DIRECTORY_TABLE: directory.tableName,
        SIGN_UP: signUp,
        REGISTRATIONS_PER_HOUR: String(registrationsPerHour),
        MASTER_SECRET: data.masterSecret.secretArn,
        SOCKET_ENDPOINT: dispatch.socket.endpoint,
      },
      timeout: Duration.seconds(15),
      // argon2id takes 50 ms of a whole CPU.
      memory: 1769,
    })
      .allow(
        [
          'dynamodb:BatchGetItem',
          'dynamodb:BatchWriteItem',
          'dynamodb:GetItem',
          'dynamodb:PutItem',
          'dynamodb:UpdateItem',
          'dynamodb:DeleteItem',
          'dynamodb:Query',
        ],
        directory.tableArn,
      )
      .allow(['secretsmanager:GetSecretValue'], data.masterSecret.secretArn)
      .allow(['execute-api:ManageConnections'], dispatch.socket.manage);

    const info = new PealFunction(this, 'Info', {
      bundle: bundles('info'),
      description: 'Tells senders about user keys, sounds and limits',
      environment: { DIRECTORY_TABLE: directory.tableName, ...quota },
      timeout: Duration.seconds(15),
      memory: 512,
    }).allow(['dynamodb:BatchGetItem', 'dynamodb:Query'], directory.tableArn);

    const groups = new PealFunction(this, 'Groups', {
      bundle: bundles('groups'),
      description: 'Groups and their members',
      environment: { DIRECTORY_TABLE: directory.tableName },
      timeout: Duration.seconds(29),
      memory: 1024,
    }).allow(
      [
        'dynamodb:BatchGetItem',
        'dynamodb:Query',
        'dynamodb:PutItem',
        'dynamodb:UpdateItem',
        'dynamodb:DeleteItem',
      ],
      directory.tableArn,
    );

    const openapi = new PealFunction(this, 'OpenApi', {
      bundle: bundles('openapi'),
      description: 'The OpenAPI document and the page made of it',
      environment: {},
      timeout: Duration.seconds(15),
      memory: 512,
    });

    const media = new PealFunction(this, 'Media', {
      bundle: bundles('media'),
      description: 'Serves sounds and icons, and takes those of accounts',
      environment: { DIRECTORY_TABLE: directory.tableName, MEDIA_BUCKET: data.media.bucketName },
      timeout: Duration.seconds(29),
      // A whole CPU: reading an image of four million pixels is arithmetic.
      memory: 1769,
    })
      .allow(
        ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
        directory.tableArn,
      )
      .allow(
        ['s3:GetObject', 's3:PutObject'],
        ...['icons/*', 'sounds/*'].map((keys) => data.media.arnForObjects(keys)),
      )
      .allow(['s3:DeleteObject'], data.media.arnForObjects('sounds/*'))
      // Without it S3 calls what is missing forbidden.
      .allow(['s3:ListBucket'], data.media.bucketArn);

    const pushKey = new PealFunction(this, 'PushKey', {
      bundle: bundles('push-key'),
      description: 'Tells browsers the key that they subscribe to Web Push with',
      environment: {
        DIRECTORY_TABLE: directory.tableName,
        CARRIER_SECRET: data.webPushSecret.secretArn,
      },
      timeout: Duration.seconds(15),
      memory: 512,
    })
      .allow(['dynamodb:BatchGetItem'], directory.tableArn)
      .allow(['secretsmanager:GetSecretValue'], data.webPushSecret.secretArn);

    const admin = operator(this, data, dispatch, { bundle: bundles('admin'), signUp, quota: sending.quota });

    const api = new HttpApi(this, 'HttpApi', {
      description: 'Peal: the REST API',
      createDefaultStage: false,
    });
    new HttpStage(this, 'HttpStage', {
      httpApi: api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: 5_000, burstLimit: 2_500 },
    });
    const route = (handler: PealFunction, method: HttpMethod, ...paths: string[]) => {
      const integration = new HttpLambdaIntegration(`${handler.node.id}Integration`, handler.lambda);
      for (const path of paths) api.addRoutes({ path, methods: [method], integration });
    };
    route(send, HttpMethod.POST, ...suffixed('/1/messages'));
    route(attachments, HttpMethod.POST, ...suffixed('/1/attachments'));
    route(attachments, HttpMethod.GET, ...suffixed('/1/messages/{id}/attachment'));
    route(attachments, HttpMethod.POST, ...suffixed('/1/messages/{id}/attachment/downloaded'));
    route(sync, HttpMethod.GET, ...suffixed('/1/messages'));
    route(sync, HttpMethod.POST, ...suffixed('/1/devices/{id}/update_highest_message'));
    route(receipts, HttpMethod.GET, '/1/receipts/{receipt}');
    route(receipts, HttpMethod.POST, ...suffixed('/1/receipts/{receipt}/cancel'));
    route(receipts, HttpMethod.POST, ...suffixed('/1/receipts/{receipt}/acknowledge'));
    route(receipts, HttpMethod.POST, '/1/receipts/cancel_by_tag/{tag+}');
    route(account, HttpMethod.POST, ...suffixed('/1/users'), ...suffixed('/1/users/login'));
    route(account, HttpMethod.POST, ...suffixed('/1/users/logout'), ...suffixed('/1/users/password'));
    route(account, HttpMethod.POST, ...suffixed('/1/users/twofa'), ...suffixed('/1/users/twofa/confirm'));
    route(account, HttpMethod.POST, ...suffixed('/1/users/twofa/disable'));
    route(account, HttpMethod.GET, ...suffixed('/1/users/twofa'), ...suffixed('/1/sessions'));
    route(account, HttpMethod.POST, ...suffixed('/1/sessions/revoke_others'));
    route(account, HttpMethod.POST, ...suffixed('/1/sessions/{id}/revoke'), ...suffixed('/1/devices'));
    route(account, HttpMethod.POST, '/1/devices/{id}', ...suffixed('/1/devices/{id}/delete'));
    route(account, HttpMethod.POST, ...suffixed('/1/apps'));
    route(account, HttpMethod.POST, ...suffixed('/1/apps/{id}/rotate'), ...suffixed('/1/apps/{id}/delete'));
    route(account, HttpMethod.GET, ...suffixed('/1/devices'), ...suffixed('/1/apps'));
    route(info, HttpMethod.POST, ...suffixed('/1/users/validate'));
    route(info, HttpMethod.GET, ...suffixed('/1/sounds'), ...suffixed('/1/apps/limits'));
    route(groups, HttpMethod.POST, ...suffixed('/1/groups'));
    for (const change of [
      'add_user',
      'remove_user',
      'delete_user',
      'disable_user',
      'enable_user',
      'rename',
    ]) {
      route(groups, HttpMethod.POST, ...suffixed(`/1/groups/{group}/${change}`));
    }
    route(groups, HttpMethod.GET, ...suffixed('/1/groups'), '/1/groups/{group}');
    route(openapi, HttpMethod.GET, '/1/openapi.json', '/docs');
    route(media, HttpMethod.GET, '/sounds/{file}', '/icons/{file}', ...suffixed('/1/account/sounds'));
    route(media, HttpMethod.POST, ...suffixed('/1/sounds'), ...suffixed('/1/sounds/{name}/delete'));
    route(media, HttpMethod.POST, ...suffixed('/1/apps/{id}/icon'), ...suffixed('/1/apps/{id}/icon/delete'));
    route(pushKey, HttpMethod.GET, ...suffixed('/1/push_key'));
    route(account, HttpMethod.OPTIONS, '/{proxy+}');

    this.endpoint = api.apiEndpoint;
    admin.lambda.addEnvironment('API_URL', this.endpoint);
    new CfnOutput(this, 'ApiUrl', {
      value: this.endpoint,
      description: 'Where senders and devices connect',
    });
    new CfnOutput(this, 'AdminFunction', {
      value: admin.lambda.functionName,
      description: 'The function behind peal admin',
    });
  }
}

/** A path with and without the `.json` that Pushover's clients put, or do not put, after it. */
function suffixed(path: string): string[] {
  return [`${path}.json`, path];
}
