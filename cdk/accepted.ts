/** A finding of cdk-nag that was looked at and is right as it is. */
export interface Accepted {
  /** Its id. */
  rule: RegExp;
  /** The paths of the resources, of which each has it. */
  at: RegExp;
  /** Why it is right. */
  reason: string;
}

/**
 * All that is accepted. Each entry is for the resources that its reason is true of, and no wider; one that nothing needs
 * fails `test/cdk/nag.test.ts`.
 */
export const ACCEPTED: Accepted[] = [
  {
    rule: /^AwsSolutions-APIG4$/,
    at: /^PealApi\/HttpApi\/[^/]+\/Resource$/,
    reason:
      'Every endpoint declares whose credential it takes and its function checks it (functions/*/endpoints.ts): an app’s token or a session’s secret in the body, the query or a header, as Pushover’s clients send them, which no authorizer of API Gateway can read. What takes none is sign-up, login, sounds, icons and the documentation.',
  },
  {
    rule: /^AwsSolutions-APIG4$/,
    at: /^PealDispatch\/SocketApi\/\$default-Route\/Resource$/,
    reason:
      'Pushover’s protocol logs in with the first frame after connecting. Until then a connection is told nothing and stands in no table.',
  },
  {
    rule: /^AwsSolutions-APIG1$/,
    at: /^PealDispatch\/SocketStage\/Resource$/,
    reason:
      'Access logs of a WebSocket API need a role that is set for all APIs of the account and region, which is not one deployment’s to change; and a line a heartbeat would cost more than the heartbeats. CloudWatch counts connections, messages and errors.',
  },
  {
    rule: /^AwsSolutions-S1$/,
    at: /^PealData\/Attachments\/Resource$/,
    reason:
      'Its requests are by presigned addresses, which an access log would hold with their signatures. Objects are encrypted under keys that only devices have, and gone within days.',
  },
  {
    rule: /^AwsSolutions-S1$/,
    at: /^PealData\/Media\/Resource$/,
    reason:
      'Icons and sounds, which are public. One function alone reads and writes them, and its requests are in the API’s access log.',
  },
  {
    rule: /^AwsSolutions-S1$/,
    at: /^PealWeb\/Site\/Resource$/,
    reason:
      'The files of the web app, which are public and which CloudFront alone reads. Deployments alone write them.',
  },
  {
    rule: /^AwsSolutions-SMG4$/,
    at: /^PealData\/(?:Fcm|Apns|WebPush)Credentials\/Resource$/,
    reason:
      'Credentials that Google and Apple issue, and the VAPID key that browsers subscribed with: a function of ours cannot replace them. The operator puts new ones there, which take effect within minutes (docs/operations.md).',
  },
  {
    rule: /^AwsSolutions-SMG4$/,
    at: /^PealData\/AccountsMaster\/Resource$/,
    reason: 'Second factors are derived from it: replacing it takes all of them away.',
  },
  {
    rule: /^AwsSolutions-SMG4$/,
    at: /^PealData\/CanaryCredentials\/Resource$/,
    reason:
      'The canary’s session, app and device key, which belong together: the operator has them made anew (peal admin canary). They reach one account, to which nobody else sends.',
  },
  {
    rule: /^AwsSolutions-IAM5\[Resource::\*\]$/,
    at: /^Peal(?:Api|Dispatch|Operations)\/.+\/Tracing\/Resource$/,
    reason: 'X-Ray’s actions to write traces know no resource (only with tracing).',
  },
  {
    rule: /^AwsSolutions-SMG4$/,
    at: /^PealApi\/Edge\/Secret\/Resource$/,
    reason:
      'CloudFront has its value from a deployment, so one that were replaced without a deployment would shut everybody out. docs/operations.md says how it is replaced.',
  },
  {
    rule: /^AwsSolutions-IAM5\[Resource::.*\/push\/POST\/@connections\/\*\]$/,
    at: /^Peal(?:Dispatch\/(?:Socket|Desktop\/Push)|Api\/(?:Account|Admin))\/Role\/DefaultPolicy\/Resource$/,
    reason:
      'Posting to any connection of the one socket API is what the function is for; their ids are known only while they live.',
  },
  {
    rule: /^AwsSolutions-IAM5\[Resource::.*Attachments.*\/(?:attachments|plain|uploads)\/\*\]$/,
    at: /^PealApi\/(?:Send|Sync|Attachments|Admin)\/Role\/DefaultPolicy\/Resource$/,
    reason:
      'All objects under one prefix of one bucket, named at random; what may be done with them is one action each.',
  },
  {
    rule: /^AwsSolutions-IAM5\[Resource::.*Media.*\/(?:icons|sounds)\/\*\]$/,
    at: /^PealApi\/(?:Media|Admin)\/Role\/DefaultPolicy\/Resource$/,
    reason: 'All objects under one prefix of one bucket, named after their content or at random.',
  },
  {
    rule: /^AwsSolutions-IAM5\[/,
    at: /^PealWeb\/DeployRole\/DefaultPolicy\/Resource$/,
    reason:
      'CDK’s own copying of the web app’s files, at deployments alone: it reads the bucket of CDK’s assets and writes the bucket of the web app, which holds nothing else.',
  },
  {
    rule: /^AwsSolutions-L1$/,
    at: /^PealWeb\/Custom::CDKBucketDeployment\w+\/Resource$/,
    reason:
      'CDK’s own function, run at deployments alone; its runtime is CDK’s to choose and comes with its updates.',
  },
  {
    rule: /^AwsSolutions-CFR1$/,
    at: /^Peal(?:Web\/|Api\/Edge\/)Distribution\/Resource$/,
    reason: 'The people of a team are wherever they are.',
  },
  {
    rule: /^AwsSolutions-CFR2$/,
    at: /^PealWeb\/Distribution\/Resource$/,
    reason:
      'The firewall is the deployment’s choice (waf in peal.config.ts): behind this distribution are public files alone.',
  },
  {
    rule: /^AwsSolutions-CFR3$/,
    at: /^Peal(?:Web\/|Api\/Edge\/)Distribution\/Resource$/,
    reason:
      'Access logs of CloudFront have whole addresses in them, with the tokens of those who send them in the query. The API has an access log without them; the web app is public files.',
  },
  {
    rule: /^AwsSolutions-CFR4$/,
    at: /^Peal(?:Web\/|Api\/Edge\/)Distribution\/Resource$/,
    reason:
      'Of a name of CloudFront’s own (cloudfront.net) the oldest TLS cannot be chosen. With a domain of one’s own it is TLS 1.2.',
  },
];
