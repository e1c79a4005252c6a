import { Aws, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { HttpApi, IHttpRouteAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaAuthorizer, HttpLambdaResponseType } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import {
  AllowedMethods,
  CachePolicy,
  Distribution,
  Function as EdgeFunction,
  FunctionCode,
  FunctionEventType,
  HttpVersion,
  OriginProtocolPolicy,
  OriginRequestCookieBehavior,
  OriginRequestHeaderBehavior,
  OriginRequestPolicy,
  OriginRequestQueryStringBehavior,
  OriginSslPolicy,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { EDGE_HEADERS } from '../lib/net/edge.ts';
import type { DomainConfig } from './peal-config.ts';
import { PealFunction } from './peal-function.ts';

export interface EdgeProps {
  bundle: string;
  /** The firewall's. */
  webAclArn: string;
}

/** How long API Gateway remembers that CloudFront's key is right. */
const REMEMBERED = Duration.minutes(5);

/**
 * Runs at CloudFront's edge, in its own JavaScript, before each request goes on: notes who asks, and which host. What a
 * client has sent under these names is gone.
 */
const NOTE_VIEWER = `function handler(event) {
  var request = event.request;
  request.headers['${EDGE_HEADERS.viewer}'] = { value: event.viewer.ip };
  request.headers['${EDGE_HEADERS.host}'] = { value: request.headers.host.value };
  return request;
}
`;

/**
 * CloudFront before the API, which is where AWS WAF can stand (it cannot before an HTTP API). The API lets in only what
 * has CloudFront's key in a header, so nobody gets around it; and it learns from CloudFront, not from the client, whose
 * address it is.
 */
export class Edge extends Construct {
  /** Of every route of the API. */
  readonly authorizer: IHttpRouteAuthorizer;
  readonly #secret: Secret;
  readonly #webAclArn: string;

  constructor(scope: Construct, id: string, { bundle, webAclArn }: EdgeProps) {
    super(scope, id);
    this.#webAclArn = webAclArn;
    this.#secret = new Secret(this, 'Secret', {
      description: 'What CloudFront shows the API, so that nobody gets around the firewall',
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const { lambda } = new PealFunction(this, 'Authorizer', {
      bundle,
      description: 'Lets into the API what comes through CloudFront',
      environment: { EDGE_SECRET: this.#secret.secretArn },
      timeout: Duration.seconds(10),
      memory: 256,
    }).allow(['secretsmanager:GetSecretValue'], this.#secret.secretArn);
    this.authorizer = new HttpLambdaAuthorizer('EdgeAuthorizer', lambda, {
      responseTypes: [HttpLambdaResponseType.SIMPLE],
      identitySource: [`$request.header.${EDGE_HEADERS.key}`],
      resultsCacheTtl: REMEMBERED,
    });
  }

  /** Puts CloudFront before the API, under a name of the team's own if it has one. */
  serve(api: HttpApi, domain: DomainConfig | undefined): Distribution {
    // Names of CloudFront's own kind are one account's, over all stages.
    const { stackName, region } = Stack.of(this);
    return new Distribution(this, 'Distribution', {
      comment: 'Peal: the REST API',
      ...(domain && {
        domainNames: [domain.name],
        certificate: Certificate.fromCertificateArn(this, 'Certificate', domain.certificateArn),
      }),
      httpVersion: HttpVersion.HTTP2_AND_3,
      webAclId: this.#webAclArn,
      defaultBehavior: {
        origin: new HttpOrigin(`${api.apiId}.execute-api.${region}.${Aws.URL_SUFFIX}`, {
          customHeaders: { [EDGE_HEADERS.key]: this.#secret.secretValue.unsafeUnwrap() },
          protocolPolicy: OriginProtocolPolicy.HTTPS_ONLY,
          originSslProtocols: [OriginSslPolicy.TLS_V1_2],
          // Longer than API Gateway's own 30 seconds, so that its answer comes through.
          readTimeout: Duration.seconds(40),
          keepaliveTimeout: Duration.seconds(60),
        }),
        // A redirect would have a sender repeat its token over plain HTTP first.
        viewerProtocolPolicy: ViewerProtocolPolicy.HTTPS_ONLY,
        allowedMethods: AllowedMethods.ALLOW_ALL,
        cachePolicy: CachePolicy.CACHING_DISABLED,
        compress: false,
        originRequestPolicy: new OriginRequestPolicy(this, 'Forward', {
          originRequestPolicyName: `${stackName}-forward`,
          comment: 'Peal: all that the client has sent; the host is the API’s own',
          headerBehavior: OriginRequestHeaderBehavior.denyList('Host'),
          queryStringBehavior: OriginRequestQueryStringBehavior.all(),
          cookieBehavior: OriginRequestCookieBehavior.none(),
        }),
        functionAssociations: [
          {
            eventType: FunctionEventType.VIEWER_REQUEST,
            function: new EdgeFunction(this, 'NoteViewer', {
              functionName: `${stackName}-note-viewer`,
              comment: 'Peal: notes who asks, and which host',
              code: FunctionCode.fromInline(NOTE_VIEWER),
            }),
          },
        ],
      },
    });
  }
}
