/** Whether names that can be only once are free: addresses, their DNS records, and what CloudFront names. */
import { ApiGatewayV2Client, GetDomainNamesCommand } from '@aws-sdk/client-apigatewayv2';
import { GetHostedZoneCommand, ListResourceRecordSetsCommand, Route53Client } from '@aws-sdk/client-route-53';
import type { DomainConfig } from '../../../../cdk/peal-config.ts';
import { resourcesOf } from '../plan.ts';
import { allPages, type DeployedScene, EDGE_REGION, type Owned, regionOf } from '../scene.ts';
import { type EdgeState, NAMED, type NamedKind } from './cloudfront.ts';

const DOMAINS = ['api', 'socket', 'web'] as const;

/** Records that cannot stand beside the alias records of the same name. */
const CONFLICTING = ['A', 'AAAA', 'CNAME'];

export async function checkNames(scene: DeployedScene, edge: EdgeState): Promise<void> {
  const { findings, owned, plan } = scene;
  if (owned === undefined) {
    findings.add({
      level: 'unknown',
      check: 'names',
      about:
        'Could not look whether names are taken: AWS does not say which of them are this deployment’s own.',
    });
    return;
  }
  checkAliases(scene, owned, edge);
  for (const kind of Object.keys(NAMED) as NamedKind[]) checkNamed(scene, owned, edge, kind);
  await Promise.all([
    checkApiNames(scene, owned),
    ...DOMAINS.map((name) => {
      const domain = plan.settings.domains[name];
      return domain?.hostedZoneId === undefined
        ? undefined
        : checkRecords(scene, owned, name, domain, domain.hostedZoneId);
    }),
  ]);
}

const isOwned = (owned: readonly Owned[], id: string) => owned.some(({ physicalId }) => physicalId === id);

function checkAliases({ plan, findings }: DeployedScene, owned: readonly Owned[], edge: EdgeState): void {
  const wanted = resourcesOf(plan.stacks, 'AWS::CloudFront::Distribution').flatMap(
    ({ properties }) => (Object(properties.DistributionConfig).Aliases ?? []) as string[],
  );
  for (const { id, names } of edge.distributions ?? []) {
    if (isOwned(owned, id)) continue;
    for (const name of names.filter((alias) => wanted.includes(alias))) {
      findings.add({
        level: 'blocks',
        check: 'names',
        about: `${name} is an alias of another CloudFront distribution, ${id}.`,
        advice: 'Take it out of the aliases there, or choose another name.',
        commands: [`aws cloudfront get-distribution --id ${id}`],
      });
    }
  }
}

/** Such names are one account's, over all regions and stages. */
function checkNamed(
  { plan, findings }: DeployedScene,
  owned: readonly Owned[],
  edge: EdgeState,
  kind: NamedKind,
): void {
  const { type, word, name } = NAMED[kind];
  const wanted = resourcesOf(plan.stacks, type).map(({ properties }) => name(properties));
  for (const { id, names } of edge[kind] ?? []) {
    const [taken = ''] = names;
    if (!wanted.includes(taken) || isOwned(owned, id)) continue;
    const which = kind === 'functions' ? `--name ${taken}` : `--id ${id}`;
    const read = kind === 'functions' ? 'describe-function' : `get-${word}`;
    findings.add({
      level: 'blocks',
      check: 'names',
      about: `CloudFront has ${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word.replaceAll('-', ' ')} ${taken} already, of a stage of this name in another region or left of one.`,
      advice: 'If there is such a stage, choose another name for this one; else delete what is left of it.',
      commands: [
        `aws cloudfront delete-${word} ${which} --if-match "$(aws cloudfront ${read} ${which} --query ETag --output text)"`,
      ],
    });
  }
}

async function checkApiNames(scene: DeployedScene, owned: readonly Owned[]): Promise<void> {
  const { aws, findings, plan } = scene;
  const wanted = resourcesOf(plan.stacks, 'AWS::ApiGatewayV2::DomainName');
  await Promise.all(
    [...new Set(wanted.map(({ stack }) => regionOf(scene, stack)))].map(async (region) => {
      const client = aws.client(ApiGatewayV2Client, region);
      const found = await findings.ask('names', 'GetDomainNames', () =>
        allPages(async (NextToken) => {
          const page = await client.send(new GetDomainNamesCommand({ NextToken }));
          return { items: page.Items, next: page.NextToken };
        }),
      );
      if (found === undefined || found === 'missing') return;
      for (const { DomainName: taken = '' } of found) {
        if (isOwned(owned, taken)) continue;
        if (!wanted.some(({ properties }) => properties.DomainName === taken)) continue;
        findings.add({
          level: 'blocks',
          check: 'names',
          about: `API Gateway in ${region} has the custom domain name ${taken} already.`,
          advice: 'If nothing needs it any more, delete it; else choose another name.',
          commands: [
            `aws apigatewayv2 get-api-mappings --domain-name ${taken} --region ${region}`,
            `aws apigatewayv2 delete-domain-name --domain-name ${taken} --region ${region}`,
          ],
        });
      }
    }),
  );
}

async function checkRecords(
  { aws, findings }: DeployedScene,
  owned: readonly Owned[],
  id: (typeof DOMAINS)[number],
  { name }: DomainConfig,
  zone: string,
): Promise<void> {
  const route53 = aws.client(Route53Client, EDGE_REGION);
  const answer = await findings.ask('names', 'GetHostedZone', () =>
    route53.send(new GetHostedZoneCommand({ Id: zone })),
  );
  if (answer === undefined) return;
  if (answer === 'missing') {
    findings.add({
      level: 'blocks',
      check: 'names',
      about: `There is no hosted zone ${zone}, which domains.${id} names.`,
      commands: ['aws route53 list-hosted-zones --query "HostedZones[].[Id,Name]" --output text'],
    });
    return;
  }
  const root = (answer.HostedZone?.Name ?? '').replace(/\.$/, '');
  if (name !== root && !name.endsWith(`.${root}`)) {
    findings.add({
      level: 'blocks',
      check: 'names',
      about: `The hosted zone ${zone} is of ${root}: domains.${id}.name, ${name}, cannot be in it.`,
      commands: ['aws route53 list-hosted-zones --query "HostedZones[].[Id,Name]" --output text'],
    });
    return;
  }
  if (answer.HostedZone?.Config?.PrivateZone) {
    findings.add({
      level: 'warns',
      check: 'names',
      about: `The hosted zone ${zone} is private: nobody outside its VPCs will find ${name}.`,
    });
  }
  const records = await findings.ask('names', 'ListResourceRecordSets', () =>
    route53.send(new ListResourceRecordSetsCommand({ HostedZoneId: zone, StartRecordName: name })),
  );
  if (records === undefined || records === 'missing' || isOwned(owned, name)) return;
  const taken = (records.ResourceRecordSets ?? [])
    .filter((record) => record.Name === `${name}.` && CONFLICTING.includes(record.Type ?? ''))
    .map(({ Type }) => Type);
  if (taken.length === 0) return;
  findings.add({
    level: 'blocks',
    check: 'names',
    about: `${name} has records in the zone ${zone} already (${taken.join(', ')}), which CloudFormation does not replace.`,
    advice:
      'Delete them (aws route53 change-resource-record-sets), or leave hostedZoneId out and point the name yourself.',
    commands: [
      `aws route53 list-resource-record-sets --hosted-zone-id ${zone} --query "ResourceRecordSets[?Name=='${name}.']"`,
    ],
  });
}
