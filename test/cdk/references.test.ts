import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type App, CfnOutput, CfnParameter, type CfnResource, Stack, Token } from 'aws-cdk-lib';
import { CfnQueue } from 'aws-cdk-lib/aws-sqs';
import { CfnWebACL } from 'aws-cdk-lib/aws-wafv2';
import { bindNobody } from '../../cdk/references.ts';
import { loadAssembly } from '../../local/template/assembly.ts';
import { Deployment } from '../../local/template/deployment.ts';
import { emptyApp } from './in-process.ts';

/** Two stacks, of which one names what the other has. */
function appWith(make: (producer: Stack) => string, regions: [string, string]): App {
  const app = emptyApp();
  const [producer, consumer] = ['Producer', 'Consumer'].map(
    (id, n) => new Stack(app, id, { env: { region: regions[n]! } }),
  ) as [Stack, Stack];
  new CfnOutput(consumer, 'Named', { value: make(producer) });
  bindNobody(app);
  return app;
}

const stacksOf = (app: App) => loadAssembly(app.synth({ skipValidation: true }).directory);

const firewall =
  (description: string, also?: (acl: CfnResource, producer: Stack) => void) =>
  (producer: Stack): string => {
    const acl = new CfnWebACL(producer, 'Acl', {
      description,
      scope: 'CLOUDFRONT',
      defaultAction: { allow: {} },
      visibilityConfig: { metricName: 'All', cloudWatchMetricsEnabled: true, sampledRequestsEnabled: false },
    });
    also?.(acl, producer);
    return acl.attrArn;
  };

describe('a stack that names what is in another region', () => {
  const FAR: [string, string] = ['us-east-1', 'eu-central-1'];

  test('learns of it whenever it is made of something else, although it only asks when its template is another', () => {
    const account = new Deployment();
    account.deployAll(stacksOf(appWith(firewall('one'), FAR)));

    account.deployAll(stacksOf(appWith(firewall('two'), FAR)));

    assert.deepEqual(account.stale(), []);
  });

  test('cannot name what is made of other resources, whose replacement its own template would not show', () => {
    const madeOfOthers = firewall('one', (acl, producer) => {
      acl.addPropertyOverride('Name', new CfnQueue(producer, 'Queue').attrQueueName);
    });

    assert.throws(
      () => appWith(madeOfOthers, FAR),
      /Producer\/Acl is read from another region and made of other resources/,
    );
  });
});

test('a list cannot be named', () => {
  const HERE: [string, string] = ['us-east-1', 'us-east-1'];
  const list = (producer: Stack) => {
    const parameter = new CfnParameter(producer, 'List', { type: 'CommaDelimitedList' });
    return Token.asString({
      resolve: () => parameter.valueAsList,
      creationStack: [],
      toString: () => 'list',
    });
  };

  assert.throws(
    () => appWith(list, HERE),
    /Consumer\/Named names Producer\/List\.Ref, which is no single value of a resource/,
  );
});

test('what several stacks name is stored once, a few at a time, and whoever names it comes after it', () => {
  const app = emptyApp();
  const [producer, ...consumers] = ['Producer', 'One', 'Two'].map((id) => new Stack(app, id)) as [
    Stack,
    ...Stack[],
  ];
  const queues = Array.from({ length: 5 }, (_, n) => new CfnQueue(producer, `Queue${n}`));
  for (const consumer of consumers) {
    for (const [n, queue] of queues.entries()) new CfnOutput(consumer, `Out${n}`, { value: queue.attrArn });
  }
  bindNobody(app);

  const [first] = stacksOf(app);
  const stored = Object.values(first!.template.Resources as Record<string, { Type: string; DependsOn?: [] }>)
    .filter(({ Type }) => Type === 'AWS::SSM::Parameter')
    .map(({ DependsOn }) => DependsOn?.length ?? 0);

  assert.equal(first!.name, 'Producer');
  assert.deepEqual(stored, [0, 0, 0, 1, 1]);
});
