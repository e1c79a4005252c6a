import { type Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Policy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  CfnFunction,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { PARTITIONS, type Partition } from './partitions.ts';
import { settingsOf } from './peal-stack.ts';

/** What a function is given. */
export interface PealFunctionProps {
  /** Folder of its bundle. */
  bundle: string;
  description: string;
  environment: Record<string, string>;
  timeout: Duration;
  /** MiB; also its share of a CPU (a whole one at 1,769). */
  memory: number;
}

/** What is done to items by their keys. */
export type ItemAction =
  | 'BatchGetItem'
  | 'BatchWriteItem'
  | 'DeleteItem'
  | 'GetItem'
  | 'PutItem'
  | 'Query'
  | 'UpdateItem';

/**
 * A Lambda function with a role and a log group of its own. The role may write that log and nothing else, until
 * `allow` says what.
 */
export class PealFunction extends Construct {
  readonly lambda: LambdaFunction;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, props: PealFunctionProps) {
    super(scope, id);
    const { retention, stage, tracing } = settingsOf(this);
    const logGroup = new LogGroup(this, 'Logs', {
      retention: retention.logs,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    this.lambda = new LambdaFunction(this, 'Function', {
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code: Code.fromAsset(props.bundle),
      environment: { ...props.environment, STAGE: stage },
      timeout: props.timeout,
      memorySize: props.memory,
      loggingFormat: LoggingFormat.JSON,
      // Without Lambda's own three lines an invocation, which would cost more than the database of a small message.
      systemLogLevelV2: SystemLogLevel.WARN,
      logGroup,
      role,
    });
    this.logGroup = logGroup;
    if (tracing) this.#trace(role);
  }

  /** Has invocations traced. A policy of its own for what X-Ray grants on no narrower resource, where CDK would mix it in. */
  #trace(role: Role): void {
    const { defaultChild } = this.lambda.node;
    if (defaultChild instanceof CfnFunction) defaultChild.tracingConfig = { mode: 'Active' };
    const actions = ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'];
    new Policy(this, 'Tracing', {
      roles: [role],
      statements: [new PolicyStatement({ actions, resources: ['*'] })],
    });
  }

  /** Grants exactly these actions on exactly these resources. */
  allow(actions: string[], ...resources: string[]): this {
    this.lambda.addToRolePolicy(new PolicyStatement({ actions, resources }));
    return this;
  }

  /**
   * Grants these actions on items of a table, of which all that a request names must be in partitions like these.
   *
   * @param actions of `dynamodb:`, on items only: `ForAllValues` holds for a request that names none, such as a scan
   */
  allowItems(actions: ItemAction[], table: Pick<TableV2, 'tableArn'>, ...partitions: Partition[]): this {
    this.lambda.addToRolePolicy(
      new PolicyStatement({
        actions: actions.map((action) => `dynamodb:${action}`),
        resources: [table.tableArn],
        conditions: {
          'ForAllValues:StringLike': {
            'dynamodb:LeadingKeys': partitions.map((name) => PARTITIONS[name]),
          },
        },
      }),
    );
    return this;
  }
}

/** What a function is called: `PealApi/Send` is `Send`, `PealDispatch/Fcm/Push` is `Fcm/Push`. */
export const nameOf = ({ node }: PealFunction): string => node.path.split('/').slice(1).join('/');
