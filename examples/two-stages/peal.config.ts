import type { PealConfig } from '#config';

/** Production: what `npx cdk deploy --all` deploys. */
export default {
  region: 'eu-central-1',
  signUp: 'invitation',
  registrationsPerHour: 200,
  quota: 10_000,
  retention: { logs: 90 },
  alarms: 'ops@example.org',
  canary: 5,
} satisfies PealConfig;
