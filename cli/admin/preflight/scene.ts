/** What every check works with. */
import type { Aws } from './aws.ts';
import type { Findings } from './findings.ts';
import type { Plan, PlannedStack } from './plan.ts';

/** Where CloudFront, its certificates, its quotas and those of all the account are, whatever the region is. */
export const EDGE_REGION = 'us-east-1';

/** A resource that a stack has. */
export interface Owned {
  stack: string;
  logicalId: string;
  /** By which CloudFormation knows it: a name, an id or an ARN, as its type has it. */
  physicalId: string;
  type: string;
}

export interface Scene {
  plan: Plan;
  /** The credentials' account. */
  account: string;
  /** Where the stacks go that do not say it themselves. */
  region: string;
  aws: Aws;
  findings: Findings;
  /** What CDK's commands need to find the same stage, with a space before it; or nothing. */
  cdkOptions: string;
}

/** A scene with what is deployed already. */
export interface DeployedScene extends Scene {
  /** What the stacks that there are have; undefined if AWS does not say. */
  owned: readonly Owned[] | undefined;
}

export function regionOf({ region }: Scene, stack: PlannedStack): string {
  return stack.region ?? region;
}

/** The regions that something is deployed to. */
export function regionsOf(scene: Scene): string[] {
  return [...new Set(scene.plan.stacks.map((stack) => regionOf(scene, stack)))];
}

/** All items of an answer that comes in pages. @param page the next one, and the token of the one after it, if any */
export async function allPages<Item>(
  page: (token: string | undefined) => Promise<{ items: Item[] | undefined; next: string | undefined }>,
): Promise<Item[]> {
  const all: Item[] = [];
  let token: string | undefined;
  do {
    const { items, next } = await page(token);
    all.push(...(items ?? []));
    token = next || undefined;
  } while (token !== undefined);
  return all;
}
