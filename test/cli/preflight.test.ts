/** What preflight finds in an account, against a stand-in of AWS that answers what AWS would. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { CreateBucketCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import type { PealConfig } from '#config';
import { checkConfig } from '../../cdk/settings.ts';
import { Aws } from '../../cli/admin/preflight/aws.ts';
import { ACTIONS, type Check, type Level, type Question } from '../../cli/admin/preflight/findings.ts';
import { cdkContext, type Plan, planOf, resourcesOf } from '../../cli/admin/preflight/plan.ts';
import { preflight } from '../../cli/admin/preflight/preflight.ts';
import { buildProgram } from '../../cli/program.ts';
import * as aws from './aws-stand-in.ts';
import {
  ACCOUNT,
  type Answers,
  type Asked,
  AwsStandIn,
  denied,
  fault,
  json,
  READY,
  result,
} from './aws-stand-in.ts';
import { Machine } from './run.ts';

const REGION = 'eu-central-1';
const CERTIFICATE = `arn:aws:acm:${REGION}:${ACCOUNT}:certificate`;
const EDGE_CERTIFICATE = `arn:aws:acm:us-east-1:${ACCOUNT}:certificate`;

/** Configurations that rows are of. */
const CONFIGS = {
  plain: { region: REGION },
  named: {
    region: REGION,
    domains: {
      api: { name: 'api.example.org', certificateArn: `${CERTIFICATE}/api`, hostedZoneId: 'Z1' },
      socket: { name: 'socket.example.org', certificateArn: `${CERTIFICATE}/socket` },
      web: { name: 'web.example.org', certificateArn: `${EDGE_CERTIFICATE}/web` },
    },
    secrets: { fcm: 'peal/fcm' },
    directoryTable: 'restored',
  },
  guarded: { region: REGION, account: ACCOUNT, waf: true },
  anywhere: {},
} as const satisfies Record<string, PealConfig>;

type Config = keyof typeof CONFIGS | 'foreign';

const plans = new Map<Config, Plan>();
let standIn: AwsStandIn;
/** Of all looks: what a client takes to begin with is longer than what it is asked. */
const shared = new Aws();
/** The operations that any test has asked. */
const everAsked = new Set<string>();
const ownEnvironment = { ...process.env };

before(async () => {
  standIn = await AwsStandIn.start();
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: standIn.url,
    AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'example',
    AWS_EC2_METADATA_DISABLED: 'true',
    // Those of the person who runs the tests are not to be found.
    AWS_CONFIG_FILE: '/nonexistent',
    AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
  });
  for (const name of ['AWS_PROFILE', 'AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_SESSION_TOKEN'])
    delete process.env[name];
  const context = cdkContext({});
  for (const [name, config] of Object.entries(CONFIGS)) {
    plans.set(name as Config, await planOf(checkConfig(config, 'the test’s configuration'), context));
  }
  const { settings, stacks } = plans.get('plain')!;
  plans.set('foreign', { settings: { ...settings, account: '999999999999' }, stacks });
});

after(async () => {
  shared.close();
  await standIn.stop();
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  Object.assign(process.env, ownEnvironment);
});

beforeEach(() => {
  standIn.asked.length = 0;
  standIn.answers = READY;
});

/** Looks at an account that answers so, and otherwise as one in which nothing is in the way. */
async function look(config: Config, answers: Answers = {}, clients = shared) {
  standIn.answers = { ...READY, ...answers };
  const report = await preflight(plans.get(config)!, clients, ' -c stage=prod');
  for (const { operation } of standIn.asked) everAsked.add(operation);
  return report;
}

/** The logical id of the one resource in PealData that begins so. */
function logicalId(prefix: string): string {
  const data = plans.get('plain')!.stacks.find(({ id }) => id === 'PealData')!;
  return Object.keys(data.resources).find((id) => id.startsWith(prefix))!;
}

/** An answer to the request for one stack, or one anything. */
const forOne =
  (operation: string, key: string, value: string, answer: (asked: Asked) => aws.Answer) => (asked: Asked) =>
    asked.input[key] === value ? answer(asked) : READY[operation]!(asked);

const stackIs = (name: string, status: string, reason?: string): Answers => ({
  DescribeStacks: forOne('DescribeStacks', 'StackName', name, (asked) =>
    result(asked, aws.stack(name, status, reason)),
  ),
  ListStackResources: (asked) => result(asked, aws.stackResources([])),
});

const inRegion =
  (region: string, there: (asked: Asked) => aws.Answer, elsewhere: (asked: Asked) => aws.Answer) =>
  (asked: Asked) =>
    asked.region === region ? there(asked) : elsewhere(asked);

const missing =
  (code: string, message: string, status = 400) =>
  (asked: Asked) =>
    fault(asked, code, message, status);

const certificateIs =
  (changed: object, of = 'api') =>
  ({ input }: Asked) => {
    const arn = String(input.CertificateArn);
    return json({ Certificate: aws.certificate(arn, arn.endsWith(`/${of}`) ? changed : {}) });
  };

/** A finding, and the account that has it. */
interface Row {
  name: string;
  config?: Config;
  answers: Answers;
  level: Level;
  check: Check;
  about: RegExp;
  advice?: RegExp;
  /** What is in its commands, in order; none if left out. */
  commands?: string[];
}

