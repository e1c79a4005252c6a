/** Whether the certificates that the configuration names can be used for its names. */
import { ACMClient, type CertificateDetail, DescribeCertificateCommand } from '@aws-sdk/client-acm';
import type { DomainConfig } from '../../../../cdk/peal-config.ts';
import type { Scene } from '../scene.ts';

const NAMES = ['api', 'socket', 'web'] as const;

/** What CloudFront takes; API Gateway takes more. */
const EDGE_KEYS = /^(?:RSA[_-]|EC[_-]prime256v1$)/;

export async function checkCertificates(scene: Scene): Promise<void> {
  const { domains, waf } = scene.plan.settings;
  await Promise.all(
    NAMES.map(async (name) => {
      const domain = domains[name];
      if (domain) await check(scene, name, domain, name === 'web' || (name === 'api' && waf));
    }),
  );
}

/** @param atEdge whether it is for CloudFront. That its region is right was checked with the configuration. */
async function check(
  { aws, account, findings }: Scene,
  id: (typeof NAMES)[number],
  { name, certificateArn }: DomainConfig,
  atEdge: boolean | undefined,
): Promise<void> {
  const [, , , region = '', owner = ''] = certificateArn.split(':');
  const subject = `The certificate of domains.${id} (${certificateArn})`;
  const wrong = (about: string, more: { advice?: string; commands?: string[] } = {}) =>
    findings.add({ level: 'blocks', check: 'certificates', about: `${subject} ${about}`, ...more });
  const another = [
    `aws acm request-certificate --domain-name ${name} --validation-method DNS --region ${region}`,
  ];
  if (owner !== account) {
    wrong(`is of the account ${owner}, the deployment is in ${account}.`, { commands: another });
    return;
  }
  const acm = aws.client(ACMClient, region);
  const answer = await findings.ask('certificates', 'DescribeCertificate', () =>
    acm.send(new DescribeCertificateCommand({ CertificateArn: certificateArn })),
  );
  if (answer === undefined) return;
  const certificate = answer === 'missing' ? undefined : answer.Certificate;
  if (!certificate) {
    wrong('is not there.', { commands: another });
    return;
  }
  const covered = [certificate.DomainName ?? '', ...(certificate.SubjectAlternativeNames ?? [])];
  if (!covered.some((pattern) => covers(pattern, name))) {
    wrong(`is not for ${name}, but for ${[...new Set(covered)].join(', ')}.`, { commands: another });
    return;
  }
  if (atEdge && certificate.KeyAlgorithm && !EDGE_KEYS.test(certificate.KeyAlgorithm)) {
    wrong(`has a key that CloudFront does not take (${certificate.KeyAlgorithm}).`, {
      commands: [`${another[0]} --key-algorithm EC_prime256v1`],
    });
  }
  if (certificate.Status === 'ISSUED') return;
  if (certificate.Status === 'PENDING_VALIDATION') {
    wrong('is not issued yet.', {
      advice: validationOf(certificate),
      commands: [`aws acm wait certificate-validated --certificate-arn ${certificateArn} --region ${region}`],
    });
    return;
  }
  const reason = certificate.FailureReason ? ` (${certificate.FailureReason})` : '';
  wrong(`is ${certificate.Status}${reason}, and not ISSUED.`, { commands: another });
}

/** Whether a certificate's name is that of a host: itself, or a wildcard in the place of its first label. */
function covers(pattern: string, host: string): boolean {
  const lower = pattern.toLowerCase();
  return lower === host || (lower.startsWith('*.') && lower.slice(1) === host.slice(host.indexOf('.')));
}

/** What the domain's owner has to do before AWS issues a certificate. */
function validationOf({ DomainValidationOptions = [] }: CertificateDetail): string {
  const records = DomainValidationOptions.flatMap(({ ValidationStatus, ResourceRecord }) =>
    ResourceRecord && ValidationStatus !== 'SUCCESS'
      ? [`${ResourceRecord.Name} ${ResourceRecord.Type} ${ResourceRecord.Value}`]
      : [],
  );
  if (records.length === 0)
    return 'Follow the link in the mail that AWS has sent to the owner of the domain.';
  return `These records must be in the DNS: ${[...new Set(records)].join('; ')}`;
}
