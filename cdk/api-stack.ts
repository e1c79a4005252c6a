import { CfnOutput, Duration } from 'aws-cdk-lib';
import { HttpApi, HttpMethod, HttpStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { Construct } from 'constructs';
import { accessLog } from './access-log.ts';
import type { Bundles } from './bundles.ts';
import type { DataStack } from './data-stack.ts';
import type { DispatchStack } from './dispatch-stack.ts';
import { Edge } from './edge.ts';
import { queueUrls } from './fan-out.ts';
import { operator } from './operator.ts';
import { nameApi, nameDistribution } from './own-name.ts';
import type { DomainConfig } from './peal-config.ts';
import { PealFunction } from './peal-function.ts';
import { PealStack, type PealStackProps } from './peal-stack.ts';

export interface ApiStackProps extends PealStackProps {
  data: DataStack;
  dispatch: DispatchStack;
  bundles: Bundles;
  /** The firewall's, if one is to stand before the API. */
  webAclArn: string | undefined;
}

/** The front door: the HTTP API with a function for sending, one for sync, one for
 * accounts, one for receipts; the documentation; and the operator's. */
export class ApiStack extends PealStack {
  /** Where senders and devices connect. */
  readonly endpoint: string;
  readonly apiId: string;

  constructor(scope: Construct, id: string, options: ApiStackProps) {
    const { data, dispatch, bundles, webAclArn, ...props } = options;
    super(scope, id, props);
    const { settings } = this;
    const { directory, mailbox, attachments: bucket } = data;
    const tables = { DIRECTORY_TABLE: directory.tableName, MAILBOX_TABLE: mailbox.tableName };
    const quota = { QUOTA: String(settings.quota) };
    const behind = { BEHIND_EDGE: webAclArn === undefined ? 'no' : 'yes' };
    const bucketName = { ATTACHMENTS_BUCKET: bucket.bucketName };
    const objects = (...prefixes: string[]) => prefixes.map((prefix) => bucket.arnForObjects(`${prefix}/*`));

    const send = new PealFunction(this, 'Send', {
      bundle: bundles('send'),
      description: 'Accepts messages: seals, stores, queues',
      environment: {
        ...tables,
        ...quota,
        BURST: String(settings.burst),
        MESSAGE_DAYS: String(settings.retention.messages),
        ATTACHMENT_DAYS: String(settings.retention.attachments),
        ...bucketName,
        ...queueUrls(dispatch.carriers),
        FAN_OUT_QUEUE_URL: dispatch.fanOut.queue.queueUrl,
        REPEAT_QUEUE_URL: dispatch.receipts.repeats.queue.queueUrl,
      },
      timeout: Duration.seconds(29),
      // A whole CPU: sealing for fifty users' devices is arithmetic.
      memory: 1769,
    })
      .allowItems(['BatchGetItem'], directory, 'tokens', 'accounts', 'groups')
      .allowItems(['Query'], directory, 'groups')
      // Counts against the limits.
      .allowItems(['UpdateItem'], directory, 'tokens', 'accounts', 'throttles')
      .allowItems(['UpdateItem'], directory, 'recipients')
      .allowItems(['PutItem'], directory, 'receipts', 'tags', 'ownReceipts')
      .allowItems(['DeleteItem'], directory, 'receipts')
      .allowItems(['GetItem'], mailbox, 'claims')
      .allowItems(['PutItem', 'DeleteItem'], mailbox, 'devices', 'claims', 'jobs', 'sent')
      .allowItems(['UpdateItem', 'DeleteItem'], mailbox, 'attachments')
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
      .allowItems(['BatchGetItem'], directory, 'accounts', 'receipts')
      // Notes the use of a session.
      .allowItems(['UpdateItem'], directory, 'accounts')
      .allowItems(['GetItem', 'Query', 'BatchGetItem', 'PutItem'], mailbox, 'devices')
      // A message goes and its acknowledgement is noted in one request, which one statement must allow as a whole.
      .allowItems(['BatchWriteItem'], mailbox, 'devices', 'acknowledgements', 'attachments')
      .allowItems(['UpdateItem'], mailbox, 'attachments')
      .allow(['s3:DeleteObject'], ...objects('attachments', 'plain'));

    const attachments = new PealFunction(this, 'Attachments', {
      bundle: bundles('attachments'),
      description: 'Attachments: uploads, where a device gets one, that it has it',
      environment: { ...tables, ...bucketName },
      timeout: Duration.seconds(29),
      // An image is opened in memory for a device without a key.
      memory: 1024,
    })
      .allowItems(['BatchGetItem'], directory, 'tokens', 'accounts')
      .allowItems(['GetItem'], mailbox, 'devices')
      .allowItems(['GetItem', 'UpdateItem'], mailbox, 'attachments')
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
      timeout: Duration.seconds(20),
      memory: 512,
    })
      .allowItems(['BatchGetItem'], directory, 'tokens', 'accounts', 'receipts', 'recipients', 'deliveries')
      .allowItems(['Query'], directory, 'tags')
      .allowItems(['UpdateItem'], directory, 'receipts')
      .allow(['sqs:SendMessage'], dispatch.receipts.callbacks.queue.queueArn);

    const account = new PealFunction(this, 'Account', {
      bundle: bundles('account'),
      description: 'Accounts, sessions, devices, apps',
      environment: {
        DIRECTORY_TABLE: directory.tableName,
        ...behind,
        SIGN_UP: settings.signUp,
        REGISTRATIONS_PER_HOUR: String(settings.registrationsPerHour),
        MASTER_SECRET: data.masterSecret.secretArn,
        SOCKET_ENDPOINT: dispatch.socket.endpoint,
      },
      timeout: Duration.seconds(20),
      // argon2id takes 50 ms of a whole CPU.
      memory: 1769,
    })
      .allowItems(['GetItem', 'PutItem', 'UpdateItem'], directory, 'logins', 'throttles')
      .allowItems(['PutItem', 'UpdateItem'], directory, 'accounts', 'tokens')
      .allowItems(['DeleteItem'], directory, 'accounts')
      // For the operator's list.
      .allowItems(['PutItem'], directory, 'listed')
      .allowItems(['BatchGetItem', 'GetItem', 'Query', 'BatchWriteItem'], directory, 'accounts')
      .allowItems(['BatchGetItem', 'DeleteItem'], directory, 'connections')
      .allow(['secretsmanager:GetSecretValue'], data.masterSecret.secretArn)
      .allow(['execute-api:ManageConnections'], dispatch.socket.manage);
    // Redeems them.
    if (settings.signUp === 'invitation') account.allowItems(['UpdateItem'], directory, 'invitations');

    const info = new PealFunction(this, 'Info', {
      bundle: bundles('info'),
      description: 'Tells senders about user keys, sounds and limits',
      environment: { DIRECTORY_TABLE: directory.tableName, ...quota },
      timeout: Duration.seconds(20),
      memory: 512,
    })
      .allowItems(['BatchGetItem'], directory, 'tokens', 'accounts', 'groups')
      .allowItems(['Query'], directory, 'groups');

    const groups = new PealFunction(this, 'Groups', {
      bundle: bundles('groups'),
      description: 'Groups and their members',
      environment: { DIRECTORY_TABLE: directory.tableName },
      timeout: Duration.seconds(29),
      memory: 1024,
    })
      .allowItems(['BatchGetItem'], directory, 'tokens', 'accounts', 'groups')
      .allowItems(['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem'], directory, 'accounts', 'groups')
      .allowItems(['GetItem'], directory, 'accounts')
      .allowItems(['Query'], directory, 'groups');

    const openapi = new PealFunction(this, 'OpenApi', {
      bundle: bundles('openapi'),
      description: 'The OpenAPI document and the page made of it',
      environment: behind,
      timeout: Duration.seconds(20),
      memory: 512,
    });

    const media = new PealFunction(this, 'Media', {
      bundle: bundles('media'),
      description: 'Serves sounds and icons, and takes those of accounts',
      environment: { DIRECTORY_TABLE: directory.tableName, MEDIA_BUCKET: data.media.bucketName },
      timeout: Duration.seconds(29),
      memory: 512,
    })
      .allowItems(['BatchGetItem', 'GetItem', 'PutItem', 'UpdateItem'], directory, 'accounts')
      .allowItems(['UpdateItem'], directory, 'throttles', 'tokens')
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
        CARRIER_SECRET: data.webPushSecret.secretId,
      },
      timeout: Duration.seconds(20),
      memory: 512,
    })
      .allowItems(['BatchGetItem'], directory, 'accounts')
      .allow(['secretsmanager:GetSecretValue'], data.webPushSecret.grantArn);

    const history = new PealFunction(this, 'History', {
      bundle: bundles('history'),
      description: 'Says what accounts have sent, and what became of it',
      environment: { ...tables, ...quota },
      timeout: Duration.seconds(20),
      memory: 1024,
    })
      .allowItems(['BatchGetItem'], directory, 'accounts', 'receipts', 'deliveries')
      .allowItems(['BatchGetItem'], mailbox, 'devices', 'acknowledgements', 'sent', 'reached')
      .allowItems(['Query'], mailbox, 'sent');

    const admin = operator(this, data, dispatch, bundles('admin'));

    const domain = settings.domains.api;
    const edge =
      webAclArn === undefined ? undefined : new Edge(this, 'Edge', { bundle: bundles('edge'), webAclArn });
    const api = new HttpApi(this, 'HttpApi', {
      apiName: `peal-${settings.stage}`,
      description: 'Peal: the REST API',
      createDefaultStage: false,
      // Who decides on a name decides on what stands before it as well: there is no way around. CloudFront has no name of
      // its own to go by, and shows its key.
      disableExecuteApiEndpoint: domain !== undefined && !edge,
      ...(edge && { defaultAuthorizer: edge.authorizer }),
    });
    const stage = new HttpStage(this, 'HttpStage', {
      httpApi: api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: settings.throttle.api.rate, burstLimit: settings.throttle.api.burst },
      accessLogSettings: accessLog(this),
    });
    const route = (handler: PealFunction, method: HttpMethod, ...paths: string[]) => {
      const integration = new HttpLambdaIntegration(`${handler.node.id}Integration`, handler.lambda, {
        // One for all routes of the API: a function’s policy takes 20 KB, which is some fifty of them.
        scopePermissionToRoute: false,
      });
      for (const path of paths) api.addRoutes({ path, methods: [method], integration });
    };
    route(send, HttpMethod.POST, ...suffixed('/1/messages'), ...suffixed('/1/devices/{id}/test'));
    route(attachments, HttpMethod.POST, ...suffixed('/1/attachments'));
    route(attachments, HttpMethod.GET, ...suffixed('/1/messages/{id}/attachment'));
    route(attachments, HttpMethod.POST, ...suffixed('/1/messages/{id}/attachment/downloaded'));
    route(sync, HttpMethod.GET, ...suffixed('/1/messages'));
    route(sync, HttpMethod.POST, ...suffixed('/1/devices/{id}/acknowledge'));
    route(sync, HttpMethod.POST, ...suffixed('/1/devices/{id}/update_highest_message'));
    route(receipts, HttpMethod.GET, '/1/receipts/{receipt}', ...suffixed('/1/receipts/{receipt}/state'));
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
      'delete',
    ]) {
      route(groups, HttpMethod.POST, ...suffixed(`/1/groups/{group}/${change}`));
    }
    route(groups, HttpMethod.GET, ...suffixed('/1/groups'), '/1/groups/{group}');
    route(openapi, HttpMethod.GET, '/1/openapi.json', '/docs');
    route(media, HttpMethod.GET, '/sounds/{file}', '/icons/{file}', ...suffixed('/1/account/sounds'));
    route(media, HttpMethod.POST, ...suffixed('/1/sounds'), ...suffixed('/1/sounds/{name}/delete'));
    route(media, HttpMethod.POST, ...suffixed('/1/apps/{id}/icon'), ...suffixed('/1/apps/{id}/icon/delete'));
    route(pushKey, HttpMethod.GET, ...suffixed('/1/push_key'));
    route(
      history,
      HttpMethod.GET,
      ...suffixed('/1/history'),
      '/1/history/{message}',
      ...suffixed('/1/usage'),
    );
    route(account, HttpMethod.OPTIONS, '/{proxy+}');

    this.apiId = api.apiId;
    if (edge) this.endpoint = this.#behind(edge, api, domain);
    else {
      if (domain) nameApi(this, 'Api', domain, { api, stage });
      this.endpoint = domain ? `https://${domain.name}` : api.apiEndpoint;
    }
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

  /** Puts the edge before the API. @returns the address */
  #behind(edge: Edge, api: HttpApi, domain: DomainConfig | undefined): string {
    const distribution = edge.serve(api, domain);
    if (domain) nameDistribution(this, 'Api', domain, distribution);
    return `https://${domain?.name ?? distribution.distributionDomainName}`;
  }
}

/** A path with and without the `.json` that Pushover's clients put, or do not put, after it. */
function suffixed(path: string): string[] {
  return [`${path}.json`, path];
}
