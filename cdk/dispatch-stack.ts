import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { WebSocketApi, WebSocketStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { WebSocketLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { Construct } from 'constructs';
import type { FunctionName } from './bundles.ts';
import { Carrier } from './carrier.ts';
import type { DataStack } from './data-stack.ts';
import { PealFunction } from './peal-function.ts';

/** Takes a dead push target away from its device. A desktop has none. */
const RETIRE = ['dynamodb:UpdateItem'];

export interface DispatchStackProps extends StackProps {
  data: DataStack;
  bundles: Record<FunctionName, string>;
}

/** The last mile: a queue and a function a carrier, and the socket that desktops are signalled over. */
export class DispatchStack extends Stack {
  readonly fcm: Carrier;
  readonly apns: Carrier;
  readonly desktop: Carrier;

  constructor(scope: Construct, id: string, { data, bundles, ...props }: DispatchStackProps) {
    super(scope, id, props);
    this.fcm = new Carrier(this, 'Fcm', {
      data,
      bundle: bundles['push-fcm'],
      description: 'Hands messages to FCM',
      environment: { CARRIER_SECRET: data.fcmSecret.secretArn },
      concurrency: 10,
    });
    this.fcm.push
      .allow(['secretsmanager:GetSecretValue'], data.fcmSecret.secretArn)
      .allow(RETIRE, data.directory.tableArn);
    this.apns = new Carrier(this, 'Apns', {
      data,
      bundle: bundles['push-apns'],
      description: 'Hands messages to APNs',
      environment: { CARRIER_SECRET: data.apnsSecret.secretArn },
      concurrency: 10,
    });
    this.apns.push
      .allow(['secretsmanager:GetSecretValue'], data.apnsSecret.secretArn)
      .allow(RETIRE, data.directory.tableArn);

    const socket = new PealFunction(this, 'Socket', {
      bundle: bundles.socket,
      description: 'Answers what clients say over the desktop socket',
      environment: { DIRECTORY_TABLE: data.directory.tableName, MAILBOX_TABLE: data.mailbox.tableName },
      timeout: Duration.seconds(10),
      memory: 512,
    });
    const api = new WebSocketApi(this, 'SocketApi', {
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
      throttle: { rateLimit: 500, burstLimit: 1000 },
    });
    const manage = this.formatArn({
      service: 'execute-api',
      resource: api.apiId,
      resourceName: `${stage.stageName}/POST/@connections/*`,
    });
    socket.lambda.addEnvironment('SOCKET_ENDPOINT', stage.callbackUrl);
    socket
      .allow(['dynamodb:BatchGetItem', 'dynamodb:PutItem'], data.directory.tableArn)
      .allow(['dynamodb:Query'], data.mailbox.tableArn)
      .allow(['execute-api:ManageConnections'], manage);

    this.desktop = new Carrier(this, 'Desktop', {
      data,
      bundle: bundles['push-desktop'],
      description: 'Signals desktops over their sockets',
      environment: { SOCKET_ENDPOINT: stage.callbackUrl },
      concurrency: 10,
    });
    this.desktop.push
      .allow(['dynamodb:GetItem', 'dynamodb:DeleteItem'], data.directory.tableArn)
      .allow(['execute-api:ManageConnections'], manage);

    new CfnOutput(this, 'SocketUrl', { value: stage.url, description: 'Where desktops connect' });
  }
}
