import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfig } from '../../cdk/settings.ts';
import { type Synthesized, stacksWith } from './in-process.ts';
import { ofType } from './templates.ts';

interface Rule {
  Name: string;
  Priority: number;
  Action?: Record<string, object>;
  OverrideAction?: Record<string, object>;
  Statement: {
    RateBasedStatement?: { AggregateKeyType: string; Limit: number; EvaluationWindowSec: number };
    ManagedRuleGroupStatement?: {
      Name: string;
      RuleActionOverrides?: { Name: string; ActionToUse: object }[];
    };
  };
  VisibilityConfig: { SampledRequestsEnabled: boolean };
}

const propertiesOf = (stack: Synthesized | undefined, type: string) =>
  Object.values(stack!.Resources)
    .filter(({ Type }) => Type === type)
    .map(({ Properties }) => Properties);

const onlyOf = (stack: Synthesized | undefined, type: string): Record<string, unknown> =>
  propertiesOf(stack, type)[0]!;

const CERTIFICATE = 'arn:aws:acm:us-east-1:111122223333:certificate/one';
const near = stacksWith({ waf: true, region: 'us-east-1' });
const far = stacksWith({
  waf: true,
  region: 'eu-central-1',
  domains: { api: { name: 'push.example.org', certificateArn: CERTIFICATE } },
});
const rules = onlyOf(near.PealFirewall, 'AWS::WAFv2::WebACL').Rules as Rule[];
const named = (name: string) => rules.find(({ Name }) => Name === name)!;

test('an address that asks too often is answered 429, and logins count by themselves', () => {
  for (const [name, limit] of [
    ['Logins', 100],
    ['Requests', 20_000],
  ] as const) {
    const { Statement, Action } = named(name);

    assert.equal(Statement.RateBasedStatement?.Limit, limit);
    assert.equal(Statement.RateBasedStatement?.AggregateKeyType, 'IP');
    assert.match(JSON.stringify(Action), /"ResponseCode":429.*"Retry-After"/);
  }
});

test('what reads messages only counts: HTML, addresses, images and log lines with attacks come through', () => {
  const bad = named('KnownBadInputs');
  const common = named('Common');

  assert.deepEqual(common.OverrideAction, { Count: {} });
  const counted = bad.Statement.ManagedRuleGroupStatement!.RuleActionOverrides!;
  assert.ok(counted.every(({ ActionToUse }) => JSON.stringify(ActionToUse) === '{"Count":{}}'));
  assert.deepEqual(
    counted.map(({ Name }) => Name).filter((name) => /^Log4J/.test(name)),
    ['Log4JRCE_BODY', 'Log4JRCE_QUERYSTRING'],
  );
});

test('no samples of requests are kept, in which there would be tokens', () => {
  assert.ok(rules.every(({ VisibilityConfig }) => VisibilityConfig.SampledRequestsEnabled === false));
});

test('no list blocks hosting providers, where senders are', () => {
  const groups = rules.map(({ Statement }) => Statement.ManagedRuleGroupStatement?.Name);

  assert.ok(!groups.includes('AWSManagedRulesAnonymousIpList'));
});

test('both distributions have the firewall, and every route of the API its authorizer', () => {
  for (const id of ['PealApi', 'PealWeb']) {
    const { DistributionConfig } = onlyOf(near[id], 'AWS::CloudFront::Distribution');
    assert.match(JSON.stringify(DistributionConfig), /"WebACLId":\{"Ref":"PealFirewallWebAclArn"\}/);
  }
  const routes = propertiesOf(near.PealApi, 'AWS::ApiGatewayV2::Route');
  assert.ok(routes.length > 50);
  for (const { AuthorizationType, AuthorizerId, RouteKey } of routes) {
    assert.equal(AuthorizationType, 'CUSTOM', String(RouteKey));
    assert.ok(AuthorizerId);
  }
});

test('the API’s distribution caches nothing, and passes on everything but the host', () => {
  const { DefaultCacheBehavior } = onlyOf(near.PealApi, 'AWS::CloudFront::Distribution')
    .DistributionConfig as {
    DefaultCacheBehavior: Record<string, unknown>;
  };
  const { OriginRequestPolicyConfig } = onlyOf(near.PealApi, 'AWS::CloudFront::OriginRequestPolicy') as {
    OriginRequestPolicyConfig: Record<string, unknown>;
  };

  assert.equal(DefaultCacheBehavior.CachePolicyId, '4135ea2d-6df8-44a3-9df3-4b5a84be39ad');
  assert.equal(DefaultCacheBehavior.Compress, false);
  assert.equal(DefaultCacheBehavior.ViewerProtocolPolicy, 'https-only');
  assert.ok((DefaultCacheBehavior.AllowedMethods as string[]).includes('POST'));
  assert.deepEqual(OriginRequestPolicyConfig.HeadersConfig, {
    HeaderBehavior: 'allExcept',
    Headers: ['Host'],
  });
  assert.deepEqual(OriginRequestPolicyConfig.QueryStringsConfig, { QueryStringBehavior: 'all' });
});

test('the firewall is in us-east-1 wherever the rest is, and the rest learns its name', () => {
  const { DistributionConfig } = onlyOf(far.PealApi, 'AWS::CloudFront::Distribution');

  assert.equal(far.PealFirewall!.region, 'us-east-1');
  assert.equal(far.PealApi!.region, 'eu-central-1');
  assert.match(
    JSON.stringify(DistributionConfig),
    /"WebACLId":\{"Fn::GetStackOutput":\{"StackName":"PealFirewall-prod","Region":"us-east-1","OutputName":"WebAclArn/,
  );
});

test('a name of the team’s own is the distribution’s, with TLS 1.2 at least', () => {
  const { DistributionConfig } = onlyOf(far.PealApi, 'AWS::CloudFront::Distribution') as {
    DistributionConfig: { Aliases: string[]; ViewerCertificate: Record<string, string> };
  };

  assert.deepEqual(DistributionConfig.Aliases, ['push.example.org']);
  assert.equal(DistributionConfig.ViewerCertificate.AcmCertificateArn, CERTIFICATE);
  assert.match(DistributionConfig.ViewerCertificate.MinimumProtocolVersion!, /^TLSv1\.2/);
});

test('without it there is no distribution before the API, and no authorizer', async () => {
  assert.deepEqual(await ofType('PealApi', 'AWS::CloudFront::Distribution'), []);
  assert.deepEqual(await ofType('PealApi', 'AWS::ApiGatewayV2::Authorizer'), []);
});

test('a region has to be given with it, and the API’s certificate is where CloudFront looks', () => {
  const certificateArn = 'arn:aws:acm:eu-central-1:111122223333:certificate/one';
  const domains = { api: { name: 'push.example.org', certificateArn } };

  assert.throws(() => checkConfig({ waf: true }, 'it'), /region must be given with waf/);
  assert.throws(
    () => checkConfig({ waf: true, region: 'eu-central-1', domains }, 'it'),
    /domains\.api\.certificateArn must be of a certificate in us-east-1, where CloudFront looks for it/,
  );
});
