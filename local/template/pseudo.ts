/** The account that the local cloud plays, and CloudFormation's pseudo parameters in it. */

export const REGION = 'us-east-1';
export const ACCOUNT = '000000000000';
export const PARTITION = 'aws';

/** An ARN of this account and region. */
export function arn(service: string, resource: string): string {
  return `arn:${PARTITION}:${service}:${REGION}:${ACCOUNT}:${resource}`;
}

/** The value of a pseudo parameter (`AWS::Region`, …) in `stack`; undefined for a name that is none. */
export function pseudoParameter(name: string, stack: string): string | undefined {
  switch (name) {
    case 'AWS::Region':
      return REGION;
    case 'AWS::AccountId':
      return ACCOUNT;
    case 'AWS::Partition':
      return PARTITION;
    case 'AWS::URLSuffix':
      return 'amazonaws.com';
    case 'AWS::StackName':
      return stack;
    case 'AWS::StackId':
      return arn('cloudformation', `stack/${stack}/00000000-0000-4000-8000-000000000000`);
    default:
      return undefined;
  }
}
