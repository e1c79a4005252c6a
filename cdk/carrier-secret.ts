import { ArnFormat, CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';

/** The secret with a carrier's credentials. */
export interface CarrierSecret {
  /** By which it is read: the ARN of one of ours, the name of one that was there. */
  readonly secretId: string;
  /** By which a role is allowed to read it. */
  readonly grantArn: string;
}

/**
 * A carrier's secret: one that is there already, by its name; or a new one, which starts without credentials (the
 * carrier is off) and is filled by the operator.
 */
export function carrierSecret(
  scope: Construct,
  carrier: 'Apns' | 'Fcm' | 'WebPush',
  name: string | undefined,
  description: string,
): CarrierSecret {
  const secret = name === undefined ? made(scope, carrier, description) : named(scope, name);
  new CfnOutput(scope, `${carrier}Secret`, { value: secret.secretId, description });
  return secret;
}

function made(scope: Construct, carrier: string, description: string): CarrierSecret {
  const { secretArn } = new Secret(scope, `${carrier}Credentials`, {
    description,
    generateSecretString: { secretStringTemplate: '{}', generateStringKey: 'empty' },
    removalPolicy: RemovalPolicy.RETAIN,
  });
  return { secretId: secretArn, grantArn: secretArn };
}

/** Secrets Manager ends each ARN with six characters of its own, which a grant must allow for. */
function named(scope: Construct, name: string): CarrierSecret {
  const arn = Stack.of(scope).formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: name,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  return { secretId: name, grantArn: `${arn}-??????` };
}
