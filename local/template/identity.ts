/** What `Ref` and `Fn::GetAtt` give for each resource type: names, ids and ARNs in AWS's formats. */
import { createHash } from 'node:crypto';
import { ACCOUNT, arn, REGION } from './pseudo.ts';

/** What is known of a resource before its properties are resolved. */
export interface Seed {
  stack: string;
  logicalId: string;
  type: string;
  /** The resolved value of a property that shapes the identity (`TableName`, `ProtocolType`, …). */
  property(name: string): string | undefined;
  /** Where the AWS front answers, without a slash at the end: queue URLs point there. */
  frontUrl: string;
}

export interface Identity {
  ref: string;
  attributes: Record<string, string>;
}

type Identify = (seed: Seed) => Identity;

/** The zone of API Gateway's own names in this region. */
const ZONE = 'Z1UJRXOUMOOFQ8';

const IDENTITIES: Record<string, Identify> = {
  'AWS::DynamoDB::GlobalTable': table,
  'AWS::DynamoDB::Table': table,
  'AWS::SQS::Queue': queue,
  'AWS::S3::Bucket': bucket,
  'AWS::SecretsManager::Secret': (seed) => {
    const name = physicalName(seed, 'Name', 512);
    const ref = arn('secretsmanager', `secret:${name}-${shortId(seed, 6)}`);
    return { ref, attributes: { Id: ref } };
  },
  'AWS::Lambda::Function': (seed) => {
    const ref = physicalName(seed, 'FunctionName', 64);
    return { ref, attributes: { Arn: arn('lambda', `function:${ref}`) } };
  },
  'AWS::Lambda::EventSourceMapping': (seed) => {
    const id = uuid(seed);
    return {
      ref: id,
      attributes: { Id: id, EventSourceMappingArn: arn('lambda', `event-source-mapping:${id}`) },
    };
  },
  'AWS::IAM::Role': (seed) => {
    const ref = physicalName(seed, 'RoleName', 64);
    const path = seed.property('Path') ?? '/';
    const roleId = `AROA${shortId(seed, 17).toUpperCase()}`;
    return { ref, attributes: { Arn: `arn:aws:iam::${ACCOUNT}:role${path}${ref}`, RoleId: roleId } };
  },
  'AWS::Logs::LogGroup': (seed) => {
    const ref = physicalName(seed, 'LogGroupName', 512);
    return { ref, attributes: { Arn: arn('logs', `log-group:${ref}:*`) } };
  },
  'AWS::ApiGatewayV2::Api': (seed) => {
    const ref = shortId(seed, 10);
    const scheme = seed.property('ProtocolType') === 'WEBSOCKET' ? 'wss' : 'https';
    const endpoint = `${scheme}://${ref}.execute-api.${REGION}.amazonaws.com`;
    return { ref, attributes: { ApiId: ref, ApiEndpoint: endpoint } };
  },
  'AWS::ApiGatewayV2::Authorizer': (seed) => numbered(seed, 'AuthorizerId'),
  'AWS::ApiGatewayV2::DomainName': (seed) => {
    const ref = seed.property('DomainName') ?? '';
    const target = `d-${shortId(seed, 10)}.execute-api.${REGION}.amazonaws.com`;
    return { ref, attributes: { RegionalDomainName: target, RegionalHostedZoneId: ZONE } };
  },
  'AWS::ApiGatewayV2::ApiMapping': (seed) => numbered(seed, 'ApiMappingId'),
  'AWS::Route53::RecordSet': (seed) => ({ ref: seed.property('Name') ?? '', attributes: {} }),
  'AWS::ApiGatewayV2::Integration': (seed) => numbered(seed, 'IntegrationId'),
  'AWS::ApiGatewayV2::IntegrationResponse': (seed) => numbered(seed, 'IntegrationResponseId'),
  'AWS::ApiGatewayV2::Route': (seed) => numbered(seed, 'RouteId'),
  'AWS::ApiGatewayV2::RouteResponse': (seed) => numbered(seed, 'RouteResponseId'),
  'AWS::ApiGatewayV2::Stage': (seed) => ({ ref: seed.property('StageName') ?? '$default', attributes: {} }),
  'AWS::CloudWatch::Alarm': (seed) => {
    const ref = physicalName(seed, 'AlarmName', 255);
    return { ref, attributes: { Arn: arn('cloudwatch', `alarm:${ref}`) } };
  },
  'AWS::Events::Rule': (seed) => {
    const ref = physicalName(seed, 'Name', 64);
    return { ref, attributes: { Arn: arn('events', `rule/${ref}`) } };
  },
  // What watches a deployment and tells people: known, so that what names it can be resolved, and not run.
  'AWS::CloudWatch::CompositeAlarm': (seed) => {
    const ref = physicalName(seed, 'AlarmName', 255);
    return { ref, attributes: { Arn: arn('cloudwatch', `alarm:${ref}`) } };
  },
  'AWS::CloudWatch::Dashboard': (seed) => ({
    ref: physicalName(seed, 'DashboardName', 255),
    attributes: {},
  }),
  'AWS::KMS::Key': (seed) => {
    const ref = uuid(seed);
    return { ref, attributes: { Arn: arn('kms', `key/${ref}`), KeyId: ref } };
  },
  'AWS::Logs::QueryDefinition': (seed) => numbered(seed, 'QueryDefinitionId'),
  'AWS::SSM::Parameter': (seed) => {
    const Value = seed.property('Value') ?? '';
    return { ref: physicalName(seed, 'Name', 1011), attributes: { Type: 'String', Value } };
  },
  'AWS::SNS::Subscription': (seed) => {
    const ref = `${seed.property('TopicArn')}:${uuid(seed)}`;
    return { ref, attributes: { Arn: ref } };
  },
  'AWS::SNS::Topic': (seed) => {
    const TopicName = physicalName(seed, 'TopicName', 256);
    const TopicArn = arn('sns', TopicName);
    return { ref: TopicArn, attributes: { TopicArn, TopicName } };
  },
  'AWS::SNS::TopicPolicy': (seed) => numbered(seed, 'Id'),
  'AWS::IAM::Policy': (seed) => numbered(seed, 'Id'),
  'AWS::IAM::ManagedPolicy': (seed) => {
    const ref = arn('iam', `policy/${physicalName(seed, 'ManagedPolicyName', 128)}`);
    return { ref, attributes: { PolicyArn: ref } };
  },
  'AWS::Lambda::Permission': (seed) => numbered(seed, 'Id'),
  'AWS::Lambda::EventInvokeConfig': (seed) => numbered(seed, 'Id'),
  'AWS::S3::BucketPolicy': (seed) => numbered(seed, 'Id'),
  'AWS::SQS::QueuePolicy': (seed) => numbered(seed, 'Id'),
  'AWS::Lambda::LayerVersion': (seed) => {
    const name = physicalName(seed, 'LayerName', 140);
    const ref = arn('lambda', `layer:${name}:1`);
    return { ref, attributes: { LayerVersionArn: ref } };
  },
  'AWS::CloudFront::Distribution': (seed) => {
    const ref = `E${shortId(seed, 13).toUpperCase()}`;
    const domain = `d${shortId(seed, 13)}.cloudfront.net`;
    return { ref, attributes: { Id: ref, DomainName: domain } };
  },
  'AWS::CloudFront::Function': (seed) => {
    const name = physicalName(seed, 'Name', 64);
    const ref = `arn:aws:cloudfront::${ACCOUNT}:function/${name}`;
    return { ref, attributes: { FunctionARN: ref, 'FunctionMetadata.FunctionARN': ref } };
  },
  'AWS::CloudFront::OriginRequestPolicy': (seed) => numbered(seed, 'Id'),
  'AWS::WAFv2::WebACL': (seed) => {
    const name = physicalName(seed, 'Name', 128);
    const Arn = arn('wafv2', `global/webacl/${name}/${uuid(seed)}`);
    return { ref: `${name}|${uuid(seed)}|CLOUDFRONT`, attributes: { Arn, Id: uuid(seed) } };
  },
  'AWS::CloudFront::OriginAccessControl': (seed) => numbered(seed, 'Id'),
  'AWS::CloudFront::ResponseHeadersPolicy': (seed) => numbered(seed, 'Id'),
  'Custom::CDKBucketDeployment': (seed) => numbered(seed, 'DestinationBucketArn'),
  'AWS::CDK::Metadata': (seed) => numbered(seed, 'Id'),
};

