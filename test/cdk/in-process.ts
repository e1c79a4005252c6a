import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { addPeal, addStacks } from '../../cdk/peal.ts';
import type { PealConfig } from '../../cdk/peal-config.ts';
import { checkConfig, type Settings } from '../../cdk/settings.ts';
import { loadAssembly, type StackTemplate } from '../../local/template/assembly.ts';
import type { Resource } from './templates.ts';

// What CDK would warn of, that something is deprecated, fails what uses it.
process.env.JSII_DEPRECATED = 'fail';

const ROOT = join(import.meta.dirname, '..', '..');

/** What `cdk.json` says to CDK. */
export const { context: CONTEXT } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8'));

/** A synthesized stack, with its template. */
export interface Synthesized {
  stackName: string;
  region: string;
  Resources: Record<string, Resource>;
  Outputs?: Record<string, { Value: unknown; Export?: { Name: string } }>;
}

/** A folder for what tests synthesize, with something in it that stands for bundles and the web app. */
const folder = mkdtempSync(join(tmpdir(), 'peal-templates-'));
// Of all files of this process, so no file's hook can remove it.
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const site = join(folder, 'site');
mkdirSync(join(site, 'assets'), { recursive: true });
for (const file of ['index.html', 'index.js', 'assets/one.js']) writeFileSync(join(site, file), '');

/** An app with Peal's stacks: what `cdk/app.ts` makes, without its bundles. */
export function appOf(settings: Settings): App {
  const app = emptyApp();
  addPeal(app, settings, { bundles: () => site, site });
  return app;
}

/** An app as `cdk/app.ts` has it, with nothing in it. */
export function emptyApp(): App {
  return new App({
    outdir: mkdtempSync(join(folder, 'out-')),
    // Nobody reads where constructs were made, and copies of assets.
    context: {
      ...CONTEXT,
      'aws:cdk:disable-stack-trace': true,
      'aws:cdk:disable-creation-stack-traces': true,
      'aws:cdk:disable-asset-staging': true,
    },
    // CloudFormation's own checks take longer than all the rest. `npm run synth` makes them of every example.
    builtinCloudFormationValidation: false,
    treeMetadata: false,
  });
}

/** The stacks of a configuration in the order that they are deployed in, not checked. */
export function assemblyOf(config: PealConfig): StackTemplate[] {
  const app = emptyApp();
  addStacks(app, checkConfig(config, 'the test’s configuration'), { bundles: () => site, site });
  return loadAssembly(app.synth({ skipValidation: true }).directory);
}

/** Synthesizes an app's stacks, by their ids. @throws Error if cdk-nag finds something, or what waits for itself */
export function synthesize(app: App): Record<string, Synthesized> {
  const stacks = app.node.children.filter((child) => Stack.isStack(child));
  return Object.fromEntries(
    stacks.map((stack) => {
      const { Resources, Outputs } = Template.fromStack(stack).toJSON();
      return [stack.node.id, { stackName: stack.stackName, region: stack.region, Resources, Outputs }];
    }),
  );
}

const synthesized = new Map<string, Record<string, Synthesized>>();

/** The stacks of a configuration, synthesized once. */
export function stacksWith(config: PealConfig): Record<string, Synthesized> {
  const key = JSON.stringify(config);
  const stacks = synthesized.get(key) ?? synthesize(appOf(checkConfig(config, 'the test’s configuration')));
  synthesized.set(key, stacks);
  return stacks;
}
