/** Addresses under names of the team's own. */
import { CfnOutput } from 'aws-cdk-lib';
import { ApiMapping, DomainName, type IApi, type IStage, SecurityPolicy } from 'aws-cdk-lib/aws-apigatewayv2';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { IDistribution } from 'aws-cdk-lib/aws-cloudfront';
import {
  AaaaRecord,
  ARecord,
  HostedZone,
  type IAliasRecordTarget,
  RecordTarget,
} from 'aws-cdk-lib/aws-route53';
import { ApiGatewayv2DomainProperties, CloudFrontTarget } from 'aws-cdk-lib/aws-route53-targets';
import { Construct } from 'constructs';
import type { DomainConfig } from './peal-config.ts';
import type { PealStack } from './peal-stack.ts';

/** The certificate of a name. Its region was checked with the configuration. */
export function certificateOf(scope: Construct, { certificateArn }: DomainConfig) {
  return Certificate.fromCertificateArn(scope, 'Certificate', certificateArn);
}

/** What is mapped: an API's one stage, at the path (without slashes) that it has below the name. */
interface Mapped {
  api: IApi;
  stage: IStage;
  path?: string;
}

/** Puts an API's stage under a name of the team's own. */
export function nameApi(
  stack: PealStack,
  id: 'Api' | 'Socket',
  domain: DomainConfig,
  { api, stage, path }: Mapped,
): void {
  const scope = new Construct(stack, 'Domain');
  const name = new DomainName(scope, 'Name', {
    domainName: domain.name,
    certificate: certificateOf(scope, domain),
    securityPolicy: SecurityPolicy.TLS_1_2,
  });
  new ApiMapping(scope, 'Mapping', {
    api,
    stage,
    domainName: name,
    ...(path !== undefined && { apiMappingKey: path }),
  });
  const { regionalDomainName, regionalHostedZoneId } = name;
  const target = new ApiGatewayv2DomainProperties(regionalDomainName, regionalHostedZoneId);
  pointTo(stack, scope, `${id}DnsTarget`, domain, { target, host: regionalDomainName });
}

/** Has a name point to a distribution, which knows the name. */
export function nameDistribution(
  stack: PealStack,
  id: 'Api' | 'Web',
  domain: DomainConfig,
  distribution: IDistribution,
): void {
  const target = new CloudFrontTarget(distribution);
  pointTo(stack, new Construct(stack, 'Domain'), `${id}DnsTarget`, domain, {
    target,
    host: distribution.distributionDomainName,
    ipv6: true,
  });
}

/** Where a name is to point. */
interface Destination {
  target: IAliasRecordTarget;
  host: string;
  /** Whether it is reached over IPv6, too. */
  ipv6?: boolean;
}

/** Makes the alias records in the zone of the name, or says where a CNAME is to point. */
function pointTo(
  stack: PealStack,
  scope: Construct,
  output: string,
  { name, hostedZoneId }: DomainConfig,
  { target, host, ipv6 = false }: Destination,
): void {
  if (hostedZoneId === undefined) {
    new CfnOutput(stack, output, { value: host, description: `Where the CNAME of ${name} is to point` });
    return;
  }
  // Any zone that the name is in: what is written into the record is the whole name.
  const zone = HostedZone.fromHostedZoneAttributes(scope, 'Zone', { hostedZoneId, zoneName: name });
  const record = { zone, target: RecordTarget.fromAlias(target), comment: 'Peal' };
  new ARecord(scope, 'Record', record);
  if (ipv6) new AaaaRecord(scope, 'Ipv6Record', record);
}