/** The resource types that the local cloud knows. */
export const KNOWN_TYPES: readonly string[] = Object.keys(IDENTITIES);

/** The identity of a resource; undefined for a type that is not known. */
export function identify(seed: Seed): Identity | undefined {
  return IDENTITIES[seed.type]?.(seed);
}

function table(seed: Seed): Identity {
  const ref = physicalName(seed, 'TableName', 255);
  return { ref, attributes: { Arn: arn('dynamodb', `table/${ref}`), TableId: uuid(seed) } };
}

function queue(seed: Seed): Identity {
  const fifo = seed.property('FifoQueue') === 'true';
  const given = seed.property('QueueName');
  const name = given ?? physicalName(seed, 'QueueName', fifo ? 75 : 80) + (fifo ? '.fifo' : '');
  const url = `${seed.frontUrl}/${ACCOUNT}/${name}`;
  return { ref: url, attributes: { Arn: arn('sqs', name), QueueName: name, QueueUrl: url } };
}

function bucket(seed: Seed): Identity {
  const ref = physicalName(seed, 'BucketName', 63).toLowerCase();
  return {
    ref,
    attributes: {
      Arn: `arn:aws:s3:::${ref}`,
      DomainName: `${ref}.s3.amazonaws.com`,
      RegionalDomainName: `${ref}.s3.${REGION}.amazonaws.com`,
    },
  };
}

function numbered(seed: Seed, attribute: string): Identity {
  const ref = shortId(seed, 7);
  return { ref, attributes: { [attribute]: ref } };
}

/**
 * The name that the template gives, or one made of stack and logical id. Unlike CloudFormation's it ends in no random
 * letters, so that data kept on disk is found again.
 */
function physicalName(seed: Seed, property: string, limit: number): string {
  const given = seed.property(property);
  if (given !== undefined) return given;
  const name = `${seed.stack}-${seed.logicalId}`;
  return name.length <= limit ? name : `${name.slice(0, limit - 9)}-${shortId(seed, 8)}`;
}

function digest(seed: Seed): string {
  return createHash('sha256').update(`${seed.stack}/${seed.logicalId}`).digest('hex');
}

/** `length` letters and digits that are always the same for the same resource. */
function shortId(seed: Seed, length: number): string {
  return BigInt(`0x${digest(seed)}`)
    .toString(36)
    .slice(-length);
}

function uuid(seed: Seed): string {
  return digest(seed).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5');
}
