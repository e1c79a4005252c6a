import { CfnOutput, Duration, RemovalPolicy } from 'aws-cdk-lib';
import {
  CachePolicy,
  Distribution,
  HeadersFrameOption,
  HeadersReferrerPolicy,
  HttpVersion,
  ResponseHeadersPolicy,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { S3BucketOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type IBucket,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { BucketDeployment, CacheControl, type ISource, Source } from 'aws-cdk-lib/aws-s3-deployment';
import type { Construct } from 'constructs';
import type { ApiStack } from './api-stack.ts';
import type { DataStack } from './data-stack.ts';
import type { DispatchStack } from './dispatch-stack.ts';
import { certificateOf, nameDistribution } from './own-name.ts';
import { PealStack, type PealStackProps } from './peal-stack.ts';

export interface WebStackProps extends PealStackProps {
  data: DataStack;
  dispatch: DispatchStack;
  api: ApiStack;
  /** Folder of the built browser client. */
  site: string;
  /** The firewall's, if one is to stand before the web app. */
  webAclArn: string | undefined;
}

/** The browser client: its files in a private bucket, served by CloudFront. Nothing in it is data or a secret. */
export class WebStack extends PealStack {
  constructor(
    scope: Construct,
    id: string,
    { data, dispatch, api, site, webAclArn, ...props }: WebStackProps,
  ) {
    super(scope, id, props);
    // CDK's own types do not agree under exactOptionalPropertyTypes.
    const bucket = new Bucket(this, 'Site', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy: RemovalPolicy.RETAIN,
    }) as IBucket;
    const addresses = { api: api.endpoint, socket: dispatch.socketUrl };
    const headers = new ResponseHeadersPolicy(this, 'Headers', {
      // Such a name is one account's, over all stages.
      responseHeadersPolicyName: `${this.stackName}-headers`,
      comment: 'Peal: what browsers may do in the web app',
      securityHeadersBehavior: {
        contentSecurityPolicy: {
          contentSecurityPolicy: contentSecurityPolicy({
            ...addresses,
            attachments: `https://${data.attachments.bucketRegionalDomainName}`,
          }),
          override: true,
        },
        strictTransportSecurity: {
          accessControlMaxAge: Duration.days(365),
          includeSubdomains: true,
          override: true,
        },
        contentTypeOptions: { override: true },
        frameOptions: { frameOption: HeadersFrameOption.DENY, override: true },
        referrerPolicy: { referrerPolicy: HeadersReferrerPolicy.NO_REFERRER, override: true },
      },
      customHeadersBehavior: {
        customHeaders: [
          { header: 'Cross-Origin-Opener-Policy', value: 'same-origin', override: true },
          { header: 'Cross-Origin-Resource-Policy', value: 'same-origin', override: true },
          {
            header: 'Permissions-Policy',
            value: 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
            override: true,
          },
        ],
      },
    });
    const domain = this.settings.domains.web;
    const distribution = new Distribution(this, 'Distribution', {
      comment: `Peal: the web app (${this.settings.stage})`,
      ...(domain && { domainNames: [domain.name], certificate: certificateOf(this, domain) }),
      defaultRootObject: 'index.html',
      httpVersion: HttpVersion.HTTP2_AND_3,
      ...(webAclArn !== undefined && { webAclId: webAclArn }),
      defaultBehavior: {
        origin: S3BucketOrigin.withOriginAccessControl(bucket),
        viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        // Heeds each object's own Cache-Control, and compresses.
        cachePolicy: CachePolicy.CACHING_OPTIMIZED,
        responseHeadersPolicy: headers,
      },
    });

    const deploy = this.#deployer(bucket);
    // Names with a hash of the content never change. Old ones stay for the pages that are open.
    const assets = deploy('Assets', [Source.asset(`${site}/assets`)], {
      destinationKeyPrefix: 'assets',
      cacheControl: [CacheControl.fromString('public, max-age=31536000, immutable')],
    });
    // What names them comes after them, and is asked for anew each time.
    const pages = deploy(
      'Pages',
      [Source.asset(site, { exclude: ['assets'] }), Source.jsonData('config.json', addresses)],
      { cacheControl: [CacheControl.fromString('no-cache')] },
    );
    pages.node.addDependency(assets);

    if (domain) nameDistribution(this, 'Web', domain, distribution);
    new CfnOutput(this, 'WebUrl', {
      value: `https://${domain?.name ?? distribution.distributionDomainName}`,
      description: 'Where people open Peal in a browser',
    });
  }

  /** What copies files into the bucket at deployment, under a role and a log of its own. */
  #deployer(destinationBucket: IBucket) {
    const logGroup = new LogGroup(this, 'DeployLogs', {
      retention: this.settings.retention.logs,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(this, 'DeployRole', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    return (
      id: string,
      sources: ISource[],
      options: { cacheControl: CacheControl[]; destinationKeyPrefix?: string },
    ) =>
      new BucketDeployment(this, id, {
        sources,
        destinationBucket,
        prune: false,
        memoryLimit: 256,
        role,
        logGroup,
        ...options,
      });
  }
}

/**
 * What a page of the web app may load and call: its own files, the API, the socket, and attachments. No inline script
 * or style, no other party; what is written into the page as HTML went through DOMPurify (Trusted Types).
 */
function contentSecurityPolicy({
  api,
  socket,
  attachments,
}: Record<'api' | 'attachments' | 'socket', string>) {
  return [
    `default-src 'none'`,
    `script-src 'self'`,
    `style-src 'self'`,
    `img-src 'self' blob: ${api} ${attachments}`,
    `media-src ${api}`,
    `connect-src 'self' ${api} ${socket} ${attachments}`,
    `manifest-src 'self'`,
    `worker-src 'self'`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
    `require-trusted-types-for 'script'`,
    `trusted-types dompurify peal-worker`,
  ].join('; ');
}
