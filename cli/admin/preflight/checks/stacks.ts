/** Whether stacks of these names are there, and whether they can be deployed to. */
import {
  CloudFormationClient,
  DescribeStacksCommand,
  ListStackResourcesCommand,
  type Stack,
} from '@aws-sdk/client-cloudformation';
import type { Finding } from '../findings.ts';
import type { PlannedStack } from '../plan.ts';
import { allPages, type Owned, regionOf, type Scene } from '../scene.ts';

/** A planned stack as it is now; `status` is undefined if it is not there. */
export interface StackState {
  name: string;
  region: string;
  status: string | undefined;
}

/** Looks at all of them. `owned` is undefined if AWS does not say what is whose. */
export async function checkStacks(
  scene: Scene,
): Promise<{ states: StackState[]; owned: Owned[] | undefined }> {
  const looked = await Promise.all(scene.plan.stacks.map((stack) => look(scene, stack)));
  return {
    states: looked.flatMap(({ state }) => state ?? []),
    owned: looked.some(({ owned }) => owned === undefined)
      ? undefined
      : looked.flatMap(({ owned }) => owned ?? []),
  };
}

async function look(scene: Scene, stack: PlannedStack): Promise<{ state?: StackState; owned?: Owned[] }> {
  const { aws, findings } = scene;
  const region = regionOf(scene, stack);
  const { name } = stack;
  const cloudFormation = aws.client(CloudFormationClient, region);
  const answer = await findings.ask('stacks', 'DescribeStacks', () =>
    cloudFormation.send(new DescribeStacksCommand({ StackName: name })),
  );
  if (answer === undefined) return {};
  const found = answer === 'missing' ? undefined : answer.Stacks?.[0];
  const state = { name, region, status: found?.StackStatus };
  if (!found) return { state, owned: [] };
  const finding = findingOf(scene, stack, found);
  if (finding) findings.add(finding);
  const resources = await findings.ask('stacks', 'ListStackResources', () =>
    allPages(async (NextToken) => {
      const page = await cloudFormation.send(new ListStackResourcesCommand({ StackName: name, NextToken }));
      return { items: page.StackResourceSummaries, next: page.NextToken };
    }),
  );
  if (resources === undefined) return { state };
  const summaries = resources === 'missing' ? [] : resources;
  const owned = summaries
    // What a rollback or a deletion has retained is still listed, but is the stack's no more.
    .filter(({ ResourceStatus = '' }) => !/^DELETE_(?:COMPLETE|SKIPPED)$/.test(ResourceStatus))
    .flatMap(({ LogicalResourceId = '', PhysicalResourceId, ResourceType = '' }) =>
      PhysicalResourceId
        ? [{ stack: name, logicalId: LogicalResourceId, physicalId: PhysicalResourceId, type: ResourceType }]
        : [],
    );
  return { state, owned };
}

/** What is wrong with a stack's state; undefined for what `cdk deploy` simply updates. */
function findingOf(scene: Scene, stack: PlannedStack, found: Stack): Finding | undefined {
  const { StackStatus: status = '', StackStatusReason: reason } = found;
  const where = `--stack-name ${stack.name} --region ${regionOf(scene, stack)}`;
  const gone = [
    `aws cloudformation delete-stack ${where}`,
    `aws cloudformation wait stack-delete-complete ${where}`,
  ];
  const is = `The stack ${stack.name} is ${status}${reason ? ` (${reason})` : ''}`;
  const check = 'stacks';
  switch (status) {
    case 'ROLLBACK_COMPLETE':
    case 'ROLLBACK_FAILED':
      return {
        level: 'warns',
        check,
        about: `${is}: its first creation failed. \`cdk deploy\` deletes it and begins again; what holds data is retained each time, and left.`,
        advice: 'See why it failed before you deploy again.',
        commands: [
          `aws cloudformation describe-stack-events ${where} --query "StackEvents[?contains(ResourceStatus,'FAILED')].[LogicalResourceId,ResourceStatusReason]" --output text`,
          ...gone,
        ],
      };
    case 'REVIEW_IN_PROGRESS':
      return {
        level: 'warns',
        check,
        about: `${is}: a change set was made for it and never executed. \`cdk deploy\` goes on from there.`,
        advice: 'Unless somebody is about to execute it, take it away.',
        commands: gone,
      };
    case 'DELETE_FAILED':
      return {
        level: 'blocks',
        check,
        about: `${is}: it can neither be updated nor made again before it is deleted.`,
        advice: 'If a resource stands in the way, add --deletion-mode FORCE_DELETE_STACK: it is left then.',
        commands: gone,
      };
    case 'CREATE_FAILED':
    case 'UPDATE_FAILED':
      return {
        level: 'warns',
        check,
        about: `${is}: it was deployed with --no-rollback. \`cdk deploy\` asks whether to roll it back first.`,
        commands: [`npx cdk rollback ${stack.id}${scene.cdkOptions}`],
      };
    case 'UPDATE_ROLLBACK_FAILED':
      return {
        level: 'blocks',
        check,
        about: `${is}: it cannot be updated before its rollback has come to an end.`,
        commands: [`npx cdk rollback ${stack.id}${scene.cdkOptions}`],
      };
  }
  if (status.endsWith('_IN_PROGRESS')) {
    return {
      level: 'blocks',
      check,
      about: `${is}: it cannot be updated meanwhile.`,
      advice: 'Wait until the status does not end in IN_PROGRESS.',
      commands: [`aws cloudformation describe-stacks ${where} --query 'Stacks[0].StackStatus'`],
    };
  }
  if (status.endsWith('_FAILED')) {
    return {
      level: 'blocks',
      check,
      about: `${is}: it cannot be updated.`,
      commands: [`aws cloudformation describe-stack-events ${where}`],
    };
  }
  return undefined;
}
