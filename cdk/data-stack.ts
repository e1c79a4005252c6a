import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, Billing, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  HttpMethods,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { type CarrierSecret, carrierSecret } from './carrier-secret.ts';
import { PealStack, type PealStackProps } from './peal-stack.ts';

/**
 * How long the other objects live, by prefix, days. An opened copy is made again when it is asked for, so it need not
 * live as long as what it was opened from.
 */
const LIVES = { plain: 1, uploads: 1 };

/**
 * Everything that holds data. Apart from the rest, so that deploying the rest can never replace it; each resource is
 * retained when the stack goes, and the tables refuse deletion.
 */
export class DataStack extends PealStack {
  /** Accounts, devices, apps, sessions, connections. Backed up continuously. */
  readonly directory: Pick<TableV2, 'tableArn' | 'tableName'>;
  /** Messages that wait for their devices. Not backed up: a message exists on its devices, or for some days here. */
  readonly mailbox: TableV2;
  /** Attachments, for some days. */
  readonly attachments: Bucket;
  /** Icons and sounds that accounts have uploaded. */
  readonly media: Bucket;
  /** A Google service account's JSON, put there by the operator. */
  readonly fcmSecret: CarrierSecret;
  /** An APNs key: keyId, teamId, privateKey; put there by the operator. */
  readonly apnsSecret: CarrierSecret;
  /** A VAPID key: subject, publicKey, privateKey; put there by the operator. */
  readonly webPushSecret: CarrierSecret;

  /** What accounts' second factors are derived from. Whoever replaces it takes all of them away. */
  readonly masterSecret: Secret;
  /** Account, device and app of the canary, put there by `peal admin canary`; where one is deployed. */
  readonly canarySecret: Secret | undefined;

  constructor(scope: Construct, id: string, props: PealStackProps) {
    super(scope, id, props);
    const common = {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      billing: Billing.onDemand(),
      // Encrypted with a key that DynamoDB owns: a key of our own would bill every request to KMS and guard nothing
      // more, since messages are sealed and secrets are hashed before they get here.
      encryption: TableEncryptionV2.dynamoOwnedKey(),
      timeToLiveAttribute: 'ttl',
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    };
    // One that was restored from a backup takes the place of the stack's own.
    const { directoryTable } = this.settings;
    this.directory =
      directoryTable === undefined
        ? new TableV2(this, 'Directory', {
            ...common,
            sortKey: { name: 'sk', type: AttributeType.STRING },
            pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
          })
        : TableV2.fromTableName(this, 'RestoredDirectory', directoryTable);
    this.mailbox = new TableV2(this, 'Mailbox', {
      ...common,
      sortKey: { name: 'sk', type: AttributeType.NUMBER },
    });
    const closed = {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: false,
      removalPolicy: RemovalPolicy.RETAIN,
    };
    // S3 rounds up to the next midnight UTC.
    const lives = { attachments: this.settings.retention.attachments, ...LIVES };
    this.attachments = new Bucket(this, 'Attachments', {
      ...closed,
      lifecycleRules: [
        ...Object.entries(lives).map(([prefix, days]) => ({
          id: `${prefix}-gone-after-${days}-days`,
          prefix: `${prefix}/`,
          expiration: Duration.days(days),
        })),
        { id: 'unfinished-uploads', abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
      // Browsers fetch and upload from wherever the client is served; what lets them is in the presigned address.
      cors: [
        {
          allowedMethods: [HttpMethods.GET, HttpMethods.POST],
          allowedOrigins: ['*'],
          allowedHeaders: ['*'],
          maxAge: 86_400,
        },
      ],
    });
    // No object is ever written twice with another content, so versions would keep nothing but what was deleted.
    this.media = new Bucket(this, 'Media', closed);
    const { fcm, apns, webpush } = this.settings.secrets;
    this.fcmSecret = carrierSecret(this, 'Fcm', fcm, 'Service account JSON of the Firebase project');
    this.apnsSecret = carrierSecret(
      this,
      'Apns',
      apns,
      'JSON with keyId, teamId and privateKey of an APNs key',
    );
    this.webPushSecret = carrierSecret(
      this,
      'WebPush',
      webpush,
      'JSON with subject, publicKey and privateKey of a VAPID key for Web Push',
    );
    this.masterSecret = new Secret(this, 'AccountsMaster', {
      description: 'What the second factors of accounts are derived from: never replace it',
      // 64 of 62 characters are 381 bits.
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.canarySecret =
      this.settings.canary &&
      new Secret(this, 'CanaryCredentials', {
        description: 'Account, device and app of the canary: peal admin canary puts them here',
        generateSecretString: { secretStringTemplate: '{}', generateStringKey: 'empty' },
        removalPolicy: RemovalPolicy.RETAIN,
      });
  }
}
