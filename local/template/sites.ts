/** Web sites of the template: CloudFront distributions in front of a bucket, and the files that a deployment puts there. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import type { StackTemplate } from './assembly.ts';
import { isEdge } from './edges.ts';
import { asList, asObject, asString, isObject, type JsonObject, TemplateError } from './json.ts';
import { type Model, type Resource, whereIs } from './model.ts';
import { ACCOUNT } from './pseudo.ts';

/** A site as the template describes it, every intrinsic resolved. */
export interface SiteDescription {
  /** The host that CloudFront gives it. */
  domain: string;
  /** What `/` is. */
  index: string;
  /** Headers of every answer. */
  headers: Record<string, string>;
  /** By path, without a slash at the beginning. */
  files: ReadonlyMap<string, SiteFile>;
  /** Whether CloudFront may read the bucket; S3 refuses it every file if not. */
  readable: boolean;
}

export interface SiteFile {
  content: Buffer;
  cacheControl: string | undefined;
}

export const DEPLOYMENT = 'Custom::CDKBucketDeployment';

/** Properties that are heeded or change nothing locally; any other would be silently not run. */
const DISTRIBUTION = [
  'Aliases',
  'Comment',
  'DefaultRootObject',
  'DefaultCacheBehavior',
  'Enabled',
  'HttpVersion',
  'IPV6Enabled',
  'Origins',
  'ViewerCertificate',
  'WebACLId',
];
const BEHAVIOR = [
  'CachePolicyId',
  'Compress',
  'ResponseHeadersPolicyId',
  'TargetOriginId',
  'ViewerProtocolPolicy',
];
const DEPLOYED = [
  'DestinationBucketKeyPrefix',
  'DestinationBucketName',
  'OutputObjectKeys',
  'Prune',
  'ServiceToken',
  'SourceBucketNames',
  'SourceMarkers',
  'SourceMarkersConfig',
  'SourceObjectKeys',
  'SystemMetadata',
  'WaitForDistributionInvalidation',
];

/** The functions that copy the files at deployment. The local cloud does that itself, as it reads the template. */
export function deployers(model: Model): Set<string> {
  return new Set(
    model
      .ofType(DEPLOYMENT)
      .map((resource) => asString(resource.properties.ServiceToken, whereIs(resource, 'ServiceToken'))),
  );
}

/**
 * Reads every site.
 *
 * @throws TemplateError for what the local cloud cannot serve as CloudFront would
 */
export function readSites(model: Model, stacks: StackTemplate[]): SiteDescription[] {
  const assets = new Map(stacks.flatMap((stack) => [...stack.assets]));
  const distributions = model.ofType('AWS::CloudFront::Distribution').filter((one) => !isEdge(one));
  return distributions.map((resource) => {
    const where = whereIs(resource, 'DistributionConfig');
    const config = asObject(resource.properties.DistributionConfig, where);
    const behavior = asObject(config.DefaultCacheBehavior, where);
    only(config, DISTRIBUTION, resource);
    only(behavior, BEHAVIOR, resource);
    const origin = asList(config.Origins).find((one) => isObject(one) && one.Id === behavior.TargetOriginId);
    const bucket = model
      .ofType('AWS::S3::Bucket')
      .find(({ attributes }) => isObject(origin) && attributes.RegionalDomainName === origin.DomainName);
    if (!bucket || !isObject(origin))
      throw new TemplateError(where, 'its origin is no bucket of the template');
    const hasIdentity = model
      .ofType('AWS::CloudFront::OriginAccessControl')
      .some(({ ref }) => ref === origin.OriginAccessControlId);
    return {
      domain: resource.attributes.DomainName as string,
      index: asString(config.DefaultRootObject, where),
      headers: headers(model, asString(behavior.ResponseHeadersPolicyId, where), resource),
      files: files(model, bucket, assets),
      readable: hasIdentity && mayRead(model, resource, bucket),
    };
  });
}

/** Whether the bucket's policy lets the distribution get its objects. */
function mayRead(model: Model, distribution: Resource, bucket: Resource): boolean {
  const source = `arn:aws:cloudfront::${ACCOUNT}:distribution/${distribution.ref}`;
  return model.ofType('AWS::S3::BucketPolicy').some(({ properties }) => {
    if (properties.Bucket !== bucket.ref || !isObject(properties.PolicyDocument)) return false;
    return asList(properties.PolicyDocument.Statement).some(
      (statement) =>
        isObject(statement) &&
        statement.Effect === 'Allow' &&
        asList(statement.Action).includes('s3:GetObject') &&
        asList(statement.Resource).includes(`${bucket.attributes.Arn}/*`) &&
        isObject(statement.Principal) &&
        statement.Principal.Service === 'cloudfront.amazonaws.com' &&
        JSON.stringify(statement.Condition) === JSON.stringify({ StringEquals: { 'AWS:SourceArn': source } }),
    );
  });
}