const ROWS: Row[] = [
  {
    name: 'another account than the configuration’s',
    config: 'foreign',
    answers: {},
    level: 'blocks',
    check: 'account',
    about:
      /for the account 999999999999, the credentials are for 123456789012 .*user\/deployer.*Nothing else/,
    advice: /AWS_PROFILE/,
  },
  {
    name: 'a service that a new account may not use yet',
    answers: {
      GetParameter: missing(
        'SubscriptionRequiredException',
        'The AWS Access Key Id needs a subscription for the service',
      ),
    },
    level: 'blocks',
    check: 'bootstrap',
    about: /may not use ssm yet: The AWS Access Key Id needs a subscription/,
    advice: /complete its sign-up/,
  },
  {
    name: 'a region that nothing says',
    config: 'anywhere',
    answers: {},
    level: 'warns',
    check: 'account',
    about: /which region.*us-east-1/,
    advice: /Set region/,
  },
  {
    name: 'a region without bootstrap',
    answers: {
      GetParameter: missing('ParameterNotFound', ''),
      HeadBucket: () => ({ status: 404, body: '' }),
    },
    level: 'blocks',
    check: 'bootstrap',
    about: /^CDK is not bootstrapped in eu-central-1\.$/,
    commands: [`npx cdk bootstrap aws://${ACCOUNT}/eu-central-1`],
  },
  {
    name: 'the firewall’s region without bootstrap',
    config: 'guarded',
    answers: {
      GetParameter: inRegion('us-east-1', missing('ParameterNotFound', ''), READY.GetParameter!),
      HeadBucket: inRegion('us-east-1', () => ({ status: 404, body: '' }), READY.HeadBucket!),
    },
    level: 'blocks',
    check: 'bootstrap',
    about: /^CDK is not bootstrapped in us-east-1\.$/,
    commands: [`npx cdk bootstrap aws://${ACCOUNT}/us-east-1`],
  },
  {
    name: 'a bootstrap that is too old',
    answers: { GetParameter: () => json({ Parameter: { Value: '5' } }) },
    level: 'blocks',
    check: 'bootstrap',
    about: /is of version 5; version 6 or later is needed/,
    commands: [`npx cdk bootstrap aws://${ACCOUNT}/eu-central-1`],
  },
  {
    name: 'a bootstrap that failed, and its bucket',
    answers: {
      GetParameter: missing('ParameterNotFound', ''),
      ...stackIs('CDKToolkit', 'ROLLBACK_COMPLETE'),
    },
    level: 'blocks',
    check: 'bootstrap',
    about: /CDKToolkit is there as ROLLBACK_COMPLETE, and its bucket cdk-hnb659fds-assets-\S+ is left/,
    commands: ['delete-stack --stack-name CDKToolkit', 'wait stack-delete', 'aws s3 rb', 'npx cdk bootstrap'],
  },
  {
    name: 'a bootstrap whose bucket was deleted',
    answers: { HeadBucket: () => ({ status: 404, body: '' }) },
    level: 'blocks',
    check: 'bootstrap',
    about: /bucket cdk-hnb659fds-assets-123456789012-eu-central-1 was deleted/,
    commands: ['delete-stack --stack-name CDKToolkit', 'wait stack-delete', 'npx cdk bootstrap'],
  },
  {
    name: 'a stack whose first creation failed',
    answers: stackIs('PealApi-prod', 'ROLLBACK_COMPLETE'),
    level: 'warns',
    check: 'stacks',
    about: /PealApi-prod is ROLLBACK_COMPLETE: its first creation failed/,
    commands: [
      'describe-stack-events --stack-name PealApi-prod --region eu-central-1',
      'delete-stack --stack-name PealApi-prod --region eu-central-1',
      'wait stack-delete',
    ],
  },
  {
    name: 'a stack that could not be deleted',
    answers: stackIs('PealWeb-prod', 'DELETE_FAILED', 'The following resource(s) failed to delete: [Site].'),
    level: 'blocks',
    check: 'stacks',
    about: /PealWeb-prod is DELETE_FAILED \(The following resource\(s\) failed to delete: \[Site\]\.\)/,
    advice: /FORCE_DELETE_STACK/,
    commands: ['delete-stack --stack-name PealWeb-prod', 'wait stack-delete'],
  },
  {
    name: 'a stack of a change set that nobody executed',
    answers: stackIs('PealData-prod', 'REVIEW_IN_PROGRESS'),
    level: 'warns',
    check: 'stacks',
    about: /PealData-prod is REVIEW_IN_PROGRESS/,
    commands: ['delete-stack --stack-name PealData-prod', 'wait stack-delete'],
  },
  {
    name: 'a stack that is being changed',
    answers: stackIs('PealDispatch-prod', 'UPDATE_IN_PROGRESS'),
    level: 'blocks',
    check: 'stacks',
    about: /UPDATE_IN_PROGRESS: it cannot be updated meanwhile/,
    commands: ['describe-stacks --stack-name PealDispatch-prod'],
  },
  {
    name: 'a stack whose rollback failed',
    answers: stackIs('PealDispatch-prod', 'UPDATE_ROLLBACK_FAILED'),
    level: 'blocks',
    check: 'stacks',
    about: /UPDATE_ROLLBACK_FAILED/,
    commands: ['npx cdk rollback PealDispatch -c stage=prod'],
  },
  {
    name: 'a stack that was deployed without rollback',
    answers: stackIs('PealDispatch-prod', 'CREATE_FAILED'),
    level: 'warns',
    check: 'stacks',
    about: /--no-rollback/,
    commands: ['npx cdk rollback PealDispatch -c stage=prod'],
  },
  {
    name: 'a stack that failed in a way that cdk does not mend',
    answers: stackIs('PealData-prod', 'IMPORT_ROLLBACK_FAILED'),
    level: 'blocks',
    check: 'stacks',
    about: /IMPORT_ROLLBACK_FAILED: it cannot be updated/,
    commands: ['describe-stack-events --stack-name PealData-prod'],
  },
  {
    name: 'a certificate that is not there',
    config: 'named',
    answers: {
      DescribeCertificate: forOne('DescribeCertificate', 'CertificateArn', `${CERTIFICATE}/socket`, (asked) =>
        fault(asked, 'ResourceNotFoundException', `Could not find certificate ${CERTIFICATE}/socket.`, 400),
      ),
    },
    level: 'blocks',
    check: 'certificates',
    about: /domains\.socket .* is not there/,
    commands: [
      'aws acm request-certificate --domain-name socket.example.org --validation-method DNS --region eu-central-1',
    ],
  },
  {
    name: 'a certificate that waits for its validation',
    config: 'named',
    answers: {
      DescribeCertificate: certificateIs({
        Status: 'PENDING_VALIDATION',
        DomainValidationOptions: [
          {
            DomainName: 'api.example.org',
            ValidationStatus: 'PENDING_VALIDATION',
            ResourceRecord: { Name: '_a.api.example.org.', Type: 'CNAME', Value: '_b.acm-validations.aws.' },
          },
        ],
      }),
    },
    level: 'blocks',
    check: 'certificates',
    about: /domains\.api .* is not issued yet/,
    advice: /DNS: _a\.api\.example\.org\. CNAME _b\.acm-validations\.aws\./,
    commands: [
      `aws acm wait certificate-validated --certificate-arn ${CERTIFICATE}/api --region eu-central-1`,
    ],
  },
  {
    name: 'a certificate that waits for an answer to a mail',
    config: 'named',
    answers: { DescribeCertificate: certificateIs({ Status: 'PENDING_VALIDATION' }) },
    level: 'blocks',
    check: 'certificates',
    about: /is not issued yet/,
    advice: /link in the mail/,
    commands: ['certificate-validated'],
  },
  {
    name: 'a certificate that AWS has not issued',
    config: 'named',
    answers: { DescribeCertificate: certificateIs({ Status: 'FAILED', FailureReason: 'CAA_ERROR' }) },
    level: 'blocks',
    check: 'certificates',
    about: /is FAILED \(CAA_ERROR\), and not ISSUED/,
    commands: ['request-certificate --domain-name api.example.org'],
  },
  {
    name: 'a certificate of other names, of which a wildcard is too short',
    config: 'named',
    answers: {
      DescribeCertificate: certificateIs({
        DomainName: 'example.org',
        SubjectAlternativeNames: ['example.org', '*.api.example.org'],
      }),
    },
    level: 'blocks',
    check: 'certificates',
    about: /is not for api\.example\.org, but for example\.org, \*\.api\.example\.org/,
    commands: ['request-certificate --domain-name api.example.org'],
  },
  {
    name: 'a certificate with a key that CloudFront does not take',
    config: 'named',
    answers: { DescribeCertificate: certificateIs({ KeyAlgorithm: 'EC_secp384r1' }, 'web') },
    level: 'blocks',
    check: 'certificates',
    about: /domains\.web .* key that CloudFront does not take \(EC_secp384r1\)/,
    commands: [
      '--domain-name web.example.org --validation-method DNS --region us-east-1 --key-algorithm EC_prime256v1',
    ],
  },
  {
    name: 'a custom domain name that API Gateway has already',
    config: 'named',
    answers: {
      GetDomainNames: ({ input }) =>
        input.nextToken === 'more'
          ? json({ items: [{ domainName: 'socket.example.org' }] })
          : json({ items: [{ domainName: 'other.example.org' }], nextToken: 'more' }),
    },
    level: 'blocks',
    check: 'names',
    about: /API Gateway in eu-central-1 has the custom domain name socket\.example\.org already/,
    commands: [
      'get-api-mappings',
      'delete-domain-name --domain-name socket.example.org --region eu-central-1',
    ],
  },
  {
    name: 'an alias that another distribution has',
    config: 'named',
    answers: {
      ListDistributions: ({ input }) =>
        input.Marker === 'more'
          ? aws.edgeList('DistributionList', [aws.distribution('E2', 'web.example.org')])
          : aws.edgeList('DistributionList', [aws.distribution('E1')], 'more'),
    },
    level: 'blocks',
    check: 'names',
    about: /web\.example\.org is an alias of another CloudFront distribution, E2/,
    commands: ['aws cloudfront get-distribution --id E2'],
  },
  {
    name: 'a response headers policy of a stage of this name elsewhere',
    answers: {
      ListResponseHeadersPolicies: () =>
        aws.edgeList('ResponseHeadersPolicyList', [
          '<ResponseHeadersPolicySummary><Type>custom</Type><ResponseHeadersPolicy><Id>P1</Id><ResponseHeadersPolicyConfig><Name>PealWeb-prod-headers</Name></ResponseHeadersPolicyConfig></ResponseHeadersPolicy></ResponseHeadersPolicySummary>',
        ]),
    },
    level: 'blocks',
    check: 'names',
    about: /has a response headers policy PealWeb-prod-headers already/,
    commands: [
      'delete-response-headers-policy --id P1 --if-match "$(aws cloudfront get-response-headers-policy --id P1',
    ],
  },
  {
    name: 'an origin request policy that was left',
    config: 'guarded',
    answers: {
      ListOriginRequestPolicies: () =>
        aws.edgeList('OriginRequestPolicyList', [
          '<OriginRequestPolicySummary><Type>custom</Type><OriginRequestPolicy><Id>P2</Id><OriginRequestPolicyConfig><Name>PealApi-prod-forward</Name></OriginRequestPolicyConfig></OriginRequestPolicy></OriginRequestPolicySummary>',
        ]),
    },
    level: 'blocks',
    check: 'names',
    about: /has an origin request policy PealApi-prod-forward already/,
    commands: ['delete-origin-request-policy --id P2'],
  },
  {
    name: 'a function at the edge that was left',
    config: 'guarded',
    answers: {
      ListFunctions: () =>
        aws.edgeList('FunctionList', [
          '<FunctionSummary><Name>PealApi-prod-note-viewer</Name><FunctionMetadata><FunctionARN>arn:aws:cloudfront::1:function/PealApi-prod-note-viewer</FunctionARN></FunctionMetadata></FunctionSummary>',
        ]),
    },
    level: 'blocks',
    check: 'names',
    about: /has a function PealApi-prod-note-viewer already/,
    commands: [
      'delete-function --name PealApi-prod-note-viewer --if-match "$(aws cloudfront describe-function --name PealApi-prod-note-viewer',
    ],
  },
  {
    name: 'an origin access control that was left',
    answers: {
      ListOriginAccessControls: () => {
        const [control] = resourcesOf(plans.get('plain')!.stacks, 'AWS::CloudFront::OriginAccessControl');
        const { Name } = Object(control!.properties.OriginAccessControlConfig);
        return aws.edgeList('OriginAccessControlList', [
          `<OriginAccessControlSummary><Id>C1</Id><Name>${Name}</Name></OriginAccessControlSummary>`,
        ]);
      },
    },
    level: 'blocks',
    check: 'names',
    about: /has an origin access control PealWeb\S+ already/,
    commands: ['delete-origin-access-control --id C1'],
  },
  {
    name: 'a hosted zone that is not there',
    config: 'named',
    answers: { GetHostedZone: missing('NoSuchHostedZone', 'No hosted zone found with ID: Z1', 404) },
    level: 'blocks',
    check: 'names',
    about: /no hosted zone Z1, which domains\.api names/,
    commands: ['list-hosted-zones'],
  },
  {
    name: 'a hosted zone of another domain',
    config: 'named',
    answers: { GetHostedZone: () => aws.hostedZone('Z1', 'ample.org.') },
    level: 'blocks',
    check: 'names',
    about: /zone Z1 is of ample\.org: domains\.api\.name, api\.example\.org, cannot be in it/,
    commands: ['list-hosted-zones'],
  },
  {
    name: 'a hosted zone that is private',
    config: 'named',
    answers: { GetHostedZone: () => aws.hostedZone('Z1', 'example.org.', true) },
    level: 'warns',
    check: 'names',
    about: /zone Z1 is private/,
  },
  {
    name: 'records that are there already',
    config: 'named',
    answers: {
      ListResourceRecordSets: () =>
        aws.records(['api.example.org.', 'CNAME'], ['api.example.org.', 'TXT'], ['b.example.org.', 'A']),
    },
    level: 'blocks',
    check: 'names',
    about: /api\.example\.org has records in the zone Z1 already \(CNAME\)/,
    advice: /leave hostedZoneId out/,
    commands: ['list-resource-record-sets --hosted-zone-id Z1'],
  },
  {
    name: 'a named secret that is not there',
    config: 'named',
    answers: {
      DescribeSecret: missing(
        'ResourceNotFoundException',
        "Secrets Manager can't find the specified secret.",
      ),
    },
    level: 'warns',
    check: 'given',
    about: /no secret peal\/fcm in eu-central-1, which secrets\.fcm names/,
    commands: ["create-secret --name peal/fcm --secret-string '{}' --region eu-central-1"],
  },
  {
    name: 'a named secret that is about to go',
    config: 'named',
    answers: { DescribeSecret: () => json(aws.secret('peal/fcm', { DeletedDate: 1_796_000_000 })) },
    level: 'warns',
    check: 'given',
    about: /peal\/fcm.*about to be deleted/,
    commands: ['restore-secret --secret-id peal/fcm'],
  },
  {
    name: 'a restored table that is not there',
    config: 'named',
    answers: { DescribeTable: missing('ResourceNotFoundException', 'Requested resource not found') },
    level: 'blocks',
    check: 'given',
    about: /no table restored in eu-central-1, which directoryTable names/,
    commands: ['list-tables --region eu-central-1'],
  },
  {
    name: 'a restored table that is another one',
    config: 'named',
    answers: {
      DescribeTable: () =>
        json({ Table: aws.table('restored', { KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }] }) }),
    },
    level: 'blocks',
    check: 'given',
    about: /restored.*is no Directory/,
    commands: ['list-tables'],
  },
  {
    name: 'a table that is still being restored',
    config: 'named',
    answers: { DescribeTable: () => json({ Table: aws.table('restored', { TableStatus: 'CREATING' }) }) },
    level: 'blocks',
    check: 'given',
    about: /restored.*is CREATING/,
    commands: ['wait table-exists --table-name restored'],
  },
  {
    name: 'the concurrency of a new account',
    answers: { GetAccountSettings: () => aws.lambdaSettings(10, 10) },
    level: 'warns',
    check: 'concurrency',
    about: /at most 10 invocations at once in eu-central-1\. Peal’s ceilings add up to 90/,
    // Ceilings of seven queues cannot add up to so little.
    advice: /^Ask for more, which takes a day or so\.$/,
    commands: [
      'request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value 1000 --region eu-central-1',
    ],
  },
  {
    name: 'concurrency that is reserved for other functions',
    answers: { GetAccountSettings: () => aws.lambdaSettings(1000, 65) },
    level: 'warns',
    check: 'concurrency',
    about: /at most 65 .*\(935 more are reserved/,
    advice: /lower ceilings in peal\.config\.ts until they add up to less than 65/,
    commands: ['--desired-value 1090'],
  },
  {
    name: 'an account that AWS may not have verified for CloudFront',
    config: 'guarded',
    answers: { ListDistributions: () => aws.edgeList('DistributionList', []) },
    level: 'unknown',
    check: 'cloudfront',
    about:
      /PealApi-prod and PealWeb-prod may fail with “Your account must be verified before you can add new CloudFront/,
    advice: /support\/home#\/case\/create/,
    commands: ['npx cdk deploy PealApi PealWeb -c stage=prod'],
  },
  {
    name: 'as many buckets as the account may have, by AWS’s default',
    answers: {
      ListBuckets: () => aws.bucketList(...Array.from({ length: 98 }, (_, n) => `bucket-${n}`)),
      GetServiceQuota: (asked) =>
        asked.input.QuotaCode === 'L-DC2B2D3D'
          ? fault(
              asked,
              'NoSuchResourceException',
              'The request failed because the specified quota does not exist',
              400,
            )
          : READY.GetServiceQuota!(asked),
      GetAWSDefaultServiceQuota: ({ input }) => aws.quota(String(input.QuotaCode), 100),
    },
    level: 'blocks',
    check: 'quotas',
    about: /98 of at most 100 S3 buckets; the deployment makes 3 more/,
    commands: ['--service-code s3 --quota-code L-DC2B2D3D --desired-value 200 --region us-east-1'],
  },
  {
    name: 'as many roles as the account may have',
    answers: { GetAccountSummary: (asked) => aws.iamSummary(asked, 990, 1000) },
    level: 'blocks',
    check: 'quotas',
    about: /990 of at most 1000 IAM roles; the deployment makes \d+ more/,
    commands: ['--service-code iam --quota-code L-FE177D64'],
  },
  {
    name: 'as many policies of CloudFront as the account may have',
    answers: {
      GetServiceQuota: ({ input }) =>
        aws.quota(String(input.QuotaCode), input.QuotaCode === 'L-CF0D4FC5' ? 1 : 200),
      ListResponseHeadersPolicies: () =>
        aws.edgeList('ResponseHeadersPolicyList', [
          '<ResponseHeadersPolicySummary><Type>custom</Type><ResponseHeadersPolicy><Id>P9</Id><ResponseHeadersPolicyConfig><Name>other</Name></ResponseHeadersPolicyConfig></ResponseHeadersPolicy></ResponseHeadersPolicySummary>',
        ]),
    },
    level: 'blocks',
    check: 'quotas',
    about: /1 of at most 1 CloudFront response headers policies; the deployment makes 1 more/,
    commands: ['--service-code cloudfront --quota-code L-CF0D4FC5 --desired-value 2'],
  },
  {
    name: 'the bucket of a web app that was taken down',
    answers: {
      ListBuckets: () => aws.bucketList(siteBucket()),
      HeadBucket: (asked) =>
        asked.input.Bucket === siteBucket() ? { status: 200, body: '' } : READY.HeadBucket!(asked),
    },
    level: 'warns',
    check: 'leftovers',
    about: /bucket pealweb-prod-site\w+-x1 is left/,
    advice: /for good/,
    commands: ['aws s3 rb s3://pealweb-prod-site'],
  },
  {
    name: 'a log group that was left',
    answers: {
      GetResources: () =>
        json({
          PaginationToken: '',
          ResourceTagMappingList: [
            tagged(
              `logs:eu-central-1:${ACCOUNT}:log-group:PealApi-prod-SendLogs-1`,
              'PealApi-prod',
              'SendLogs',
            ),
            // Of a deployment that is none of this one.
            tagged(`logs:eu-central-1:${ACCOUNT}:log-group:Other-SendLogs-1`, 'Other', 'SendLogs'),
          ],
        }),
    },
    level: 'warns',
    check: 'leftovers',
    about: /log group PealApi-prod-SendLogs-1 is left/,
    commands: ['aws logs delete-log-group --log-group-name PealApi-prod-SendLogs-1 --region eu-central-1'],
  },
];

