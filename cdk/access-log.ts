import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { type IAccessLogSettings, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { settingsOf } from './peal-stack.ts';

/**
 * What the REST API logs of a request: what was asked by its route, how it was answered, and how long that took. Not the
 * path, in which there are ids of receipts and devices; not the query, in which there may be tokens; nobody's address.
 */
const FIELDS = {
  requestId: '$context.requestId',
  time: '$context.requestTimeEpoch',
  route: '$context.routeKey',
  status: '$context.status',
  ms: '$context.responseLatency',
  functionMs: '$context.integrationLatency',
  error: '$context.integrationErrorMessage',
};

/** The access log of an API, in a group of its own. A line is some 200 bytes: $0.10 for a million requests. */
export function accessLog(scope: Construct): IAccessLogSettings {
  const group = new LogGroup(scope, 'AccessLog', {
    // Deliveries to groups with other names add to a resource policy of the account, which ends at 5,120 characters.
    logGroupName: `/aws/vendedlogs/apis/${Stack.of(scope).stackName}`,
    retention: settingsOf(scope).retention.logs,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  return {
    destination: new LogGroupLogDestination(group),
    format: AccessLogFormat.custom(JSON.stringify(FIELDS)),
  };
}
