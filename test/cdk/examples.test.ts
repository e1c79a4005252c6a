import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { App, CfnResource, Stack } from 'aws-cdk-lib';
import { examples } from '../../cdk/examples.ts';
import type { Settings } from '../../cdk/settings.ts';
import { appOf, CONTEXT, type Synthesized, stacksWith, synthesize } from './in-process.ts';
import type { Resource } from './templates.ts';

type Stacks = Record<'Api' | 'Data' | 'Dispatch' | 'Web', Synthesized>;

/** A synthesized example: the stacks that each deployment has, and all that there are. */
interface Example {
  settings: Settings;
  stacks: Stacks;
  every: Synthesized[];
}

const all = new Map<string, Example>();
for (const { name, settings } of await examples()) {
  const made = synthesize(appOf(settings));
  const stack = (id: string): Synthesized => made[`Peal${id}`]!;
  all.set(name, {
    settings,
    stacks: { Api: stack('Api'), Data: stack('Data'), Dispatch: stack('Dispatch'), Web: stack('Web') },
    every: Object.values(made),
  });
}

/** The stacks of an example. */
const stacksOf = (name: string): Stacks => all.get(name)!.stacks;

const ofType = ({ Resources }: Synthesized, type: string) =>
  Object.values(Resources).filter((resource) => resource.Type === type);

const properties = (stack: Synthesized, type: string) =>
  ofType(stack, type).map(({ Properties }) => Properties);

/** The values that a stack prints, those apart that are for other stacks. */
const printed = ({ Outputs = {} }: Synthesized) =>
  Object.fromEntries(
    Object.entries(Outputs)
      .filter(([, { Export }]) => !Export)
      .map(([name, { Value }]) => [name, Value]),
  );

test('every example synthesizes', () => {
  assert.deepEqual([...all.keys()], ['domains', 'everything', 'minimal', 'two-stages-staging', 'two-stages']);
});

test('a template that CloudFormation would not take fails synthesis', (t) => {
  const outdir = mkdtempSync(join(tmpdir(), 'peal-wrong-'));
  t.after(() => rmSync(outdir, { recursive: true, force: true }));
  t.mock.method(console, 'error', () => {});
  const app = new App({ outdir, context: CONTEXT });
  new CfnResource(new Stack(app, 'Wrong'), 'Bucket', { type: 'AWS::S3::Bucket', properties: { Nme: 'x' } });

  assert.throws(() => app.synth(), /Validation failed/);
});

test('everything is tagged with its stage', () => {
  for (const [name, { settings, stacks }] of all) {
    const [queue] = properties(stacks.Dispatch, 'AWS::SQS::Queue');
    assert.deepEqual(
      queue!.Tags,
      [
        { Key: 'app', Value: 'peal' },
        { Key: 'stage', Value: settings.stage },
      ],
      name,
    );
  }
});

/** Ends of ways to names that are no resource's own: of a part within it, or of something that it refers to. */
const WITHIN =
  /(StageName|MetricName|AttributeName|Dimensions Name|AWS::IAM::Policy PolicyName|Fn::GetStackOutput OutputName)$/;

/** Names in a resource that are written and not made by CloudFormation, with the type and the way to them. */
function namesIn({ Type, Properties }: Resource): string[] {
  const found: string[] = [];
  const visit = (value: unknown, path: string[]): void => {
    if (Array.isArray(value)) for (const item of value) visit(item, path);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    for (const [key, inner] of Object.entries(value)) {
      const isReference =
        typeof inner === 'object' && inner !== null && ('Ref' in inner || 'Fn::GetAtt' in inner);
      const way = [Type, ...path, key].join(' ');
      if (/Name$/.test(key) && !isReference && !WITHIN.test(way))
        found.push(`${way}: ${JSON.stringify(inner)}`);
      visit(inner, [...path, key]);
    }
  };
  visit(Properties, []);
  return found;
}

