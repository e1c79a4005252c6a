/** A stand-in of the AWS APIs that preflight asks: their answers and their errors, in the form that each service has. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export const ACCOUNT = '123456789012';
export const USER = `arn:aws:iam::${ACCOUNT}:user/deployer`;

/** A request, as far as it was understood. */
export interface Asked {
  /** As it is in the signature, such as `cloudformation`. */
  service: string;
  region: string;
  /** As AWS calls it, such as `DescribeStacks`. */
  operation: string;
  /** Its parameters: of the body, the form, or the address. */
  input: Record<string, unknown>;
}

/** What is sent back; `never` ends after the headers have been sent, and never with a body. */
export interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body: string;
  hangs?: boolean;
}

export type Answers = Record<string, (asked: Asked) => Answer>;

/** How the services speak. */
const XML_NAMESPACES: Record<string, string> = {
  cloudformation: 'http://cloudformation.amazonaws.com/doc/2010-05-15/',
  cloudfront: 'http://cloudfront.amazonaws.com/doc/2020-05-31/',
  iam: 'https://iam.amazonaws.com/doc/2010-05-08/',
  route53: 'https://route53.amazonaws.com/doc/2013-04-01/',
  sts: 'https://sts.amazonaws.com/doc/2011-06-15/',
};

/** Services without an operation in the request: it is in the method and the path. */
const PATHS: readonly [service: string, method: string, path: RegExp, operation: string][] = [
  ['lambda', 'GET', /^\/2016-08-19\/account-settings\/?$/, 'GetAccountSettings'],
  ['apigateway', 'GET', /^\/v2\/domainnames$/, 'GetDomainNames'],
  ['cloudfront', 'GET', /^\/2020-05-31\/distribution$/, 'ListDistributions'],
  ['cloudfront', 'GET', /^\/2020-05-31\/function$/, 'ListFunctions'],
  ['cloudfront', 'GET', /^\/2020-05-31\/origin-access-control$/, 'ListOriginAccessControls'],
  ['cloudfront', 'GET', /^\/2020-05-31\/origin-request-policy$/, 'ListOriginRequestPolicies'],
  ['cloudfront', 'GET', /^\/2020-05-31\/response-headers-policy$/, 'ListResponseHeadersPolicies'],
  ['route53', 'GET', /^\/2013-04-01\/hostedzone\/(?<Id>[^/]+)$/, 'GetHostedZone'],
  ['route53', 'GET', /^\/2013-04-01\/hostedzone\/(?<Id>[^/]+)\/rrset$/, 'ListResourceRecordSets'],
  ['s3', 'GET', /^\/$/, 'ListBuckets'],
  ['s3', 'HEAD', /^\/(?<Bucket>[^/]+)\/?$/, 'HeadBucket'],
];

export class AwsStandIn {
  /** Everything that was asked, in order. */
  readonly asked: Asked[] = [];
  /** By operation. */
  answers: Answers = {};
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(): Promise<AwsStandIn> {
    const standIn = new AwsStandIn();
    await new Promise<void>((resolve) => standIn.#server.listen(0, '127.0.0.1', resolve));
    return standIn;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = await understand(request);
    this.asked.push(asked);
    const answer =
      this.answers[asked.operation]?.(asked) ??
      fault(asked, 'InvalidAction', `nothing is known of ${asked.operation}`, 400);
    const { status = 200, headers = {}, body, hangs = false } = answer;
    response.writeHead(status, { 'x-amzn-requestid': 'request', ...headers });
    if (hangs) response.flushHeaders();
    else response.end(request.method === 'HEAD' ? undefined : body);
  }
}

async function understand(request: IncomingMessage): Promise<Asked> {
  const { method = '', url = '/', headers } = request;
  const { pathname, searchParams } = new URL(url, 'http://aws');
  const scope = /Credential=[^/]+\/\d+\/([^/]+)\/([^/]+)\//.exec(headers.authorization ?? '');
  const [, region = '', service = ''] = scope ?? [];
  const body = await text(request);
  const target = headers['x-amz-target'];
  if (typeof target === 'string') {
    return { service, region, operation: target.split('.').at(-1) ?? '', input: JSON.parse(body) };
  }
  if (headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
    const input = Object.fromEntries(new URLSearchParams(body));
    return { service, region, operation: input.Action ?? '', input };
  }
  for (const [of, by, path, operation] of PATHS) {
    const match = of === service && by === method ? path.exec(pathname) : null;
    if (match)
      return { service, region, operation, input: { ...Object.fromEntries(searchParams), ...match.groups } };
  }
  return { service, region, operation: `${method} ${pathname}`, input: {} };
}

export const json = (value: unknown): Answer => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});