function siteBucket(): string {
  const [site] = resourcesOf(plans.get('plain')!.stacks, 'AWS::S3::Bucket').filter(
    ({ stack }) => stack.id === 'PealWeb',
  );
  return `pealweb-prod-${site!.logicalId.toLowerCase()}-x1`;
}

/** A resource as it is listed by its tags. @param arn without what all begin with */
function tagged(arn: string, stack: string, id: string) {
  const tags = {
    app: 'peal',
    stage: 'prod',
    'aws:cloudformation:stack-name': stack,
    'aws:cloudformation:logical-id': id,
  };
  return {
    ResourceARN: `arn:aws:${arn}`,
    Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
  };
}

describe('in an account', () => {
  test('in which nothing is in the way, finds nothing, whatever the configuration', async () => {
    for (const config of ['plain', 'named', 'guarded'] as const) {
      const report = await look(config);

      assert.deepEqual(report.findings, []);
      assert.deepEqual([report.ready, report.account, report.stage], [true, ACCOUNT, 'prod']);
      assert.ok(report.stacks.every(({ status }) => status === null));
    }
  });

  for (const { name, config = 'plain', answers, level, check, about, advice, commands = [] } of ROWS) {
    test(`finds ${name}, and nothing else`, async () => {
      const report = await look(config, answers);

      assert.deepEqual(
        report.findings.map((found) => [found.level, found.check]),
        [[level, check]],
        JSON.stringify(report.findings, null, 1),
      );
      const [found] = report.findings;
      assert.match(found!.about, about);
      if (advice) assert.match(found!.advice ?? '', advice);
      assert.equal(found!.commands?.length ?? 0, commands.length, JSON.stringify(found));
      for (const [n, part] of commands.entries())
        assert.ok(found!.commands?.[n]?.includes(part), found!.commands?.[n]);
      assert.equal(report.ready, level !== 'blocks');
      assert.equal(report.trouble, false);
    });
  }

  test('with what a failed first creation has left, says how to take it over and how to remove it', async () => {
    const directory = `PealData-prod-${logicalId('Directory')}-X1`;
    const attachments = `pealdata-prod-${logicalId('Attachments').toLowerCase()}-x2`;
    const master = `arn:aws:secretsmanager:eu-central-1:${ACCOUNT}:secret:AccountsMaster-x3-AbCdEf`;
    const gone = `arn:aws:secretsmanager:eu-central-1:${ACCOUNT}:secret:FcmCredentials-x4-AbCdEf`;
    const report = await look('plain', {
      DescribeStacks: forOne('DescribeStacks', 'StackName', 'PealData-prod', (asked) =>
        result(asked, aws.stack('PealData-prod', 'ROLLBACK_COMPLETE')),
      ),
      ListStackResources: (asked) =>
        result(
          asked,
          aws.stackResources([
            {
              logicalId: logicalId('Directory'),
              id: directory,
              type: 'AWS::DynamoDB::GlobalTable',
              status: 'DELETE_SKIPPED',
            },
          ]),
        ),
      GetResources: ({ input }) =>
        input.PaginationToken === 'more'
          ? json({
              PaginationToken: '',
              ResourceTagMappingList: [
                tagged(master.slice(8), 'PealData-prod', logicalId('AccountsMaster')),
                tagged(gone.slice(8), 'PealData-prod', logicalId('FcmCredentials')),
              ],
            })
          : json({
              PaginationToken: 'more',
              ResourceTagMappingList: [
                tagged(
                  `dynamodb:eu-central-1:${ACCOUNT}:table/${directory}`,
                  'PealData-prod',
                  logicalId('Directory'),
                ),
              ],
            }),
      ListTables: () => json({ TableNames: [directory, 'PealData-prod-eu-Directory-X9'] }),
      DescribeTable: () => json({ Table: aws.table(directory) }),
      ListBuckets: () => aws.bucketList(attachments),
      HeadBucket: () => ({ status: 200, body: '' }),
      DescribeSecret: (asked) =>
        asked.input.SecretId === gone
          ? fault(asked, 'ResourceNotFoundException', "Secrets Manager can't find the specified secret.", 400)
          : json(aws.secret(master, { Description: 'What the second factors of accounts are derived from' })),
    });

    const left = report.findings.filter(({ check }) => check === 'leftovers');
    assert.deepEqual(
      left.map(({ about }) => /^The (?:table|bucket|secret) (\S+)/.exec(about)?.[1]),
      [attachments, master, directory, undefined],
    );
    assert.match(left[2]!.about, /with about 12 items/);
    assert.deepEqual(left[2]!.commands, [
      `aws dynamodb update-table --table-name ${directory} --no-deletion-protection-enabled --region eu-central-1`,
      `aws dynamodb wait table-exists --table-name ${directory} --region eu-central-1`,
      `aws dynamodb delete-table --table-name ${directory} --region eu-central-1`,
    ]);
    assert.deepEqual(left[1]!.commands, [
      `aws secretsmanager delete-secret --secret-id ${master} --recovery-window-in-days 7 --region eu-central-1`,
    ]);
    const adopting = left[3]!;
    assert.match(adopting.advice ?? '', new RegExp(`directoryTable: '${directory}'`));
    assert.match(adopting.commands![0]!, /delete-stack --stack-name PealData-prod/);
    const [, mapping] = /^npx cdk import PealData -c stage=prod --resource-mapping-inline '(.*)'$/.exec(
      adopting.commands!.at(-1)!,
    )!;
    assert.deepEqual(JSON.parse(mapping!), {
      [logicalId('Attachments')]: { BucketName: attachments },
      [logicalId('AccountsMaster')]: { Id: master },
      [logicalId('Directory')]: { TableName: directory },
    });
  });

  test('leaves alone what the stacks have that are deployed already', async () => {
    const { stacks } = plans.get('named')!;
    const idOf = (type: string, id: string) =>
      type === 'AWS::ApiGatewayV2::DomainName'
        ? 'socket.example.org'
        : type.endsWith('Distribution')
          ? 'E7'
          : id;
    const table = `PealData-prod-${logicalId('Mailbox')}-X1`;
    const report = await look('named', {
      DescribeStacks: (asked) => result(asked, aws.stack(String(asked.input.StackName), 'CREATE_COMPLETE')),
      ListStackResources: (asked) =>
        result(
          asked,
          aws.stackResources(
            Object.entries(stacks.find(({ name }) => name === asked.input.StackName)!.resources).map(
              ([id, { Type }]) => ({
                logicalId: id,
                id: id === logicalId('Mailbox') ? table : idOf(Type, id),
                type: Type,
              }),
            ),
          ),
        ),
      GetDomainNames: () => json({ items: [{ domainName: 'socket.example.org' }] }),
      ListDistributions: () => aws.edgeList('DistributionList', [aws.distribution('E7', 'web.example.org')]),
      ListTables: () => json({ TableNames: [table] }),
      // Nothing more is made, so it may be full.
      GetAccountSummary: (asked) => aws.iamSummary(asked, 1000, 1000),
    });

    assert.deepEqual(report.findings, []);
    assert.ok(report.stacks.every(({ status }) => status === 'CREATE_COMPLETE'));
  });
});

