/** CloudFront distributions of the template that stand before an API. */
import { asList, asObject, asString, isObject, type Json, type JsonObject, TemplateError } from './json.ts';
import { type Model, type Resource, whereIs } from './model.ts';

/** A distribution before an API, every intrinsic resolved. */
export interface EdgeDescription {
  /** The host that CloudFront gives it, and those of the team's own. */
  names: [string, ...string[]];
  /** The host that requests go on to. */
  origin: string;
  /** Headers that it adds to them, by name in lower case. */
  headers: Record<string, string>;
  /** Code of the function that sees each request first. */
  viewerRequest: string | undefined;
  /** Any other is refused. */
  methods: string[];
}

/** Properties that are heeded or change nothing locally; any other would be silently not run. */
const DISTRIBUTION = [
  'Aliases',
  'Comment',
  'DefaultCacheBehavior',
  'Enabled',
  'HttpVersion',
  'IPV6Enabled',
  'Origins',
  'ViewerCertificate',
  'WebACLId',
];
const BEHAVIOR = [
  'AllowedMethods',
  'CachePolicyId',
  'Compress',
  'FunctionAssociations',
  'OriginRequestPolicyId',
  'TargetOriginId',
  'ViewerProtocolPolicy',
];

/** AWS's own cache policy that caches nothing. */
const CACHING_DISABLED = '4135ea2d-6df8-44a3-9df3-4b5a84be39ad';

/** Whether a distribution stands before an API, and not before files. */
export function isEdge(distribution: Resource): boolean {
  const config = distribution.properties.DistributionConfig;
  return (
    isObject(config) &&
    asList(config.Origins).every((one) => isObject(one) && one.CustomOriginConfig !== undefined)
  );
}

/**
 * Reads every distribution before an API.
 *
 * @throws TemplateError for what the local cloud cannot pass on as CloudFront would
 */
export function readEdges(model: Model): EdgeDescription[] {
  return model
    .ofType('AWS::CloudFront::Distribution')
    .filter(isEdge)
    .map((resource) => {
      const where = whereIs(resource, 'DistributionConfig');
      const config = asObject(resource.properties.DistributionConfig, where);
      const behavior = asObject(config.DefaultCacheBehavior, where);
      only(config, DISTRIBUTION, resource);
      only(behavior, BEHAVIOR, resource);
      if (behavior.CachePolicyId !== CACHING_DISABLED) {
        throw new TemplateError(
          where,
          'only a distribution that caches nothing is supported before an API here',
        );
      }
      const [origin] = asList(config.Origins).filter(isObject);
      if (!origin) throw new TemplateError(where, 'it has no origin');
      checkForwarding(model, resource, behavior);
      const headers = asList(origin.OriginCustomHeaders).map((value): [string, string] => {
        const header = asObject(value, where);
        return [asString(header.HeaderName, where).toLowerCase(), asString(header.HeaderValue, where)];
      });
      return {
        names: [
          resource.attributes.DomainName as string,
          ...asList(config.Aliases).map((name) => asString(name, where)),
        ],
        origin: asString(origin.DomainName, where),
        headers: Object.fromEntries(headers),
        viewerRequest: viewerRequest(model, resource, behavior),
        methods: asList(behavior.AllowedMethods).map((method) => asString(method, where)),
      };
    });
}

/** Everything but `Host` must go on as it came. */
function checkForwarding(model: Model, resource: Resource, behavior: JsonObject): void {
  const policy = model
    .ofType('AWS::CloudFront::OriginRequestPolicy')
    .find(({ ref }) => ref === behavior.OriginRequestPolicyId);
  if (!policy) throw new TemplateError(whereIs(resource), 'its origin request policy is not in the template');
  const where = whereIs(policy, 'OriginRequestPolicyConfig');
  const config = asObject(policy.properties.OriginRequestPolicyConfig, where);
  const headers = asObject(config.HeadersConfig, where);
  const query = asObject(config.QueryStringsConfig, where);
  const kept = asList(headers.Headers).map((name) => String(name).toLowerCase());
  if (
    headers.HeaderBehavior !== 'allExcept' ||
    kept.join() !== 'host' ||
    query.QueryStringBehavior !== 'all'
  ) {
    throw new TemplateError(where, 'only one that passes on everything but Host is supported here');
  }
}

function viewerRequest(model: Model, resource: Resource, behavior: JsonObject): string | undefined {
  const where = whereIs(resource, 'DefaultCacheBehavior.FunctionAssociations');
  const associations = asList(behavior.FunctionAssociations).map((one: Json) => asObject(one, where));
  const [association] = associations;
  if (!association) return undefined;
  if (associations.length > 1 || association.EventType !== 'viewer-request') {
    throw new TemplateError(where, 'only one function, at viewer-request, is supported here');
  }
  const made = model
    .ofType('AWS::CloudFront::Function')
    .find(({ attributes }) => attributes.FunctionARN === association.FunctionARN);
  if (!made) throw new TemplateError(where, 'there is no such function in the template');
  return asString(made.properties.FunctionCode, whereIs(made, 'FunctionCode'));
}

function only(object: JsonObject, names: string[], resource: Resource): void {
  for (const name of Object.keys(object)) {
    if (!names.includes(name)) throw new TemplateError(whereIs(resource, name), 'is not supported here');
  }
}
