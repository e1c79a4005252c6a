/** What preflight finds, and how it looks: a look that fails is a finding by itself. */
import { type AwsError, awsError, type Kind } from './aws-error.ts';

/**
 * `blocks`: `cdk deploy` would fail, or Peal would not work. `warns`: it would deploy, with a surprise. `unknown`: it
 * cannot be known, or could not be looked at.
 */
export type Level = 'blocks' | 'unknown' | 'warns';

/** One thing that an operator should know before the deployment. */
export interface Finding {
  level: Level;
  /** What was looked at. */
  check: Check;
  /** What is wrong, or not known. */
  about: string;
  /** What to do about it: a whole sentence, for what no command does. */
  advice?: string;
  /** What mends it, in this order: for a shell, in the folder of Peal. */
  commands?: string[];
}

/** What there is to look at, in the order in which findings are shown. */
export const CHECKS = [
  'account',
  'bootstrap',
  'stacks',
  'certificates',
  'names',
  'given',
  'concurrency',
  'cloudfront',
  'quotas',
  'leftovers',
] as const;

export type Check = (typeof CHECKS)[number];

/**
 * The IAM action that each question to AWS needs. AWS calls some by another name than the request that is sent.
 * `sts:GetCallerIdentity` needs none.
 */
export const ACTIONS = {
  GetDomainNames: 'apigateway:GET',
  DescribeCertificate: 'acm:DescribeCertificate',
  DescribeStacks: 'cloudformation:DescribeStacks',
  ListStackResources: 'cloudformation:ListStackResources',
  ListDistributions: 'cloudfront:ListDistributions',
  ListFunctions: 'cloudfront:ListFunctions',
  ListOriginAccessControls: 'cloudfront:ListOriginAccessControls',
  ListOriginRequestPolicies: 'cloudfront:ListOriginRequestPolicies',
  ListResponseHeadersPolicies: 'cloudfront:ListResponseHeadersPolicies',
  DescribeTable: 'dynamodb:DescribeTable',
  ListTables: 'dynamodb:ListTables',
  GetAccountSummary: 'iam:GetAccountSummary',
  GetAccountSettings: 'lambda:GetAccountSettings',
  GetHostedZone: 'route53:GetHostedZone',
  ListResourceRecordSets: 'route53:ListResourceRecordSets',
  HeadBucket: 's3:ListBucket',
  ListBuckets: 's3:ListAllMyBuckets',
  DescribeSecret: 'secretsmanager:DescribeSecret',
  GetServiceQuota: 'servicequotas:GetServiceQuota',
  GetAWSDefaultServiceQuota: 'servicequotas:GetAWSDefaultServiceQuota',
  GetParameter: 'ssm:GetParameter',
  GetResources: 'tag:GetResources',
} as const;

export type Question = keyof typeof ACTIONS;

/** Collects findings. What a check could not look at is noted once, however many of its questions were refused. */
export class Findings {
  readonly #all: Finding[] = [];
  readonly #unseen = new Set<string>();
  /** Whether AWS could not be asked something that it may answer another time. */
  trouble = false;

  add(finding: Finding): void {
    this.#all.push(finding);
  }

  /**
   * Asks AWS something.
   *
   * @param check that asks
   * @param question that is sent
   * @returns the answer; `missing` if there is no such thing; undefined if AWS did not say, which is a finding then
   */
  async ask<Answer>(
    check: Check,
    question: Question,
    send: () => Promise<Answer>,
  ): Promise<Answer | 'missing' | undefined> {
    try {
      return await send();
    } catch (error) {
      const fault = awsError(error);
      if (fault.kind === 'missing') return 'missing';
      this.#notSeen(check, question, fault);
      return undefined;
    }
  }

  /** The findings: what blocks first, then by what was looked at. */
  sorted(): Finding[] {
    const levels: Level[] = ['blocks', 'warns', 'unknown'];
    const rank = ({ level, check }: Finding) => levels.indexOf(level) * CHECKS.length + CHECKS.indexOf(check);
    return this.#all.toSorted((a, b) => rank(a) - rank(b));
  }

  #notSeen(check: Check, question: Question, { kind, message }: AwsError): void {
    const action = ACTIONS[question];
    const key = `${check} ${action}`;
    if (kind === 'identity' || kind === 'trouble') this.trouble = true;
    if (this.#unseen.has(key)) return;
    this.#unseen.add(key);
    this.add({ check, ...describeFault(kind, action, question, message) });
  }
}

/** What it means that a question had no answer. */
function describeFault(
  kind: Kind,
  action: string,
  question: Question,
  message: string,
): Omit<Finding, 'check'> {
  switch (kind) {
    case 'denied':
      return {
        level: 'unknown',
        about: `Could not look: the credentials do not allow ${action}.`,
        advice: `Allow it and run preflight again. AWS says: ${message}`,
      };
    case 'inactive':
      return {
        level: 'blocks',
        about: `The account may not use ${action.split(':')[0]} yet: ${message}`,
        advice:
          'AWS has not activated the account: complete its sign-up (payment, telephone, support plan) in the console, and wait for the mail that says so, which takes up to a day.',
      };
    default:
      return {
        level: 'unknown',
        about: `Could not look: AWS did not answer ${question}: ${message}`,
        advice: 'Run preflight again in a while.',
      };
  }
}