describe('what cannot be looked at', () => {
  test('for want of a permission is a finding that names it, and never the end', async () => {
    /** What must be answered for others to be asked. */
    const first: Question[] = ['DescribeStacks', 'GetServiceQuota'];
    const questions = Object.keys(ACTIONS) as Question[];
    const refusing = (...refused: Question[]) =>
      Object.fromEntries(refused.map((question) => [question, denied]));
    const named = new Set<string>();

    const others = refusing(...questions.filter((question) => !first.includes(question)));
    const reports = [
      await look('named', others),
      await look('guarded', others),
      await look('named', refusing(...first)),
      await look('named', {
        GetServiceQuota: missing('NoSuchResourceException', 'The specified quota does not exist'),
        ...refusing('GetAWSDefaultServiceQuota', 'HeadBucket', 'ListResourceRecordSets'),
      }),
      await look('named', {
        ...stackIs('PealData-prod', 'CREATE_COMPLETE'),
        ...refusing('ListStackResources'),
      }),
    ];

    for (const { findings, ready, trouble } of reports) {
      assert.deepEqual([ready, trouble], [true, false]);
      for (const { level, about, advice } of findings) {
        assert.equal(level, 'unknown');
        const [, action] = /^Could not look(?:: the credentials do not allow (\S+)\.$)?/.exec(about)!;
        if (action === undefined) continue;
        named.add(action);
        assert.match(advice ?? '', /AWS says: (?:User: \S+:user\/deployer is not authorized|HTTP 403$)/);
      }
    }
    assert.deepEqual([...named].toSorted(), [...new Set(Object.values(ACTIONS))].toSorted());
  });

  test('since AWS does not answer, or never ends to, is found in time, and may be asked again', async () => {
    const busy = await look('plain', { GetAccountSettings: missing('ServiceException', 'busy', 500) });
    const impatient = new Aws(300);
    const silent = await look(
      'plain',
      {
        ListTables: () => ({
          headers: { 'content-type': 'application/x-amz-json-1.0' },
          body: '',
          hangs: true,
        }),
      },
      impatient,
    );
    impatient.close();

    const found = [busy, silent].map(({ findings }) => findings.map(({ level, check }) => [level, check]));
    assert.deepEqual(found, [[['unknown', 'concurrency']], [['unknown', 'leftovers']]]);
    assert.match(
      busy.findings[0]!.about,
      /did not answer GetAccountSettings: ServiceException: busy \(500\)/,
    );
    assert.match(silent.findings[0]!.about, /did not answer ListTables: no answer within 0\.3 s/);
    assert.deepEqual([busy.ready, busy.trouble, silent.trouble], [true, true, true]);
  });

  test('since the credentials are not good ends it, with what to do', async () => {
    const expired = missing('ExpiredToken', 'The security token included in the request is expired', 403);

    await assert.rejects(look('plain', { GetCallerIdentity: expired }), {
      exitCode: 1,
      message: /AWS does not take the credentials in eu-central-1: The security token .* is expired/,
      advice: /aws sso login.*enable-region --region-name eu-central-1/,
    });
    await assert.rejects(look('plain', { GetCallerIdentity: missing('InternalFailure', 'sorry', 500) }), {
      exitCode: 3,
    });
    const { AWS_ACCESS_KEY_ID } = process.env;
    delete process.env.AWS_ACCESS_KEY_ID;
    const stranger = new Aws();
    await assert.rejects(look('plain', {}, stranger), { exitCode: 2, message: 'no AWS credentials found' });
    stranger.close();
    process.env.AWS_ACCESS_KEY_ID = AWS_ACCESS_KEY_ID;
  });
});

