import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { type ITopic, Subscription, SubscriptionProtocol, Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { Settings } from '../settings.ts';

/**
 * Where alarms go: a topic that is there already, or an encrypted one with an e-mail subscription, which whoever has the
 * address must confirm once.
 *
 * The key is our own since CloudWatch may not use the one that AWS manages for SNS: an alarm that is not allowed to
 * encrypt its message is never heard, and says so nowhere.
 */
export function alarmTopic(scope: Construct, alarms: NonNullable<Settings['alarms']>): ITopic {
  if ('topicArn' in alarms) return Topic.fromTopicArn(scope, 'AlarmTopic', alarms.topicArn);
  const own = new Construct(scope, 'AlarmTopic');
  const cloudWatch = new ServicePrincipal('cloudwatch.amazonaws.com');
  const ours = { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } };
  const masterKey = new Key(own, 'Key', {
    description: 'Peal: what alarms say, on its way',
    enableKeyRotation: true,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  masterKey.addToResourcePolicy(
    new PolicyStatement({
      principals: [cloudWatch],
      actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
      resources: ['*'],
      conditions: ours,
    }),
  );
  const topic = new Topic(own, 'Topic', { displayName: 'Peal', masterKey, enforceSSL: true });
  // A policy of its own takes the place of the one that lets the account's alarms in.
  topic.addToResourcePolicy(
    new PolicyStatement({
      principals: [cloudWatch],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: ours,
    }),
  );
  new Subscription(own, 'Email', {
    topic,
    protocol: SubscriptionProtocol.EMAIL,
    endpoint: alarms.email,
  });
  return topic;
}
