import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { bundleFunctions } from './bundles.ts';
import { addPeal } from './peal.ts';
import type { Settings } from './settings.ts';
import { webSite } from './web-site.ts';

const ROOT = join(import.meta.dirname, '..');

/** Synthesizes a configuration into a folder. @throws Error if CDK's validators find its templates wrong */
export type Synthesize = (settings: Settings, outdir: string) => void;

/**
 * What synthesizes many configurations, one after the other, of one build: nearly all of the time that a synthesis takes
 * is for what is the same in each of them.
 */
export async function synthesizer(): Promise<Synthesize> {
  const { context } = JSON.parse(await readFile(join(ROOT, 'cdk.json'), 'utf8'));
  const built = { bundles: await bundleFunctions(), site: await webSite() };
  return (settings, outdir) => {
    const app = new App({ context, outdir });
    addPeal(app, settings, built);
    app.synth();
  };
}
