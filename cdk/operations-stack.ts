import { CfnOutput } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { ApiStack } from './api-stack.ts';
import type { Bundles } from './bundles.ts';
import type { DataStack } from './data-stack.ts';
import type { DispatchStack } from './dispatch-stack.ts';
import { alarmTopic } from './operations/alarm-topic.ts';
import { Alarms } from './operations/alarms.ts';
import { Canary } from './operations/canary.ts';
import { addDashboard } from './operations/dashboard.ts';
import { saveQueries } from './operations/queries.ts';
import { queuesOf } from './operations/queues.ts';
import { PealFunction } from './peal-function.ts';
import { PealStack, type PealStackProps } from './peal-stack.ts';

export interface OperationsStackProps extends PealStackProps {
  data: DataStack;
  dispatch: DispatchStack;
  api: ApiStack;
  bundles: Bundles;
}

/**
 * What a team watches Peal with: alarms and where they go, a dashboard, saved queries of the logs, and the canary. No
 * message needs any of it.
 *
 * It names nearly everything that the other stacks make, as it is at its own deployment, which is therefore the last.
 */
export class OperationsStack extends PealStack {
  constructor(
    scope: Construct,
    id: string,
    { data, dispatch, api, bundles, ...props }: OperationsStackProps,
  ) {
    super(scope, id, props);
    const { stage, alarms: recipient, canary } = this.settings;
    if (canary && data.canarySecret) {
      new Canary(this, 'Canary', {
        bundle: bundles('canary'),
        minutes: canary.minutes,
        secret: data.canarySecret.secretArn,
        api: api.endpoint,
        socket: dispatch.socketUrl,
      });
    }
    const workers = functionsIn(dispatch);
    const functions = [...functionsIn(api), ...workers, ...functionsIn(this)];
    const queues = queuesOf(dispatch);
    const tables = { Directory: data.directory.tableName, Mailbox: data.mailbox.tableName };
    const { apiId } = api;
    const alarms = new Alarms(this, 'Alarms', {
      settings: this.settings,
      topic: recipient && alarmTopic(this, recipient),
      queues,
      workers,
      tables,
      apiId,
    });
    const dashboard = addDashboard(this, {
      stage,
      alarms: alarms.all,
      queues,
      functions,
      tables,
      apiId,
      socketApiId: dispatch.socket.apiId,
      canary: canary !== undefined,
    });
    saveQueries(
      this,
      stage,
      functions.map(({ logGroup }) => logGroup.logGroupName),
    );
    new CfnOutput(this, 'DashboardName', {
      value: dashboard.dashboardName,
      description: 'The dashboard, in CloudWatch',
    });
  }
}

function functionsIn(construct: Construct): PealFunction[] {
  return construct.node.findAll().filter((one) => one instanceof PealFunction);
}