describe('asks', () => {
  test('nothing of AWS that could change anything', async () => {
    const clients = new Aws();
    const s3 = clients.client(S3Client, REGION);

    await assert.rejects(
      s3.send(new CreateBucketCommand({ Bucket: 'new' })),
      /CreateBucketCommand is not sent/,
    );
    await s3.send(new ListBucketsCommand({}));
    clients.close();

    const asked = standIn.asked.map(({ operation }) => operation);
    assert.ok(asked.includes('ListBuckets') && !asked.includes('CreateBucket'), `${asked}`);
    // By whatever test before this one.
    for (const operation of everAsked) assert.match(operation, /^(?:Describe|Get|Head|List)[A-Z]\w+$/);
  });

  test('for no other permissions than the documentation lists', async () => {
    const text = await readFile(new URL('../../docs/admin.md', import.meta.url), 'utf8');
    const [, policy] = /^## Preflight$[\s\S]*?^```json\n([\s\S]*?)^```$/m.exec(text) ?? [];
    const documented: string[] = JSON.parse(policy ?? '{}').Statement.flatMap(
      (statement: { Action: string[] }) => statement.Action,
    );

    assert.deepEqual(documented.toSorted(), [...new Set(Object.values(ACTIONS))].toSorted());
    const known = new Set([...Object.keys(ACTIONS), 'GetCallerIdentity']);
    assert.deepEqual([...everAsked].toSorted(), [...known].toSorted());
  });

  test('where the stacks go, and in us-east-1 of what is at the edge', async () => {
    await look('guarded');

    const regions = (operation: string) => [
      ...new Set(standIn.asked.filter((one) => one.operation === operation).map(({ region }) => region)),
    ];
    assert.deepEqual(regions('GetParameter').toSorted(), ['eu-central-1', 'us-east-1']);
    assert.deepEqual(regions('ListDistributions'), ['us-east-1']);
    assert.deepEqual(regions('GetAccountSettings'), ['eu-central-1']);
    const firewall = standIn.asked.filter(({ input }) => input.StackName === 'PealFirewall-prod');
    assert.deepEqual(
      firewall.map(({ region }) => region),
      ['us-east-1'],
    );
  });
});

