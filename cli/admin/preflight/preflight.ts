/** `peal admin preflight`: what would make a first `cdk deploy --all` fail, or surprise the operator. */
import type { Aws } from './aws.ts';
import { checkAccount, findIdentity, findRegion } from './checks/account.ts';
import { checkBootstrap } from './checks/bootstrap.ts';
import { checkCertificates } from './checks/certificates.ts';
import { checkVerified, listEdge } from './checks/cloudfront.ts';
import { checkConcurrency } from './checks/concurrency.ts';
import { checkGiven } from './checks/given.ts';
import { checkLeftovers } from './checks/leftovers.ts';
import { checkNames } from './checks/names.ts';
import { checkQuotas } from './checks/quotas.ts';
import { checkStacks, type StackState } from './checks/stacks.ts';
import { type Finding, Findings } from './findings.ts';
import type { Plan } from './plan.ts';
import type { Scene } from './scene.ts';

/** What was found, and of what. */
export interface Report {
  account: string;
  /** Who the credentials are. */
  arn: string;
  region: string;
  stage: string;
  /** Whether nothing that was looked at is in the way. */
  ready: boolean;
  /** The stacks that would be deployed, as they are now: `status` is null for one that is not there. */
  stacks: { name: string; region: string; status: string | null }[];
  /** What blocks comes first. */
  findings: Finding[];
  /** Whether AWS did not answer everything, and may another time. */
  trouble: boolean;
}

/**
 * Looks, and changes nothing.
 *
 * @param cdkOptions what CDK's commands need to find the same stage, with a space before it
 * @throws CliError if AWS does not take the credentials, without which nothing can be looked at
 */
export async function preflight(plan: Plan, aws: Aws, cdkOptions = ''): Promise<Report> {
  const findings = new Findings();
  const region = await findRegion(plan, findings);
  const identity = await findIdentity(aws, region);
  const scene: Scene = { plan, account: identity.account, region, aws, findings, cdkOptions };
  const states = checkAccount(plan, identity, findings) ? await lookAround(scene) : [];
  const all = findings.sorted();
  return {
    ...identity,
    region,
    stage: plan.settings.stage,
    ready: !all.some(({ level }) => level === 'blocks'),
    stacks: states.map(({ status, ...state }) => ({ ...state, status: status ?? null })),
    findings: all,
    trouble: findings.trouble,
  };
}

/** All checks: those that need to know what is deployed come after the others. */
async function lookAround(scene: Scene): Promise<StackState[]> {
  const [{ owned, states }, edge] = await Promise.all([
    checkStacks(scene),
    listEdge(scene),
    checkBootstrap(scene),
    checkCertificates(scene),
    checkGiven(scene),
    checkConcurrency(scene),
  ]);
  checkVerified(scene, edge);
  const known = { ...scene, owned };
  await Promise.all([checkNames(known, edge), checkQuotas(known, edge), checkLeftovers(known, states)]);
  return states;
}
