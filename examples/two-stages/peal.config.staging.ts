import type { PealConfig } from '#config';
import production from './peal.config.ts';

/** Staging, in the same account: what `npx cdk deploy --all -c stage=staging` deploys. Like production, but for this. */
export default {
  ...production,
  signUp: 'open',
  quota: 0,
  retention: { messages: 3, logs: 7 },
  alarms: undefined,
  canary: 'off',
} satisfies PealConfig;