test('no function needs more memory than AWS gives a new account', () => {
  const needed = [...plans.values()].flatMap(({ stacks }) =>
    resourcesOf(stacks, 'AWS::Lambda::Function').map(({ properties }) =>
      Number(properties.MemorySize ?? 128),
    ),
  );

  // AWS says so when a function is made: "'MemorySize' value failed to satisfy constraint: … less than or equal to 3008".
  assert.ok(Math.max(...needed) <= 3008);
});

/** What an installation without the packages of development is like. */
const WITHOUT_CDK = `
import { registerHooks } from 'node:module';
registerHooks({
  resolve(name, context, next) {
    if (name !== 'aws-cdk-lib') return next(name, context);
    throw Object.assign(new Error("Cannot find package 'aws-cdk-lib'"), { code: 'ERR_MODULE_NOT_FOUND' });
  },
});`;

describe('the command', () => {
  const machine = async (t: Parameters<typeof Machine.at>[0]) => {
    const one = await Machine.at(t, { url: '', socket: '' });
    for (const name of Object.keys(process.env).filter((key) => key.startsWith('AWS_'))) {
      one.env[name] = process.env[name]!;
    }
    return one;
  };

  test('says what is found and what mends it, fails if anything blocks, and is told what cdk is told', async (t) => {
    const one = await machine(t);
    standIn.answers = {
      ...READY,
      GetParameter: inRegion('eu-west-1', missing('ParameterNotFound', ''), READY.GetParameter!),
      HeadBucket: inRegion('eu-west-1', () => ({ status: 404, body: '' }), READY.HeadBucket!),
      GetAccountSettings: inRegion('eu-west-1', () => aws.lambdaSettings(10, 10), READY.GetAccountSettings!),
    };
    const preflightOf = (config: PealConfig, ...more: string[]) =>
      one.run(['admin', 'preflight', '-c', `config=${JSON.stringify(config)}`, ...more]);

    const poor = await machine(t);
    poor.env.NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(WITHOUT_CDK)}`;

    const [blocked, wrong, without] = await Promise.all([
      preflightOf({ region: 'eu-west-1', stage: 'blue' }, '-c', 'stage=blue'),
      preflightOf({ region: REGION, stage: 'blue' }, '-c', 'stage=green'),
      poor.run(['admin', 'preflight']),
    ]);

    assert.deepEqual([blocked.code, wrong.code, without.code], [1, 2, 2], blocked.stderr);
    assert.match(without.stderr, /not installed: Cannot find package.*\nRun npm ci/);
    const [blocks, warns] = blocked.stdout.split('GOOD TO KNOW') as [string, string];
    assert.match(
      blocks,
      /^Account: +123456789012 .*\nRegion: +eu-west-1\nStage: +blue\nStacks: +none is there\n/,
    );
    assert.match(
      blocks,
      /^IN THE WAY\n- bootstrap: .*\n {4}\$ npx cdk bootstrap aws:\/\/123456789012\/eu-west-1$/m,
    );
    assert.match(warns, /^- concurrency: Lambda runs at most 10/m);
    assert.match(blocked.stderr, /1 of what was found would make the deployment fail/);
    assert.match(wrong.stderr, /-c stage=green is wrong:\n +it is of the stage blue/);
  });

  test('does well where nothing blocks, with its report in one line of JSON, but for what was not answered', async (t) => {
    let line = '';
    const write = process.stdout.write.bind(process.stdout);
    // In this process, whose other output goes its way: another one would spend seconds on loading CDK.
    t.mock.method(process.stdout, 'write', (...args: Parameters<typeof write>) => {
      const [chunk] = args;
      if (typeof chunk !== 'string' || !chunk.startsWith('{"account"')) return write(...args);
      line += chunk;
      (args.at(-1) as unknown as () => void)();
      return true;
    });

    const config = `config=${JSON.stringify({ region: REGION })}`;
    const command = ['admin', 'preflight', '--json', '-c', config];
    await buildProgram().parseAsync(command, { from: 'user' });

    assert.deepEqual(JSON.parse(line), {
      account: ACCOUNT,
      arn: aws.USER,
      region: REGION,
      stage: 'prod',
      ready: true,
      stacks: plans.get('plain')!.stacks.map(({ name, region }) => ({ name, region, status: null })),
      findings: [],
      trouble: false,
    });
    assert.match(line, /^\{.*\}\n$/);

    line = '';
    standIn.answers = { ...READY, GetAccountSettings: missing('ServiceException', 'busy', 500) };
    await assert.rejects(buildProgram().parseAsync(command, { from: 'user' }), { exitCode: 3 });
    const { ready, trouble } = JSON.parse(line);
    assert.deepEqual([ready, trouble], [true, true]);
  });

  test('takes the context from where cdk takes it', async (t) => {
    const { folder } = await machine(t);
    const write = (file: string, content: unknown) => writeFile(join(folder, file), JSON.stringify(content));
    await write('.cdk.json', { context: { stage: 'home', other: 'home' } });
    await write('cdk.context.json', { stage: 'looked-up', other: 'looked-up' });
    await write('cdk.json', { app: 'node app.ts', context: { stage: 'project' } });

    const contexts = [cdkContext({ stage: 'typed' }, folder, folder), cdkContext({}, folder, folder)];

    assert.deepEqual(contexts, [
      { stage: 'typed', other: 'looked-up' },
      { stage: 'project', other: 'looked-up' },
    ]);
    await writeFile(join(folder, 'cdk.json'), '{');
    assert.throws(() => cdkContext({}, folder, folder), { exitCode: 2, message: /cdk\.json is no JSON/ });
  });
});
