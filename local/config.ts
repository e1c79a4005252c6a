/** What the local cloud runs: a configuration in which everybody may sign up, and nothing is anywhere else. */
import type { DomainConfig, PealConfig } from '#config';
import { readConfigFile } from '../cdk/config.ts';
import { checkConfig } from '../cdk/settings.ts';
import { REGION } from './template/pseudo.ts';

/** For demos, tests and measurements, which make all their accounts from one address, and send as fast as they can. */
export const LOCAL_CONFIG: PealConfig = { signUp: 'open', registrationsPerHour: 1_000_000, burst: 0 };

/**
 * What `peal.config.ts` says, but for what a demo needs, and for what is only somewhere else: the team's account, the
 * secrets that are in it, who is told of alarms. Certificates are taken to be in the region that the local cloud plays.
 *
 * @param root folder of the file
 * @throws ConfigError if the file is wrong
 */
export async function localConfig(root?: string): Promise<PealConfig> {
  const given = await readConfigFile(root);
  checkConfig(given, 'peal.config.ts');
  const config = given as PealConfig;
  const { api, socket, web } = config.domains ?? {};
  return {
    ...config,
    ...LOCAL_CONFIG,
    region: REGION,
    account: undefined,
    domains: { api: here(api), socket: here(socket), web: here(web) },
    secrets: undefined,
    alarms: undefined,
  };
}

function here(domain: DomainConfig | undefined): DomainConfig | undefined {
  if (!domain) return undefined;
  return { ...domain, certificateArn: domain.certificateArn.replace(/:acm:[^:]+:/, `:acm:${REGION}:`) };
}
