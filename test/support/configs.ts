/** The configurations that several test files have, or one: named here, so that they are synthesized together. */
import { join } from 'node:path';
import type { PealConfig } from '#config';
import { LOCAL_CONFIG, localConfig } from '../../local/config.ts';

/**
 * Every message is counted, for the month and for the minute: a burst limit so low takes no samples.
 */
export const COUNTING = { signUp: 'open', quota: 1_000_000, burst: 199 } as const satisfies PealConfig;

/** Every account has a small quota. */
export const QUOTA = { ...LOCAL_CONFIG, quota: 100 } as const satisfies PealConfig;

/** The operator invites who may sign up. */
export const INVITING = { signUp: 'invitation' } as const satisfies PealConfig;

/** The operator makes all accounts. */
export const CLOSED = { signUp: 'closed' } as const satisfies PealConfig;

/** The canary measures every five minutes. */
export const WATCHED = { signUp: 'closed', burst: 0, canary: 5 } as const satisfies PealConfig;

/** Messages and attachments are soon forgotten. */
export const FORGETFUL = {
  signUp: 'open',
  burst: 0,
  retention: { messages: 4, attachments: 2 },
} as const satisfies PealConfig;

/** A firewall, for which CloudFront is before the API. */
export const FIREWALL = {
  ...LOCAL_CONFIG,
  waf: true,
  region: 'us-east-1',
} as const satisfies PealConfig;

/** A stage beside another, with limits that are soon reached. */
export const STAGING = {
  stage: 'staging',
  signUp: 'open',
  registrationsPerHour: 1_000_000,
  burst: 5,
  ceilings: { fcm: 2 },
} as const satisfies PealConfig;

/** What little a team has to say. */
export const MINIMAL = { signUp: 'open' } as const satisfies PealConfig;

/** Names of the team's own. */
export const domains = (): Promise<PealConfig> =>
  localConfig(join(import.meta.dirname, '..', '..', 'examples', 'domains'));

/** All of these, and what the local cloud runs. */
export const allConfigs = async (): Promise<PealConfig[]> => [
  LOCAL_CONFIG,
  COUNTING,
  QUOTA,
  INVITING,
  CLOSED,
  WATCHED,
  FORGETFUL,
  FIREWALL,
  STAGING,
  MINIMAL,
  await domains(),
];
