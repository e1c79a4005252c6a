/** Reads what `cdk synth` wrote: manifest, stack templates and bundled assets. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject, type Json, type JsonObject } from './json.ts';

/** A stack of the assembly. */
export interface StackTemplate {
  name: string;
  /** Undefined where the template fits any region. */
  region?: string;
  template: JsonObject;
  /** Object key of an asset in the bootstrap bucket → absolute path of its source. */
  assets: Map<string, string>;
}

/** What CDK calls the region of a stack that was given none. */
const UNKNOWN = 'unknown-region';

interface Artifact {
  type: string;
  /** Of a stack, `aws://ACCOUNT/REGION`. */
  environment: string | undefined;
  properties: JsonObject;
  dependencies: string[];
}

/**
 * Loads the cloud assembly in `dir` (a `cdk.out`), nested stages included.
 *
 * @returns the stacks, each after those it depends on
 * @throws Error when `dir` holds no assembly or its stacks depend on each other in a circle
 */
export function loadAssembly(dir: string): StackTemplate[] {
  const manifestFile = join(dir, 'manifest.json');
  if (!existsSync(manifestFile)) {
    throw new Error(`no cloud assembly in ${dir} (manifest.json is missing): run \`npx cdk synth\` first`);
  }
  const artifacts = readArtifacts(manifestFile);
  const stacks: StackTemplate[] = [];
  const state = new Map<string, 'open' | 'done'>();

  const visit = (id: string): void => {
    const artifact = artifacts.get(id);
    if (!artifact || state.get(id) === 'done') return;
    if (state.get(id) === 'open') throw new Error(`stacks depend on each other in a circle at ${id}`);
    state.set(id, 'open');
    for (const dependency of artifact.dependencies) visit(dependency);
    state.set(id, 'done');
    if (artifact.type === 'aws:cloudformation:stack') stacks.push(readStack(dir, id, artifact, artifacts));
    if (artifact.type === 'cdk:cloud-assembly') {
      stacks.push(...loadAssembly(join(dir, String(artifact.properties.directoryName))));
    }
  };
  for (const id of artifacts.keys()) visit(id);
  return stacks;
}

function readJson(file: string): JsonObject {
  const value: Json = JSON.parse(readFileSync(file, 'utf8'));
  if (!isObject(value)) throw new Error(`${file} holds no JSON object`);
  return value;
}

function readArtifacts(manifestFile: string): Map<string, Artifact> {
  const manifest = readJson(manifestFile);
  const artifacts = new Map<string, Artifact>();
  for (const [id, value] of Object.entries(isObject(manifest.artifacts) ? manifest.artifacts : {})) {
    if (!isObject(value)) continue;
    artifacts.set(id, {
      type: String(value.type),
      environment: typeof value.environment === 'string' ? value.environment : undefined,
      properties: isObject(value.properties) ? value.properties : {},
      dependencies: Array.isArray(value.dependencies) ? value.dependencies.map(String) : [],
    });
  }
  return artifacts;
}

function readStack(
  dir: string,
  id: string,
  artifact: Artifact,
  artifacts: Map<string, Artifact>,
): StackTemplate {
  const { properties, environment } = artifact;
  const region = environment?.split('/').at(-1);
  const assets = new Map<string, string>();
  for (const dependency of artifact.dependencies) {
    const manifest = artifacts.get(dependency);
    if (manifest?.type !== 'cdk:asset-manifest') continue;
    readAssets(dir, readJson(join(dir, String(manifest.properties.file))), assets);
  }
  return {
    name: typeof properties.stackName === 'string' ? properties.stackName : id,
    ...(region !== undefined && region !== UNKNOWN && { region }),
    template: readJson(join(dir, String(properties.templateFile))),
    assets,
  };
}

function readAssets(dir: string, manifest: JsonObject, assets: Map<string, string>): void {
  for (const file of Object.values(isObject(manifest.files) ? manifest.files : {})) {
    if (!isObject(file) || !isObject(file.source) || !isObject(file.destinations)) continue;
    if (typeof file.source.path !== 'string') continue;
    for (const destination of Object.values(file.destinations)) {
      if (isObject(destination)) assets.set(String(destination.objectKey), join(dir, file.source.path));
    }
  }
}
