import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { PealFunction } from '../peal-function.ts';

export interface CanaryProps {
  bundle: string;
  minutes: number;
  /** ARN of the secret with its credentials. */
  secret: string;
  api: string;
  socket: string;
}

/** What sends a message to itself every few minutes. It may read its own secret, and nothing else of Peal's. */
export class Canary extends Construct {
  constructor(scope: Construct, id: string, { bundle, minutes, secret, api, socket }: CanaryProps) {
    super(scope, id);
    const run = new PealFunction(this, 'Run', {
      bundle,
      description: 'Sends a message to itself, as a sender, and receives it, as a device',
      environment: { CANARY_SECRET: secret, API_URL: api, SOCKET_URL: socket },
      // The time limits of its steps, and some more; below the least time between two runs.
      timeout: Duration.seconds(58),
      memory: 512,
    }).allow(['secretsmanager:GetSecretValue'], secret);
    // A run that failed has measured that it did: a second try would say that all is well.
    run.lambda.configureAsyncInvoke({ retryAttempts: 0 });
    new Rule(this, 'Schedule', {
      description: 'Peal: when the canary runs',
      schedule: Schedule.rate(Duration.minutes(minutes)),
      targets: [new LambdaFunction(run.lambda)],
    });
  }
}
