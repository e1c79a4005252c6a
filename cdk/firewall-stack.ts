import { CfnWebACL } from 'aws-cdk-lib/aws-wafv2';
import type { Construct } from 'constructs';
import { PealStack, type PealStackProps } from './peal-stack.ts';

/** Where AWS keeps what guards CloudFront, whatever region the rest is in. */
export const FIREWALL_REGION = 'us-east-1';

/** Seconds over which requests of an address are counted. */
const WINDOW = 300;

/**
 * Most requests of one address within the window. An app at its burst limit's default sends 6,000 messages, and a
 * monitoring server or an office has several behind one address.
 */
const REQUESTS = 20_000;

/** Most logins and sign-ups of one address within the window: each is 50 ms of a CPU. An office logs in within it. */
const LOGINS = 100;

/** What an address is answered that asked too often, in the words and the form of the API's own refusals. */
const TOO_MANY = {
  contentType: 'APPLICATION_JSON',
  content: JSON.stringify({
    status: 0,
    request: 'firewall',
    errors: ['too many requests from your address, please try again in five minutes'],
  }),
};

/**
 * Rules of the known bad inputs that read what people write. A log line with an attack in it is just what a monitoring
 * server sends as a message, so there they only count. (AWS ignores a name that its group does not have.)
 */
const OF_MESSAGES = [
  'JavaDeserializationRCE_BODY',
  'JavaDeserializationRCE_QUERYSTRING',
  'Log4JRCE_BODY',
  'Log4JRCE_QUERYSTRING',
  'ReactJSRCE_BODY',
];

/**
 * The firewall: an AWS WAF web ACL for the distributions of the API and the web app.
 *
 * What it blocks: addresses that Amazon knows as bad, too many requests of one address, and requests that are nothing
 * but attacks. What it leaves alone is what Pushover's clients send: AWS's common rules would block bodies of more than
 * 8 KB (images), HTML in messages (`html=1`), addresses in `url`, and clients without a user agent, so all of them only
 * count, for the operator to see; the list of hosting providers is left out, since senders are there.
 *
 * No samples of requests are kept: they would have tokens in them.
 */
export class FirewallStack extends PealStack {
  /** For distributions. */
  readonly webAclArn: string;

  constructor(scope: Construct, id: string, props: PealStackProps) {
    super(scope, id, props);
    const acl = new CfnWebACL(this, 'WebAcl', {
      description: 'Peal: what is kept from the API and the web app',
      scope: 'CLOUDFRONT',
      defaultAction: { allow: {} },
      visibilityConfig: visibility('All'),
      customResponseBodies: { tooMany: TOO_MANY },
      rules: [
        perAddress('Logins', 0, LOGINS, {
          orStatement: {
            statements: [
              pathMatches('STARTS_WITH', '/1/users/login'),
              // Signing up.
              pathMatches('EXACTLY', '/1/users'),
              pathMatches('EXACTLY', '/1/users.json'),
            ],
          },
        }),
        perAddress('Requests', 1, REQUESTS),
        managed('IpReputation', 2, 'AWSManagedRulesAmazonIpReputationList'),
        managed('KnownBadInputs', 3, 'AWSManagedRulesKnownBadInputsRuleSet', OF_MESSAGES),
        managed('Common', 4, 'AWSManagedRulesCommonRuleSet', 'all'),
      ],
    });
    this.webAclArn = acl.attrArn;
  }
}

function visibility(metricName: string): CfnWebACL.VisibilityConfigProperty {
  return { metricName, cloudWatchMetricsEnabled: true, sampledRequestsEnabled: false };
}

/** Refuses an address that asks more often than `limit` within the window. */
function perAddress(
  name: string,
  priority: number,
  limit: number,
  of?: CfnWebACL.StatementProperty,
): CfnWebACL.RuleProperty {
  return {
    name,
    priority,
    statement: {
      rateBasedStatement: {
        aggregateKeyType: 'IP',
        evaluationWindowSec: WINDOW,
        limit,
        ...(of && { scopeDownStatement: of }),
      },
    },
    action: {
      block: {
        customResponse: {
          responseCode: 429,
          customResponseBodyKey: 'tooMany',
          responseHeaders: [{ name: 'Retry-After', value: String(WINDOW) }],
        },
      },
    },
    visibilityConfig: visibility(name),
  };
}

function pathMatches(
  positionalConstraint: 'EXACTLY' | 'STARTS_WITH',
  searchString: string,
): CfnWebACL.StatementProperty {
  return {
    byteMatchStatement: {
      fieldToMatch: { uriPath: {} },
      positionalConstraint,
      searchString,
      // As the API decodes it before it chooses a route.
      textTransformations: [{ priority: 0, type: 'URL_DECODE' }],
    },
  };
}

/** A group of rules that AWS keeps. @param counted those that only count, or all of them */
function managed(
  name: string,
  priority: number,
  group: string,
  counted: string[] | 'all' = [],
): CfnWebACL.RuleProperty {
  const overrides = counted === 'all' ? [] : counted;
  return {
    name,
    priority,
    overrideAction: counted === 'all' ? { count: {} } : { none: {} },
    statement: {
      managedRuleGroupStatement: {
        vendorName: 'AWS',
        name: group,
        ...(overrides.length > 0 && {
          ruleActionOverrides: overrides.map((rule) => ({ name: rule, actionToUse: { count: {} } })),
        }),
      },
    },
    visibilityConfig: visibility(name),
  };
}