test('two stages share neither a stack’s name, nor a physical name, nor an export', () => {
  const claimed = ['two-stages', 'two-stages-staging'].map((name) => {
    const { every } = all.get(name)!;
    const exports = every.flatMap(({ Outputs = {} }) =>
      Object.values(Outputs).flatMap(({ Export }) => (Export ? [Export.Name] : [])),
    );
    const physical = every.flatMap(({ Resources }) => Object.values(Resources).flatMap(namesIn));
    return [...every.map(({ stackName }) => stackName), ...exports, ...physical];
  });

  const [production = new Set(), staging = new Set()] = claimed.map((names) => new Set(names));

  assert.ok(production.size > 20);
  assert.ok(staging.size > 20);
  assert.deepEqual(
    [...production].filter((name) => staging.has(name)),
    [],
  );
});

test('by default, sign-up is closed and bursts are limited', () => {
  const api = JSON.stringify(stacksOf('minimal').Api);

  assert.match(api, /"SIGN_UP":"closed"/);
  assert.match(api, /"QUOTA":"0"/);
  assert.match(api, /"BURST":"1200"/);
  assert.match(api, /"REGISTRATIONS_PER_HOUR":"20"/);
});

test('an API under a name of its own is reached under that alone', () => {
  const { Api, Dispatch } = stacksOf('domains');
  const [api] = properties(Api, 'AWS::ApiGatewayV2::Api');
  const [mapping] = properties(Api, 'AWS::ApiGatewayV2::ApiMapping');
  const [socket] = properties(Dispatch, 'AWS::ApiGatewayV2::Api');
  const [socketMapping] = properties(Dispatch, 'AWS::ApiGatewayV2::ApiMapping');

  assert.equal(api!.DisableExecuteApiEndpoint, true);
  assert.equal(mapping!.ApiMappingKey, undefined);
  // Signals are posted to AWS's name, so it has to stay.
  assert.equal(socket!.DisableExecuteApiEndpoint, undefined);
  assert.equal(socketMapping!.ApiMappingKey, 'push');
  assert.equal(printed(Api).ApiUrl, 'https://push.example.org');
  assert.equal(printed(Dispatch).SocketUrl, 'wss://socket.push.example.org/push');
  assert.equal(
    properties(stacksOf('minimal').Api, 'AWS::ApiGatewayV2::Api')[0]!.DisableExecuteApiEndpoint,
    false,
  );
});

test('with a zone each name has its alias records, without one its CNAME’s target is printed', () => {
  const withZone = stacksOf('domains');
  const without = stacksOf('everything');

  const records = Object.values(withZone).flatMap((stack) => properties(stack, 'AWS::Route53::RecordSet'));
  assert.deepEqual(
    records.map(({ Name, Type, HostedZoneId }) => [Name, Type, HostedZoneId]),
    [
      ['push.example.org.', 'A', 'Z0123456789ABCDEFGHIJ'],
      ['socket.push.example.org.', 'A', 'Z0123456789ABCDEFGHIJ'],
      ['app.push.example.org.', 'A', 'Z0123456789ABCDEFGHIJ'],
      ['app.push.example.org.', 'AAAA', 'Z0123456789ABCDEFGHIJ'],
    ],
  );
  assert.deepEqual(
    Object.values(without).flatMap((stack) => ofType(stack, 'AWS::Route53::RecordSet')),
    [],
  );
  // Its API is behind the firewall.
  assert.match(JSON.stringify(printed(without.Api).ApiDnsTarget), /EdgeDistribution.*"DomainName"/);
  assert.match(JSON.stringify(printed(without.Dispatch).SocketDnsTarget), /RegionalDomainName/);
  assert.match(JSON.stringify(printed(without.Web).WebDnsTarget), /DomainName/);
  assert.ok(!('ApiDnsTarget' in printed(withZone.Api)));
});

