/** Whose credentials these are, and where the deployment would go. */
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { RefusedError, TroubleError, UsageError } from '../../../errors.ts';
import type { Aws } from '../aws.ts';
import { awsError } from '../aws-error.ts';
import type { Findings } from '../findings.ts';
import type { Plan } from '../plan.ts';

/** Where CDK deploys to when nothing says where. */
const LAST_RESORT = 'us-east-1';

/** Variables that name a region for CDK, in its order. The SDK knows only the first. */
const VARIABLES = ['AWS_REGION', 'AMAZON_REGION', 'AWS_DEFAULT_REGION', 'AMAZON_DEFAULT_REGION'];

/**
 * The region that CDK would deploy to: that of the configuration, of the environment, of the profile, and else one of its
 * own choosing, which is a finding.
 */
export async function findRegion({ settings }: Plan, findings: Findings): Promise<string> {
  const named = settings.region ?? VARIABLES.map((name) => process.env[name]).find(Boolean);
  if (named) return named;
  const client = new STSClient({});
  try {
    return await client.config.region();
  } catch {
    findings.add({
      level: 'warns',
      check: 'account',
      about: `Nothing says which region to deploy to. CDK takes that of the EC2 instance that it runs on, and else ${LAST_RESORT}, which is what was looked at.`,
      advice: 'Set region in peal.config.ts.',
    });
    return LAST_RESORT;
  } finally {
    client.destroy();
  }
}

/** Who the credentials say they are. */
export interface Identity {
  account: string;
  arn: string;
}

/**
 * Asks whose the credentials are, without which nothing else can be asked.
 *
 * @throws CliError if there are none, they are not good, or AWS does not answer
 */
export async function findIdentity(aws: Aws, region: string): Promise<Identity> {
  try {
    const client = aws.client(STSClient, region);
    const { Account = '', Arn = '' } = await client.send(new GetCallerIdentityCommand({}));
    return { account: Account, arn: Arn };
  } catch (error) {
    const { kind, message } = awsError(error);
    if (error instanceof Error && error.name === 'CredentialsProviderError') {
      throw new UsageError(
        'no AWS credentials found',
        `Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. (${message})`,
      );
    }
    if (kind === 'identity' || kind === 'denied') {
      throw new RefusedError(
        `AWS does not take the credentials in ${region}: ${message}`,
        [],
        `Log in again (aws sso login). If aws sts get-caller-identity --region us-east-1 answers, ${region} is not enabled in the account: aws account enable-region --region-name ${region}`,
      );
    }
    throw new TroubleError(`AWS cannot be reached or is in trouble: ${message}`, 'Try again in a while.');
  }
}

/**
 * A configuration that names an account is deployed to no other.
 *
 * @returns whether it is the credentials'
 */
export function checkAccount({ settings }: Plan, { account, arn }: Identity, findings: Findings): boolean {
  if (settings.account === undefined || settings.account === account) return true;
  findings.add({
    level: 'blocks',
    check: 'account',
    about: `The configuration is for the account ${settings.account}, the credentials are for ${account} (${arn}). Nothing else was looked at.`,
    advice: 'Set AWS_PROFILE to a profile of that account, or correct account in the configuration.',
  });
  return false;
}
