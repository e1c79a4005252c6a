/** What the account has in CloudFront, and whether it may have more. */
import {
  CloudFrontClient,
  ListDistributionsCommand,
  ListFunctionsCommand,
  ListOriginAccessControlsCommand,
  ListOriginRequestPoliciesCommand,
  ListResponseHeadersPoliciesCommand,
} from '@aws-sdk/client-cloudfront';
import { type PlannedStack, resourcesOf } from '../plan.ts';
import { allPages, EDGE_REGION, type Scene } from '../scene.ts';

/** Something in CloudFront. */
export interface EdgeThing {
  /** By which CloudFormation knows it. */
  id: string;
  /** Unique in the account among its kind; of a distribution, a name that it answers to. */
  names: string[];
}

/** Kinds of things with names that are unique in an account: how a template and an operator call them. */
export const NAMED = {
  functions: {
    type: 'AWS::CloudFront::Function',
    word: 'function',
    name: (properties: Record<string, unknown>) => properties.Name,
  },
  originAccessControls: {
    type: 'AWS::CloudFront::OriginAccessControl',
    word: 'origin-access-control',
    name: (properties: Record<string, unknown>) => Object(properties.OriginAccessControlConfig).Name,
  },
  originRequestPolicies: {
    type: 'AWS::CloudFront::OriginRequestPolicy',
    word: 'origin-request-policy',
    name: (properties: Record<string, unknown>) => Object(properties.OriginRequestPolicyConfig).Name,
  },
  responseHeadersPolicies: {
    type: 'AWS::CloudFront::ResponseHeadersPolicy',
    word: 'response-headers-policy',
    name: (properties: Record<string, unknown>) => Object(properties.ResponseHeadersPolicyConfig).Name,
  },
} as const;

export type NamedKind = keyof typeof NAMED;

/** Undefined where AWS does not say, or nothing of the kind is to be deployed. */
export type EdgeState = Partial<Record<NamedKind | 'distributions', EdgeThing[]>>;

/** Lists what there is of the kinds that are to be deployed. */
export async function listEdge({ aws, findings, plan }: Scene): Promise<EdgeState> {
  const cloudFront = aws.client(CloudFrontClient, EDGE_REGION);
  const list = async (
    question: Parameters<typeof findings.ask>[1],
    page: (
      Marker: string | undefined,
    ) => Promise<{ items: EdgeThing[] | undefined; next: string | undefined }>,
  ) => {
    const all = await findings.ask('names', question, () => allPages(page));
    return all === 'missing' ? [] : all;
  };
  const lists: Record<keyof EdgeState, () => Promise<EdgeThing[] | undefined>> = {
    distributions: () =>
      list('ListDistributions', async (Marker) => {
        const { DistributionList } = await cloudFront.send(new ListDistributionsCommand({ Marker }));
        return {
          items: DistributionList?.Items?.map(({ Id = '', Aliases }) => ({
            id: Id,
            names: Aliases?.Items ?? [],
          })),
          next: DistributionList?.NextMarker,
        };
      }),
    functions: () =>
      list('ListFunctions', async (Marker) => {
        const { FunctionList } = await cloudFront.send(new ListFunctionsCommand({ Marker }));
        return {
          items: FunctionList?.Items?.map(({ Name = '', FunctionMetadata }) => ({
            id: FunctionMetadata?.FunctionARN ?? '',
            names: [Name],
          })),
          next: FunctionList?.NextMarker,
        };
      }),
    originAccessControls: () =>
      list('ListOriginAccessControls', async (Marker) => {
        const { OriginAccessControlList: found } = await cloudFront.send(
          new ListOriginAccessControlsCommand({ Marker }),
        );
        return {
          items: found?.Items?.map(({ Id = '', Name = '' }) => ({ id: Id, names: [Name] })),
          next: found?.NextMarker,
        };
      }),
    originRequestPolicies: () =>
      list('ListOriginRequestPolicies', async (Marker) => {
        const { OriginRequestPolicyList: found } = await cloudFront.send(
          new ListOriginRequestPoliciesCommand({ Type: 'custom', Marker }),
        );
        return {
          items: found?.Items?.map(({ OriginRequestPolicy: policy }) => ({
            id: policy?.Id ?? '',
            names: [policy?.OriginRequestPolicyConfig?.Name ?? ''],
          })),
          next: found?.NextMarker,
        };
      }),
    responseHeadersPolicies: () =>
      list('ListResponseHeadersPolicies', async (Marker) => {
        const { ResponseHeadersPolicyList: found } = await cloudFront.send(
          new ListResponseHeadersPoliciesCommand({ Type: 'custom', Marker }),
        );
        return {
          items: found?.Items?.map(({ ResponseHeadersPolicy: policy }) => ({
            id: policy?.Id ?? '',
            names: [policy?.ResponseHeadersPolicyConfig?.Name ?? ''],
          })),
          next: found?.NextMarker,
        };
      }),
  };
  const state: EdgeState = {};
  await Promise.all(
    (Object.keys(lists) as (keyof EdgeState)[]).map(async (kind) => {
      if (kind !== 'distributions' && resourcesOf(plan.stacks, NAMED[kind].type).length === 0) return;
      const found = await lists[kind]();
      if (found) state[kind] = found;
    }),
  );
  return state;
}

/**
 * AWS lets an account have distributions once it has verified it, and says nowhere whether it has. An account that has
 * one was verified.
 */
export function checkVerified({ plan, findings, cdkOptions }: Scene, { distributions }: EdgeState): void {
  if (distributions === undefined || distributions.length > 0) return;
  const needing = resourcesOf(plan.stacks, 'AWS::CloudFront::Distribution').map(({ stack }) => stack);
  const names = (key: keyof Pick<PlannedStack, 'id' | 'name'>) => needing.map((stack) => stack[key]);
  findings.add({
    level: 'unknown',
    check: 'cloudfront',
    about: `The account has no CloudFront distribution yet. AWS verifies a new account before it may have one, and does not say beforehand whether it has: ${names('name').join(' and ')} may fail with “Your account must be verified before you can add new CloudFront resources”.`,
    advice:
      'If it does, open a case at https://console.aws.amazon.com/support/home#/case/create (Account and billing, which every support plan has), with that message and the account’s number. What was deployed before stays; when AWS has answered, deploy again.',
    commands: [`npx cdk deploy ${names('id').join(' ')}${cdkOptions}`],
  });
}