test('the web app is at its own name, and its pages may call the others', () => {
  const { Web } = stacksOf('domains');
  const [distribution] = properties(Web, 'AWS::CloudFront::Distribution');
  const { Aliases, ViewerCertificate } = distribution!.DistributionConfig as {
    Aliases: string[];
    ViewerCertificate: { MinimumProtocolVersion: string; AcmCertificateArn: string };
  };
  const policy = JSON.stringify(properties(Web, 'AWS::CloudFront::ResponseHeadersPolicy'));

  assert.deepEqual(Aliases, ['app.push.example.org']);
  assert.match(ViewerCertificate.AcmCertificateArn, /:us-east-1:/);
  assert.match(ViewerCertificate.MinimumProtocolVersion, /^TLSv1\.2/);
  assert.match(
    policy,
    /connect-src 'self' https:\/\/push\.example\.org wss:\/\/socket\.push\.example\.org\/push /,
  );
  assert.match(policy, /media-src https:\/\/push\.example\.org;/);
  assert.equal(printed(Web).WebUrl, 'https://app.push.example.org');
});

test('what is decided of limits and retention reaches what it is for', () => {
  const { Api, Data, Dispatch } = stacksOf('everything');
  const variables = properties(Api, 'AWS::Lambda::Function').map(
    ({ Environment }) => (Environment as { Variables: Record<string, unknown> } | undefined)?.Variables ?? {},
  );
  const send = variables.find(({ BURST }) => BURST !== undefined)!;
  const account = variables.find(({ SIGN_UP }) => SIGN_UP !== undefined)!;
  const [attachments] = properties(Data, 'AWS::S3::Bucket');
  const [stage] = properties(Api, 'AWS::ApiGatewayV2::Stage');
  const [socketStage] = properties(Dispatch, 'AWS::ApiGatewayV2::Stage');
  const concurrency = properties(Dispatch, 'AWS::Lambda::EventSourceMapping').map(
    ({ ScalingConfig }) => (ScalingConfig as { MaximumConcurrency: number }).MaximumConcurrency,
  );

  assert.deepEqual(
    [send.QUOTA, send.BURST, send.MESSAGE_DAYS, send.ATTACHMENT_DAYS],
    ['10000', '300', '14', '7'],
  );
  assert.deepEqual([account.SIGN_UP, account.REGISTRATIONS_PER_HOUR], ['open', '100']);
  assert.match(JSON.stringify(attachments!.LifecycleConfiguration), /"ExpirationInDays":7,/);
  assert.match(
    JSON.stringify(stage!.DefaultRouteSettings),
    /"ThrottlingBurstLimit":500,"ThrottlingRateLimit":1000/,
  );
  assert.match(JSON.stringify(socketStage!.DefaultRouteSettings), /:200,"ThrottlingRateLimit":100/);
  assert.deepEqual(
    concurrency.sort((a, b) => a - b),
    [2, 4, 5, 6, 6, 6, 6, 6, 20, 20, 20, 40],
  );
  for (const { RetentionInDays } of properties(Api, 'AWS::Logs::LogGroup')) assert.equal(RetentionInDays, 90);
});

test('secrets that were there before are read by their names, under grants for them alone', () => {
  const { Data, Dispatch } = stacksOf('everything');
  const policies = JSON.stringify(properties(Dispatch, 'AWS::IAM::Policy'));

  // What is left is the accounts' master secret, and the canary's.
  assert.equal(ofType(Data, 'AWS::SecretsManager::Secret').length, 2);
  assert.deepEqual(
    [printed(Data).FcmSecret, printed(Data).ApnsSecret, printed(Data).WebPushSecret],
    ['peal/fcm', 'peal/apns', 'peal/webpush'],
  );
  assert.match(policies, /:secretsmanager:eu-central-1:123456789012:secret:peal\/fcm-\?{6}"/);
});

test('a restored Directory takes the place of the stack’s own, which other stacks then need nothing of', () => {
  const { PealData, PealDispatch, PealApi } = stacksWith({ directoryTable: 'Peal.restored-1' });

  assert.equal(ofType(PealData!, 'AWS::DynamoDB::GlobalTable').length, 1);
  for (const stack of [PealDispatch!, PealApi!]) {
    const text = JSON.stringify(stack.Resources);
    assert.match(text, /"DIRECTORY_TABLE":"Peal\.restored-1"/);
    assert.match(text, /:table\/Peal\.restored-1"/);
    assert.doesNotMatch(text, /"Ref":"PealDataDirectory/);
  }
});
