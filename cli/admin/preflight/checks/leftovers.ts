/** What an earlier deployment of this stage has left: what holds data is retained, and nothing finds it again by itself. */
import { DescribeTableCommand, DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import {
  GetResourcesCommand,
  ResourceGroupsTaggingAPIClient,
  type ResourceTagMapping,
} from '@aws-sdk/client-resource-groups-tagging-api';
import { HeadBucketCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { PlannedStack } from '../plan.ts';
import { allPages, type DeployedScene, type Owned, regionOf } from '../scene.ts';
import type { StackState } from './stacks.ts';

type Kind = 'bucket' | 'log group' | 'secret' | 'table';

/** Something of this stage that no stack has. */
interface Leftover {
  kind: Kind;
  /** By which CloudFormation and the AWS command line know it: the ARN of a secret, the name of all else. */
  id: string;
  /** That it had in its stack; undefined if nothing says it. */
  logicalId: string | undefined;
  /** What else is to be known of it. */
  detail: string;
  /** Takes it away for good. */
  removal: string[];
}

/** Kinds by their ARNs, as tags are listed by. */
const ARNS: readonly [Kind, RegExp, (arn: string) => string][] = [
  ['table', /^arn:[^:]+:dynamodb:[^:]+:\d+:table\/([^/]+)$/, (arn) => arn.slice(arn.indexOf('/') + 1)],
  ['bucket', /^arn:[^:]+:s3:::([^/]+)$/, (arn) => arn.slice(arn.lastIndexOf(':') + 1)],
  ['secret', /^arn:[^:]+:secretsmanager:[^:]+:\d+:secret:/, (arn) => arn],
  ['log group', /^arn:[^:]+:logs:[^:]+:\d+:log-group:/, (arn) => arn.split(':')[6] ?? ''],
];

/** By what an import names a resource of these kinds. */
const IMPORTED_BY: Partial<Record<Kind, string>> = { table: 'TableName', bucket: 'BucketName', secret: 'Id' };

export async function checkLeftovers(scene: DeployedScene, states: readonly StackState[]): Promise<void> {
  const { findings, owned, plan } = scene;
  if (owned === undefined) {
    findings.add({
      level: 'unknown',
      check: 'leftovers',
      about: 'Could not look for what an earlier deployment has left: AWS does not say what the stacks have.',
    });
    return;
  }
  const data = plan.stacks.find(({ id }) => id === 'PealData');
  if (!data) throw new Error('there is no stack PealData to deploy');
  const region = regionOf(scene, data);
  const [tagged, named] = await Promise.all([byTags(scene, region), byNames(scene, region)]);
  const all = new Map([...named, ...tagged].map((one) => [one.id, one]));
  const unowned = [...all.values()].filter(({ id }) => !isSpokenFor(scene, owned, id));
  const looked = await Promise.all(unowned.map((one) => lookAt(scene, region, one)));
  const left = looked
    .filter((one) => one !== undefined)
    .sort((a, b) => (a.kind + a.id < b.kind + b.id ? -1 : 1));
  for (const { kind, id, detail, removal } of left) {
    findings.add({
      level: 'warns',
      check: 'leftovers',
      about: `The ${kind} ${id} is left of an earlier deployment${detail}. This one will neither find nor delete it.`,
      advice: 'If nobody needs it, remove it, for good:',
      commands: removal,
    });
  }
  adopt(scene, data, region, owned, left, states);
}

/** What a stack has, or the configuration names, is not left. */
function isSpokenFor({ plan }: DeployedScene, owned: readonly Owned[], id: string): boolean {
  const { directoryTable, secrets } = plan.settings;
  return (
    owned.some(({ physicalId }) => physicalId === id) ||
    id === directoryTable ||
    // Secrets Manager ends a name with a hyphen and six characters of its own.
    Object.values(secrets).some((name) => name !== undefined && id.replace(/-.{6}$/, '').endsWith(`:${name}`))
  );
}

type Candidate = Pick<Leftover, 'id' | 'kind' | 'logicalId'>;

/** Everything of Peal has the tags of its stage, and from CloudFormation those of its stack. */
async function byTags({ aws, findings, plan }: DeployedScene, region: string): Promise<Candidate[]> {
  const client = aws.client(ResourceGroupsTaggingAPIClient, region);
  const found = await findings.ask('leftovers', 'GetResources', () =>
    allPages(async (PaginationToken) => {
      const page = await client.send(
        new GetResourcesCommand({
          PaginationToken,
          TagFilters: [
            { Key: 'app', Values: ['peal'] },
            { Key: 'stage', Values: [plan.settings.stage] },
          ],
          ResourceTypeFilters: ['dynamodb:table', 'logs:log-group', 's3', 'secretsmanager:secret'],
        }),
      );
      return { items: page.ResourceTagMappingList, next: page.PaginationToken };
    }),
  );
  if (found === undefined || found === 'missing') return [];
  return found.flatMap(({ ResourceARN = '', Tags = [] }: ResourceTagMapping) => {
    const tag = (key: string) => Tags.find(({ Key }) => Key === `aws:cloudformation:${key}`)?.Value;
    const stack = tag('stack-name');
    // Of a stack that is not this deployment's.
    if (stack !== undefined && !plan.stacks.some(({ name }) => name === stack)) return [];
    return ARNS.filter(([, pattern]) => pattern.test(ResourceARN)).map(([kind, , idOf]) => ({
      kind,
      id: idOf(ResourceARN),
      logicalId: tag('logical-id'),
    }));
  });
}

/** Tables and buckets have the names of their stack and their logical id in their own, whatever became of their tags. */
async function byNames({ aws, findings, plan }: DeployedScene, region: string): Promise<Candidate[]> {
  const dynamo = aws.client(DynamoDBClient, region);
  const s3 = aws.client(S3Client, region);
  const [tables, buckets] = await Promise.all([
    findings.ask('leftovers', 'ListTables', () =>
      allPages(async (ExclusiveStartTableName) => {
        const page = await dynamo.send(new ListTablesCommand({ ExclusiveStartTableName }));
        return { items: page.TableNames, next: page.LastEvaluatedTableName };
      }),
    ),
    findings.ask('leftovers', 'ListBuckets', () =>
      allPages(async (ContinuationToken) => {
        const page = await s3.send(
          new ListBucketsCommand({
            BucketRegion: region,
            Prefix: 'peal',
            MaxBuckets: 1000,
            ...(ContinuationToken !== undefined && { ContinuationToken }),
          }),
        );
        return { items: page.Buckets, next: page.ContinuationToken };
      }),
    ),
  ]);
  const matching = (kind: Kind, type: RegExp, names: string[]) =>
    plan.stacks.flatMap((stack) =>
      Object.entries(stack.resources)
        .filter(([, { Type }]) => type.test(Type))
        .flatMap(([logicalId]) => {
          const made = `${stack.name}-${logicalId}-`;
          const prefix = kind === 'bucket' ? made.toLowerCase() : made;
          return names.filter((name) => name.startsWith(prefix)).map((id) => ({ kind, id, logicalId }));
        }),
    );
  return [
    ...matching('table', /^AWS::DynamoDB::/, Array.isArray(tables) ? tables : []),
    ...matching(
      'bucket',
      /^AWS::S3::Bucket$/,
      (Array.isArray(buckets) ? buckets : []).map(({ Name = '' }) => Name),
    ),
  ];
}

/** Looks whether it is there, since tags are listed for a while after what had them; and what it takes to remove it. */
async function lookAt(scene: DeployedScene, region: string, one: Candidate): Promise<Leftover | undefined> {
  const { aws, findings, account } = scene;
  const { kind, id } = one;
  const at = `--region ${region}`;
  switch (kind) {
    case 'table': {
      const client = aws.client(DynamoDBClient, region);
      const answer = await findings.ask('leftovers', 'DescribeTable', () =>
        client.send(new DescribeTableCommand({ TableName: id })),
      );
      if (answer === 'missing') return undefined;
      const { ItemCount, DeletionProtectionEnabled = true } = answer?.Table ?? {};
      const unprotect = [
        `aws dynamodb update-table --table-name ${id} --no-deletion-protection-enabled ${at}`,
        // A table that is being updated is not deleted.
        `aws dynamodb wait table-exists --table-name ${id} ${at}`,
      ];
      return {
        ...one,
        detail: ItemCount === undefined ? '' : `, with about ${ItemCount} items`,
        removal: [
          ...(DeletionProtectionEnabled ? unprotect : []),
          `aws dynamodb delete-table --table-name ${id} ${at}`,
        ],
      };
    }
    case 'bucket': {
      const client = aws.client(S3Client, region);
      const answer = await findings.ask('leftovers', 'HeadBucket', () =>
        client.send(new HeadBucketCommand({ Bucket: id, ExpectedBucketOwner: account })),
      );
      if (answer === 'missing') return undefined;
      return { ...one, detail: '', removal: [`aws s3 rb s3://${id} --force ${at}`] };
    }
    case 'secret': {
      const client = aws.client(SecretsManagerClient, region);
      const answer = await findings.ask('leftovers', 'DescribeSecret', () =>
        client.send(new DescribeSecretCommand({ SecretId: id })),
      );
      // One that is about to be deleted goes by itself.
      if (answer === 'missing' || answer?.DeletedDate) return undefined;
      return {
        ...one,
        detail: answer?.Description ? ` (${answer.Description})` : '',
        removal: [`aws secretsmanager delete-secret --secret-id ${id} --recovery-window-in-days 7 ${at}`],
      };
    }
    case 'log group':
      return { ...one, detail: '', removal: [`aws logs delete-log-group --log-group-name ${id} ${at}`] };
  }
}

/** Says how the new stack takes over what is left of the old one: one of each kind, where it has none itself. */
function adopt(
  { findings, cdkOptions }: DeployedScene,
  data: PlannedStack,
  region: string,
  owned: readonly Owned[],
  left: readonly Leftover[],
  states: readonly StackState[],
): void {
  const adoptable = left.filter(
    ({ logicalId, kind }) =>
      logicalId !== undefined &&
      Object.hasOwn(data.resources, logicalId) &&
      IMPORTED_BY[kind] !== undefined &&
      !owned.some((one) => one.stack === data.name && one.logicalId === logicalId),
  );
  if (adoptable.length === 0) return;
  const mapping: Record<string, Record<string, string>> = {};
  for (const { logicalId = '', kind, id } of adoptable)
    mapping[logicalId] = { [IMPORTED_BY[kind] ?? '']: id };
  const several = adoptable.length > Object.keys(mapping).length;
  const directory = adoptable.find(({ logicalId }) => logicalId?.startsWith('Directory'));
  const status = states.find(({ name }) => name === data.name)?.status;
  const where = `--stack-name ${data.name} --region ${region}`;
  const undeployed = status !== undefined && /^(?:REVIEW|ROLLBACK|DELETE)_/.test(status);
  findings.add({
    level: 'warns',
    check: 'leftovers',
    about: `${data.name} can take over what is left of the one before, if it is taken over before ${data.name} is deployed: accounts, messages that wait, and what second factors are derived from belong together.`,
    advice: [
      ...(several ? ['There are several of a kind: put those that you want into the mapping.'] : []),
      ...(directory
        ? [`The Directory alone is taken with directoryTable: '${directory.id}' in peal.config.ts.`]
        : []),
      'Importing needs CDK’s bootstrap. Deploy after it.',
    ].join(' '),
    commands: [
      ...(undeployed
        ? [
            `aws cloudformation delete-stack ${where}`,
            `aws cloudformation wait stack-delete-complete ${where}`,
          ]
        : []),
      `npx cdk import ${data.id}${cdkOptions} --resource-mapping-inline '${JSON.stringify(mapping)}'`,
    ],
  });
}
