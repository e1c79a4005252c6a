import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { App } from 'aws-cdk-lib';
import { addPeal } from '../../cdk/peal.ts';
import type { PealConfig } from '../../cdk/peal-config.ts';
import { checkConfig } from '../../cdk/settings.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** A folder for what tests synthesize, with something in it that stands for bundles and the web app. */
const folder = mkdtempSync(join(tmpdir(), 'peal-templates-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const site = join(folder, 'site');
mkdirSync(join(site, 'assets'), { recursive: true });
for (const file of ['index.html', 'index.js', 'assets/one.js']) writeFileSync(join(site, file), '');

/** An app with Peal's stacks of a configuration: what `cdk/app.ts` makes, without its bundles and its checks. */
export function appOf(config: PealConfig): App {
  const { context } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8'));
  // The checks are what the tests call by themselves.
  const app = new App({
    outdir: mkdtempSync(join(folder, 'out-')),
    context: { ...context, '@aws-cdk/core:validateAgainstDefaultRules': false },
  });
  addPeal(app, checkConfig(config, 'the test’s configuration'), { bundles: () => site, site });
  return app;
}
