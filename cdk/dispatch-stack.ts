import { CfnOutput, Duration } from 'aws-cdk-lib';
import { WebSocketApi, WebSocketStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { WebSocketLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { Construct } from 'constructs';
import type { CarrierName } from '../lib/carriers/carrier.ts';
import type { Bundles } from './bundles.ts';
import { Carrier } from './carrier.ts';
import type { CarrierSecret } from './carrier-secret.ts';
import type { DataStack } from './data-stack.ts';
import { FanOut } from './fan-out.ts';
import { nameApi } from './own-name.ts';
import { PealFunction } from './peal-function.ts';
import { PealStack, type PealStackProps } from './peal-stack.ts';
import { Receipts } from './receipts.ts';

export interface DispatchStackProps extends PealStackProps {
  data: DataStack;
  bundles: Bundles;
}

/** FCM takes 600,000 messages a minute from a project. The environments share that. */
const FCM_PER_SECOND = 10_000;

/** The last mile: a queue and a function a carrier, the socket that desktops are signalled over, the fan-out, and repetitions. */
export class DispatchStack extends PealStack {
  readonly carriers: Record<CarrierName, Carrier>;
  readonly fanOut: FanOut;
  readonly receipts: Receipts;
  /** The WebSocket API, its management endpoint, and the ARN of posting to its connections. */
  readonly socket: { apiId: string; endpoint: string; manage: string };
  /** Where desktops and browsers connect. */
  readonly socketUrl: string;

  constructor(scope: Construct, id: string, { data, bundles, ...props }: DispatchStackProps) {
    super(scope, id, props);
    const { ceilings } = this.settings;
    const socket = this.#socket(data, bundles('socket'));
    this.socket = socket;
    this.socketUrl = socket.url;

    /** A carrier that reaches devices by a push target, with credentials that the operator provides. */
    const pushCarrier = (
      construct: string,
      name: Exclude<CarrierName, 'desktop'>,
      secret: CarrierSecret,
      description: string,
      environment: Record<string, string> = {},
    ) => {
      const carrier = new Carrier(this, construct, {
        data,
        bundle: bundles(`push-${name}`),
        description,
        environment: { CARRIER_SECRET: secret.secretId, ...environment },
        concurrency: { fast: ceilings[name], slow: ceilings.slow },
      });
      carrier.push
        .allow(['secretsmanager:GetSecretValue'], secret.grantArn)
        // Takes a dead push target away from its device.
        .allowItems(['UpdateItem'], data.directory, 'accounts');
      return carrier;
    };

    const desktop = new Carrier(this, 'Desktop', {
      data,
      bundle: bundles('push-desktop'),
      description: 'Signals desktops over their sockets',
      environment: { SOCKET_ENDPOINT: socket.endpoint },
      concurrency: { fast: ceilings.desktop, slow: ceilings.slow },
    });
    desktop.push
      .allowItems(['GetItem', 'DeleteItem'], data.directory, 'connections')
      .allow(['execute-api:ManageConnections'], socket.manage);

    this.carriers = {
      fcm: pushCarrier('Fcm', 'fcm', data.fcmSecret, 'Hands messages to FCM', {
        PUSHES_PER_SECOND: String(Math.floor(FCM_PER_SECOND / (ceilings.fcm + ceilings.slow))),
      }),
      apns: pushCarrier('Apns', 'apns', data.apnsSecret, 'Hands messages to APNs'),
      webpush: pushCarrier(
        'Webpush',
        'webpush',
        data.webPushSecret,
        'Hands messages to browsers’ push services',
      ),
      desktop,
    };
    this.receipts = new Receipts(this, 'Receipts', {
      data,
      bundles: { repeat: bundles('repeat'), callback: bundles('callback') },
      carriers: this.carriers,
      concurrency: ceilings,
    });
    this.fanOut = new FanOut(this, 'FanOut', {
      data,
      bundle: bundles('fan-out'),
      carriers: this.carriers,
      repeats: this.receipts.repeats.queue,
      concurrency: ceilings.fanOut,
    });
  }

  /** The WebSocket API and its function. */
  #socket(data: DataStack, bundle: string): { apiId: string; endpoint: string; manage: string; url: string } {
    const throttle = this.settings.throttle.socket;
    const socket = new PealFunction(this, 'Socket', {
      bundle,
      description: 'Answers what clients say over the desktop socket',
      environment: { DIRECTORY_TABLE: data.directory.tableName, MAILBOX_TABLE: data.mailbox.tableName },
      timeout: Duration.seconds(20),
      memory: 512,
    });
    const api = new WebSocketApi(this, 'SocketApi', {
      apiName: `peal-${this.settings.stage}-socket`,
      description: 'Peal: the desktop socket',
      defaultRouteOptions: {
        integration: new WebSocketLambdaIntegration('SocketIntegration', socket.lambda),
        // The function's one character goes back over the same socket, without a call to @connections.
        returnResponse: true,
      },
    });
    const stage = new WebSocketStage(this, 'SocketStage', {
      webSocketApi: api,
      // The path of Pushover's own socket.
      stageName: 'push',
      autoDeploy: true,
      throttle: { rateLimit: throttle.rate, burstLimit: throttle.burst },
    });
    const manage = this.formatArn({
      service: 'execute-api',
      resource: api.apiId,
      resourceName: `${stage.stageName}/POST/@connections/*`,
    });
    socket.lambda.addEnvironment('SOCKET_ENDPOINT', stage.callbackUrl);
    socket
      .allowItems(['BatchGetItem'], data.directory, 'accounts')
      // Notes that a device was here.
      .allowItems(['UpdateItem'], data.directory, 'accounts')
      .allowItems(['PutItem', 'DeleteItem'], data.directory, 'connections')
      .allowItems(['Query'], data.mailbox, 'devices')
      .allow(['execute-api:ManageConnections'], manage);
    const domain = this.settings.domains.socket;
    // Under its own name it is at the path of the stage's name, as it is under AWS's. Signals go on under AWS's name.
    if (domain) nameApi(this, 'Socket', domain, { api, stage, path: stage.stageName });
    const url = domain ? `wss://${domain.name}/${stage.stageName}` : stage.url;
    new CfnOutput(this, 'SocketUrl', { value: url, description: 'Where desktops connect' });
    return { apiId: api.apiId, endpoint: stage.callbackUrl, manage, url };
  }
}
