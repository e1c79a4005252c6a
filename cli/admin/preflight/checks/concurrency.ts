/** Whether Lambda runs as many invocations at once as the ceilings allow. */
import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { resourcesOf } from '../plan.ts';
import type { Scene } from '../scene.ts';

/** What an account has by default, once AWS has known it for a while. */
const USUAL = 1000;

/** What AWS takes as a ceiling, at least. */
const LEAST_CEILING = 2;

/** A new account has ten or so. Peal deploys all the same, and a backlog then leaves the API nothing to run with. */
export async function checkConcurrency({ aws, findings, plan, region }: Scene): Promise<void> {
  const ceilings = resourcesOf(plan.stacks, 'AWS::Lambda::EventSourceMapping').map(({ properties }) =>
    Number(Object(properties.ScalingConfig).MaximumConcurrency ?? 0),
  );
  const needed = ceilings.reduce((sum, one) => sum + one, 0);
  const lambda = aws.client(LambdaClient, region);
  const answer = await findings.ask('concurrency', 'GetAccountSettings', () =>
    lambda.send(new GetAccountSettingsCommand({})),
  );
  if (answer === undefined || answer === 'missing') return;
  const { ConcurrentExecutions = 0, UnreservedConcurrentExecutions = 0 } = answer.AccountLimit ?? {};
  if (UnreservedConcurrentExecutions > needed) return;
  const reserved = ConcurrentExecutions - UnreservedConcurrentExecutions;
  const lowering =
    ceilings.length * LEAST_CEILING < UnreservedConcurrentExecutions
      ? `, or lower ceilings in peal.config.ts until they add up to less than ${UnreservedConcurrentExecutions}`
      : '';
  findings.add({
    level: 'warns',
    check: 'concurrency',
    about: `Lambda runs at most ${UnreservedConcurrentExecutions} invocations at once in ${region}${reserved > 0 ? ` (${reserved} more are reserved for functions)` : ''}. Peal’s ceilings add up to ${needed}: a backlog would leave the API none, and it answers 503.`,
    advice: `Ask for more, which takes a day or so${lowering}.`,
    commands: [
      `aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value ${Math.max(USUAL, ConcurrentExecutions + needed)} --region ${region}`,
    ],
  });
}
