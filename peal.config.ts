import type { PealConfig } from '#config';

/**
 * This deployment of Peal. What is left out has its default: `PealConfig` has every field, its default and what is
 * allowed, and your editor shows them here. `npx cdk synth` says what is wrong.
 */
export default {
  signUp: 'closed',
} satisfies PealConfig;
