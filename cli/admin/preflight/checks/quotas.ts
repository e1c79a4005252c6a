/** Whether the account may have as many more of what a first deployment makes, where it may have few. */
import { GetAccountSummaryCommand, IAMClient } from '@aws-sdk/client-iam';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import {
  GetAWSDefaultServiceQuotaCommand,
  GetServiceQuotaCommand,
  ServiceQuotasClient,
} from '@aws-sdk/client-service-quotas';
import { resourcesOf } from '../plan.ts';
import { type DeployedScene, EDGE_REGION } from '../scene.ts';
import type { EdgeState } from './cloudfront.ts';

/** A quota of the whole account: Service Quotas has those in one region. */
interface Quota {
  /** What it counts. */
  of: string;
  type: string;
  service: string;
  code: string;
}

const BUCKETS: Quota = { of: 'S3 buckets', type: 'AWS::S3::Bucket', service: 's3', code: 'L-DC2B2D3D' };
const ROLES: Quota = { of: 'IAM roles', type: 'AWS::IAM::Role', service: 'iam', code: 'L-FE177D64' };
const EDGE: Partial<Record<keyof EdgeState, Quota>> = {
  distributions: {
    of: 'CloudFront distributions',
    type: 'AWS::CloudFront::Distribution',
    service: 'cloudfront',
    code: 'L-24B04930',
  },
  // Twenty by default, and each stage has one.
  responseHeadersPolicies: {
    of: 'CloudFront response headers policies',
    type: 'AWS::CloudFront::ResponseHeadersPolicy',
    service: 'cloudfront',
    code: 'L-CF0D4FC5',
  },
  originRequestPolicies: {
    of: 'CloudFront origin request policies',
    type: 'AWS::CloudFront::OriginRequestPolicy',
    service: 'cloudfront',
    code: 'L-C3659C43',
  },
};

export async function checkQuotas(scene: DeployedScene, edge: EdgeState): Promise<void> {
  const { aws, findings } = scene;
  const ask = findings.ask.bind(findings);
  const buckets = async () => {
    const s3 = aws.client(S3Client, EDGE_REGION);
    const answer = await ask('quotas', 'ListBuckets', () => s3.send(new ListBucketsCommand({})));
    if (typeof answer === 'object') await check(scene, BUCKETS, answer.Buckets?.length ?? 0);
  };
  const roles = async () => {
    const iam = aws.client(IAMClient, EDGE_REGION);
    const answer = await ask('quotas', 'GetAccountSummary', () => iam.send(new GetAccountSummaryCommand({})));
    if (typeof answer !== 'object') return;
    const { Roles = 0, RolesQuota } = answer.SummaryMap ?? {};
    await check(scene, ROLES, Roles, RolesQuota);
  };
  await Promise.all([
    buckets(),
    roles(),
    ...(Object.keys(EDGE) as (keyof typeof EDGE)[]).map((kind) => {
      const [quota, things] = [EDGE[kind], edge[kind]];
      return quota && things && check(scene, quota, things.length);
    }),
  ]);
}

/** @param limit if it is known already */
async function check(scene: DeployedScene, quota: Quota, have: number, limit?: number): Promise<void> {
  const { findings, owned = [], plan } = scene;
  const { of, type, service, code } = quota;
  const mine = owned.filter((one) => one.type === type).length;
  const more = resourcesOf(plan.stacks, type).length - mine;
  if (more <= 0) return;
  const most = limit ?? (await limitOf(scene, quota));
  if (most === undefined || have + more <= most) return;
  findings.add({
    level: 'blocks',
    check: 'quotas',
    about: `The account has ${have} of at most ${most} ${of}; the deployment makes ${more} more.`,
    advice: 'Delete what nobody needs, or ask for more.',
    commands: [
      `aws service-quotas request-service-quota-increase --service-code ${service} --quota-code ${code} --desired-value ${Math.max(2 * most, have + more)} --region ${EDGE_REGION}`,
    ],
  });
}

/** The account's own limit; AWS's default for a quota that nobody has ever changed. */
async function limitOf({ aws, findings }: DeployedScene, quota: Quota): Promise<number | undefined> {
  const client = aws.client(ServiceQuotasClient, EDGE_REGION);
  const which = { ServiceCode: quota.service, QuotaCode: quota.code };
  let answer = await findings.ask('quotas', 'GetServiceQuota', () =>
    client.send(new GetServiceQuotaCommand(which)),
  );
  if (answer === 'missing') {
    answer = await findings.ask('quotas', 'GetAWSDefaultServiceQuota', () =>
      client.send(new GetAWSDefaultServiceQuotaCommand(which)),
    );
  }
  return typeof answer === 'object' ? answer.Quota?.Value : undefined;
}
