/** Whether CDK has what it deploys through, in every region that something is deployed to. */
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { regionOf, regionsOf, type Scene } from '../scene.ts';

const TOOLKIT = 'CDKToolkit';

export async function checkBootstrap(scene: Scene): Promise<void> {
  await Promise.all(regionsOf(scene).map((region) => checkRegion(scene, region)));
}

async function checkRegion(scene: Scene, region: string): Promise<void> {
  const { aws, findings, account, plan } = scene;
  const stacks = plan.stacks.filter((stack) => regionOf(scene, stack) === region);
  const [{ bootstrap }] = stacks as [(typeof stacks)[number]];
  const bucket = bootstrap.bucket(account, region);
  const mend = `npx cdk bootstrap aws://${account}/${region}`;

  const ssm = aws.client(SSMClient, region);
  const answer = await findings.ask('bootstrap', 'GetParameter', () =>
    ssm.send(new GetParameterCommand({ Name: bootstrap.parameter })),
  );
  if (answer === undefined) return;
  const staging = await findings.ask('bootstrap', 'HeadBucket', () =>
    aws
      .client(S3Client, region)
      .send(new HeadBucketCommand({ Bucket: bucket, ExpectedBucketOwner: account })),
  );
  if (answer !== 'missing') {
    const version = Number(answer.Parameter?.Value);
    if (!(version >= bootstrap.version)) {
      findings.add({
        level: 'blocks',
        check: 'bootstrap',
        about: `CDK’s bootstrap in ${region} is of version ${answer.Parameter?.Value}; version ${bootstrap.version} or later is needed.`,
        commands: [mend],
      });
    }
    if (staging === 'missing') {
      findings.add({
        level: 'blocks',
        check: 'bootstrap',
        about: `CDK’s bucket ${bucket} was deleted, while the stack ${TOOLKIT} in ${region} still has it.`,
        commands: [
          `aws cloudformation delete-stack --stack-name ${TOOLKIT} --region ${region}`,
          `aws cloudformation wait stack-delete-complete --stack-name ${TOOLKIT} --region ${region}`,
          mend,
        ],
      });
    }
    return;
  }

  const cloudFormation = aws.client(CloudFormationClient, region);
  const toolkit = await findings.ask('bootstrap', 'DescribeStacks', () =>
    cloudFormation.send(new DescribeStacksCommand({ StackName: TOOLKIT })),
  );
  const status = typeof toolkit === 'object' ? toolkit.Stacks?.[0]?.StackStatus : undefined;
  const commands = [mend];
  // The bucket stays when the stack goes, and the next bootstrap wants to make one of the same name.
  if (typeof staging === 'object') commands.unshift(`aws s3 rb s3://${bucket} --force --region ${region}`);
  if (status !== undefined) {
    commands.unshift(
      `aws cloudformation delete-stack --stack-name ${TOOLKIT} --region ${region}`,
      `aws cloudformation wait stack-delete-complete --stack-name ${TOOLKIT} --region ${region}`,
    );
  }
  const left = [
    ...(status === undefined ? [] : [`its stack ${TOOLKIT} is there as ${status}`]),
    ...(typeof staging === 'object' ? [`its bucket ${bucket} is left of an earlier one`] : []),
  ];
  findings.add({
    level: 'blocks',
    check: 'bootstrap',
    about: `CDK is not bootstrapped in ${region}${left.length > 0 ? `: ${left.join(', and ')}` : ''}.`,
    commands,
  });
}
