import { Stack, type StackProps, Tags } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import type { Settings } from './settings.ts';

export interface PealStackProps extends Pick<StackProps, 'description' | 'env'> {
  settings: Settings;
}

/**
 * A stack of one stage. Its name carries the stage, and so does what CloudFormation makes of that name: the physical
 * names of everything in it and its exports. None of Peal's resources has a name of its own choosing, so that several
 * stages live in one account.
 */
export class PealStack extends Stack {
  readonly settings: Settings;

  constructor(scope: IConstruct, id: string, { settings, ...props }: PealStackProps) {
    const { stage, region, account } = settings;
    super(scope, id, {
      stackName: `${id}-${stage}`,
      // Without them the template fits any region and account.
      env: { ...(region && { region }), ...(account && { account }) },
      ...props,
    });
    this.settings = settings;
    Tags.of(this).add('app', 'peal');
    Tags.of(this).add('stage', stage);
  }
}

/** What was decided for the stack that a construct is in. @throws Error if that is none of Peal's */
export function settingsOf(construct: IConstruct): Settings {
  const stack = Stack.of(construct);
  if (stack instanceof PealStack) return stack.settings;
  throw new Error(`${construct.node.path} is in no stack of Peal`);
}