export const xml = (body: string): Answer => ({
  headers: { 'content-type': 'text/xml' },
  body: `<?xml version="1.0"?>\n${body}`,
});

/** The answer of a service that is asked by `Action`. */
export const result = ({ service, operation }: Asked, body: string): Answer =>
  xml(
    `<${operation}Response xmlns="${XML_NAMESPACES[service]}"><${operation}Result>${body}</${operation}Result>` +
      `<ResponseMetadata><RequestId>request</RequestId></ResponseMetadata></${operation}Response>`,
  );

/** An error in the form of the service that is asked. */
export function fault({ service }: Asked, code: string, message: string, status: number): Answer {
  const namespace = XML_NAMESPACES[service];
  if (service === 's3') {
    return { ...xml(`<Error><Code>${code}</Code><Message>${message}</Message></Error>`), status };
  }
  if (namespace !== undefined) {
    const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error>`;
    const body = `<ErrorResponse xmlns="${namespace}">${error}<RequestId>request</RequestId></ErrorResponse>`;
    return { ...xml(body), status };
  }
  if (service === 'apigateway' || service === 'lambda') {
    const answer = json(service === 'lambda' ? { Message: message } : { message });
    return { ...answer, headers: { ...answer.headers, 'x-amzn-errortype': code }, status };
  }
  return { ...json({ __type: code, message }), status };
}

/** Services that say AccessDenied without `Exception`, and with 403. */
const SHORT = new Set(['cloudformation', 'cloudfront', 'iam', 'route53', 's3', 'sts']);

/** What a question is answered that the credentials do not allow. */
export function denied(asked: Asked): Answer {
  const short = SHORT.has(asked.service);
  const message = `User: ${USER} is not authorized to perform: ${asked.service}:${asked.operation} because no identity-based policy allows it`;
  const status = short || asked.service === 'lambda' || asked.service === 'apigateway' ? 403 : 400;
  return fault(asked, short ? 'AccessDenied' : 'AccessDeniedException', message, status);
}

/** A stack as CloudFormation describes it. */
export const stack = (name: string, status: string, reason = ''): string =>
  `<Stacks><member><StackId>arn:aws:cloudformation:eu-central-1:${ACCOUNT}:stack/${name}/1</StackId>` +
  `<StackName>${name}</StackName><CreationTime>2026-11-30T20:00:00Z</CreationTime>` +
  `<StackStatus>${status}</StackStatus>${reason && `<StackStatusReason>${reason}</StackStatusReason>`}` +
  '</member></Stacks>';

/** What is in a stack, as CloudFormation lists it. */
export const stackResources = (
  resources: { logicalId: string; id: string; type: string; status?: string }[],
): string =>
  `<StackResourceSummaries>${resources
    .map(
      ({ logicalId, id, type, status = 'CREATE_COMPLETE' }) =>
        `<member><LogicalResourceId>${logicalId}</LogicalResourceId><PhysicalResourceId>${id}</PhysicalResourceId>` +
        `<ResourceType>${type}</ResourceType><ResourceStatus>${status}</ResourceStatus>` +
        '<LastUpdatedTimestamp>2026-11-30T20:00:00Z</LastUpdatedTimestamp></member>',
    )
    .join('')}</StackResourceSummaries>`;

/** A page of what CloudFront has of a kind. @param items as XML */
export const edgeList = (list: string, items: string[], next = ''): Answer =>
  xml(
    `<${list} xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">` +
      `${next && `<NextMarker>${next}</NextMarker>`}<MaxItems>100</MaxItems><Quantity>${items.length}</Quantity>` +
      `<Items>${items.join('')}</Items></${list}>`,
  );

export const distribution = (id: string, ...aliases: string[]): string =>
  `<DistributionSummary><Id>${id}</Id><DomainName>${id.toLowerCase()}.cloudfront.net</DomainName>` +
  `<Aliases><Quantity>${aliases.length}</Quantity><Items>${aliases.map((name) => `<CNAME>${name}</CNAME>`).join('')}</Items></Aliases></DistributionSummary>`;

/** What an account answers in which nothing is in the way of any configuration of these tests. */
export const READY: Answers = {
  GetCallerIdentity: (asked) =>
    result(asked, `<Arn>${USER}</Arn><UserId>AIDA</UserId><Account>${ACCOUNT}</Account>`),
  GetParameter: () =>
    json({ Parameter: { Name: '/cdk-bootstrap/hnb659fds/version', Type: 'String', Value: '25' } }),
  HeadBucket: ({ input, region }) => ({
    status: input.Bucket === `cdk-hnb659fds-assets-${ACCOUNT}-${region}` ? 200 : 404,
    body: '',
  }),
  DescribeStacks: (asked) =>
    fault(asked, 'ValidationError', `Stack with id ${asked.input.StackName} does not exist`, 400),
  DescribeCertificate: ({ input }) => json({ Certificate: certificate(String(input.CertificateArn)) }),
  GetDomainNames: () => json({ items: [] }),
  ListDistributions: () => edgeList('DistributionList', [distribution('E1', 'other.example.org')]),
  ListFunctions: () => edgeList('FunctionList', []),
  ListOriginAccessControls: () => edgeList('OriginAccessControlList', []),
  ListOriginRequestPolicies: () => edgeList('OriginRequestPolicyList', []),
  ListResponseHeadersPolicies: () => edgeList('ResponseHeadersPolicyList', []),
  GetHostedZone: ({ input }) => hostedZone(String(input.Id), 'example.org.'),
  ListResourceRecordSets: () => records(['example.org.', 'NS'], ['www.push.example.org.', 'A']),
  GetAccountSettings: () => lambdaSettings(1000, 1000),
  GetAccountSummary: (asked) => iamSummary(asked, 30, 1000),
  ListBuckets: () => bucketList(`cdk-hnb659fds-assets-${ACCOUNT}-eu-central-1`),
  GetServiceQuota: ({ input }) => quota(String(input.QuotaCode), 200),
  ListTables: () => json({ TableNames: ['sessions'] }),
  DescribeTable: (asked) =>
    asked.input.TableName === 'restored'
      ? json({ Table: table('restored') })
      : fault(
          asked,
          'com.amazonaws.dynamodb.v20120810#ResourceNotFoundException',
          `Requested resource not found: Table: ${asked.input.TableName} not found`,
          400,
        ),
  DescribeSecret: ({ input }) => json(secret(String(input.SecretId))),
  GetResources: () => json({ PaginationToken: '', ResourceTagMappingList: [] }),
};

/** A certificate as ACM describes it: for the name that its id has. */
export const certificate = (arn: string, changed: object = {}) => ({
  CertificateArn: arn,
  DomainName: `${arn.slice(arn.lastIndexOf('/') + 1)}.example.org`,
  SubjectAlternativeNames: [`${arn.slice(arn.lastIndexOf('/') + 1)}.example.org`],
  Status: 'ISSUED',
  KeyAlgorithm: 'RSA-2048',
  ...changed,
});

export const hostedZone = (id: string, name: string, isPrivate = false): Answer =>
  xml(
    `<GetHostedZoneResponse xmlns="${XML_NAMESPACES.route53}"><HostedZone><Id>/hostedzone/${id}</Id><Name>${name}</Name>` +
      `<CallerReference>1</CallerReference><Config><PrivateZone>${isPrivate}</PrivateZone></Config></HostedZone></GetHostedZoneResponse>`,
  );

export const records = (...all: [name: string, type: string][]): Answer =>
  xml(
    `<ListResourceRecordSetsResponse xmlns="${XML_NAMESPACES.route53}"><ResourceRecordSets>${all
      .map(
        ([name, type]) => `<ResourceRecordSet><Name>${name}</Name><Type>${type}</Type></ResourceRecordSet>`,
      )
      .join(
        '',
      )}</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>300</MaxItems></ListResourceRecordSetsResponse>`,
  );

export const lambdaSettings = (all: number, unreserved: number): Answer =>
  json({
    AccountLimit: { ConcurrentExecutions: all, UnreservedConcurrentExecutions: unreserved },
    AccountUsage: { FunctionCount: 0, TotalCodeSize: 0 },
  });

export const iamSummary = (asked: Asked, roles: number, most: number): Answer =>
  result(
    asked,
    `<SummaryMap><entry><key>Roles</key><value>${roles}</value></entry><entry><key>RolesQuota</key><value>${most}</value></entry></SummaryMap>`,
  );

export const bucketList = (...names: string[]): Answer =>
  xml(
    `<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Buckets>${names
      .map(
        (name) =>
          `<Bucket><Name>${name}</Name><CreationDate>2026-11-30T20:00:00.000Z</CreationDate></Bucket>`,
      )
      .join('')}</Buckets></ListAllMyBucketsResult>`,
  );

export const quota = (code: string, value: number): Answer =>
  json({ Quota: { QuotaCode: code, Value: value, Adjustable: true } });

export const table = (name: string, changed: object = {}) => ({
  TableName: name,
  TableStatus: 'ACTIVE',
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  ItemCount: 12,
  DeletionProtectionEnabled: true,
  ...changed,
});

export const secret = (id: string, changed: object = {}) => ({
  ARN: id.startsWith('arn:') ? id : `arn:aws:secretsmanager:eu-central-1:${ACCOUNT}:secret:${id}-AbCdEf`,
  Name: id,
  ...changed,
});
