/** What `cdk deploy --all` would deploy: what CDK makes of the configuration, without building what goes into it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Settings } from '../../../cdk/settings.ts';
import { UsageError } from '../../errors.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');

/** A resource of a template. */
export interface Resource {
  Type: string;
  Properties?: Record<string, unknown>;
}

/** A stack that would be deployed. */
export interface PlannedStack {
  /** By which CDK's commands know it, such as `PealData`. */
  id: string;
  /** By which CloudFormation knows it, such as `PealData-prod`. */
  name: string;
  /** Undefined if it is that of the credentials' profile. */
  region: string | undefined;
  /** What `cdk bootstrap` must have made. */
  bootstrap: { version: number; parameter: string; bucket: (account: string, region: string) => string };
  /** By logical id. */
  resources: Record<string, Resource>;
}

export interface Plan {
  settings: Settings;
  stacks: PlannedStack[];
}

/** Values of CDK's context, by name. */
export type CdkContext = Record<string, unknown>;

/**
 * CDK's context, from where `cdk` takes it: the command line, `cdk.json`, `cdk.context.json`, `~/.cdk.json`. The first of
 * them that has a name decides.
 *
 * @param given on the command line
 * @throws UsageError if a file is no JSON
 */
export function cdkContext(given: CdkContext, root = ROOT, home = homedir()): CdkContext {
  return {
    ...Object(readJson(join(home, '.cdk.json')).context),
    ...readJson(join(root, 'cdk.context.json')),
    ...Object(readJson(join(root, 'cdk.json')).context),
    ...given,
  };
}

function readJson(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw new UsageError(`cannot read ${file}: ${error instanceof Error ? error.message : error}`);
  }
  try {
    return Object(JSON.parse(text));
  } catch {
    throw new UsageError(`${file} is no JSON`);
  }
}

/**
 * Reads the configuration as `cdk deploy` does, and synthesizes it.
 *
 * @throws UsageError that says what is wrong in the configuration
 */
export async function readPlan(context: CdkContext): Promise<Plan> {
  const [{ readConfig }, { ConfigError }] = await Promise.all([
    import('../../../cdk/config.ts'),
    import('../../../cdk/settings.ts'),
  ]);
  try {
    return await planOf(await readConfig((name) => context[name]), context);
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.message);
    throw error;
  }
}

/** Synthesizes a configuration. Bundles and the web app have no part in what is looked at, so they are empty here. */
export async function planOf(settings: Settings, context: CdkContext): Promise<Plan> {
  const [{ App }, { addPeal }] = await Promise.all([import('aws-cdk-lib'), import('../../../cdk/peal.ts')]);
  const folder = await mkdtemp(join(tmpdir(), 'peal-preflight-'));
  try {
    const site = join(folder, 'site');
    mkdirSync(join(site, 'assets'), { recursive: true });
    for (const file of ['index.html', 'assets/one.js']) writeFileSync(join(site, file), '');
    const app = new App({
      outdir: join(folder, 'out'),
      context,
      // `cdk synth` and `cdk deploy` make CloudFormation's own checks, which take longer than all the rest.
      builtinCloudFormationValidation: false,
      treeMetadata: false,
    });
    addPeal(app, settings, { bundles: () => site, site });
    const stacks = app.synth().stacks.map((stack): PlannedStack => {
      const { region } = stack.environment;
      const {
        requiresBootstrapStackVersion,
        bootstrapStackVersionSsmParameter,
        stackTemplateAssetObjectUrl,
      } = stack;
      return {
        id: stack.id,
        name: stack.stackName,
        region: region === 'unknown-region' ? undefined : region,
        bootstrap: {
          version: requiresBootstrapStackVersion ?? 0,
          parameter: bootstrapStackVersionSsmParameter ?? '',
          bucket: (account, region) => bucketOf(stackTemplateAssetObjectUrl ?? '', account, region),
        },
        resources: stack.template.Resources,
      };
    });
    return { settings, stacks };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The bucket of an `s3://…` address in which CDK has left places for what it does not know. */
function bucketOf(url: string, account: string, region: string): string {
  const [, bucket = ''] = /^s3:\/\/([^/]+)/.exec(url) ?? [];
  return bucket.replace(/\$\{AWS::(AccountId|Region)\}/g, (_, name) =>
    name === 'Region' ? region : account,
  );
}

/** The resources of a type in some stacks, with the stack and the logical id of each. */
export function resourcesOf(stacks: readonly PlannedStack[], type: string) {
  return stacks.flatMap((stack) =>
    Object.entries(stack.resources)
      .filter(([, resource]) => resource.Type === type)
      .map(([logicalId, { Properties = {} }]) => ({ stack, logicalId, properties: Properties })),
  );
}