/** The headers that a response headers policy sets. */
function headers(model: Model, id: string, of: Resource): Record<string, string> {
  const policy = model.ofType('AWS::CloudFront::ResponseHeadersPolicy').find(({ ref }) => ref === id);
  if (!policy) throw new TemplateError(whereIs(of), `there is no response headers policy ${id}`);
  const where = whereIs(policy, 'ResponseHeadersPolicyConfig');
  const config = asObject(policy.properties.ResponseHeadersPolicyConfig, where);
  only(config, ['Comment', 'CustomHeadersConfig', 'Name', 'SecurityHeadersConfig'], policy);
  const security = isObject(config.SecurityHeadersConfig) ? config.SecurityHeadersConfig : {};
  const custom = isObject(config.CustomHeadersConfig) ? config.CustomHeadersConfig : {};
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(security)) {
    const [header, text] = securityHeader(name, asObject(value, where));
    if (header === undefined) throw new TemplateError(where, `${name} is not supported here`);
    result[header] = text;
  }
  for (const item of asList(custom.Items).filter(isObject)) {
    result[asString(item.Header, where)] = asString(item.Value, where);
  }
  return result;
}

function securityHeader(name: string, value: JsonObject): [string | undefined, string] {
  switch (name) {
    case 'ContentSecurityPolicy':
      return ['Content-Security-Policy', String(value.ContentSecurityPolicy)];
    case 'ContentTypeOptions':
      return ['X-Content-Type-Options', 'nosniff'];
    case 'FrameOptions':
      return ['X-Frame-Options', String(value.FrameOption)];
    case 'ReferrerPolicy':
      return ['Referrer-Policy', String(value.ReferrerPolicy)];
    case 'StrictTransportSecurity': {
      const subdomains = value.IncludeSubdomains === true ? '; includeSubDomains' : '';
      return ['Strict-Transport-Security', `max-age=${String(value.AccessControlMaxAgeSec)}${subdomains}`];
    }
    default:
      return [undefined, ''];
  }
}

/** What the deployments put into a bucket; of a name that is put twice, the later stays. */
function files(model: Model, bucket: Resource, assets: Map<string, string>): Map<string, SiteFile> {
  const result = new Map<string, SiteFile>();
  for (const deployment of model.ofType(DEPLOYMENT)) {
    const { properties } = deployment;
    if (properties.DestinationBucketName !== bucket.ref) continue;
    only(properties, DEPLOYED, deployment);
    const prefix =
      typeof properties.DestinationBucketKeyPrefix === 'string' ? properties.DestinationBucketKeyPrefix : '';
    const metadata = isObject(properties.SystemMetadata) ? properties.SystemMetadata : {};
    const cacheControl =
      typeof metadata['cache-control'] === 'string' ? metadata['cache-control'] : undefined;
    const markers = asList(properties.SourceMarkers);
    const escapes = asList(properties.SourceMarkersConfig);
    for (const [n, key] of asList(properties.SourceObjectKeys).entries()) {
      const folder = assets.get(String(key));
      if (folder === undefined || !statSync(folder).isDirectory()) {
        throw new TemplateError(whereIs(deployment), `the asset ${String(key)} is no folder of the assembly`);
      }
      const isEscaped = isObject(escapes[n]) && escapes[n].jsonEscape === true;
      const replaced = Object.entries(isObject(markers[n]) ? markers[n] : {}).map(
        ([marker, value]): [string, string] => [
          marker,
          isEscaped ? JSON.stringify(String(value)).slice(1, -1) : String(value),
        ],
      );
      for (const file of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        if (!file.isFile()) continue;
        const path = join(file.parentPath, file.name);
        const name = posix.join(prefix, relative(folder, path).split(sep).join('/'));
        result.set(name, { content: withMarkers(readFileSync(path), replaced), cacheControl });
      }
    }
  }
  return result;
}

/** Puts what is only known at deployment in the place of its markers. */
function withMarkers(content: Buffer, markers: [string, string][]): Buffer {
  if (markers.length === 0) return content;
  return Buffer.from(
    markers.reduce((text, [marker, value]) => text.replaceAll(marker, value), String(content)),
  );
}

function only(object: JsonObject, names: string[], resource: Resource): void {
  for (const name of Object.keys(object)) {
    if (!names.includes(name)) throw new TemplateError(whereIs(resource, name), 'is not supported here');
  }
}
