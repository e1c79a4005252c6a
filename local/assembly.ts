import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { glob, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { PealConfig } from '#config';
import { LOCAL_CONFIG } from './config.ts';

const ROOT = join(import.meta.dirname, '..');
const CACHE = join(ROOT, '.build', 'cloud');
/** What the synthesized templates, their bundles and the web site are made of. */
const SOURCES = [
  'cdk/**/*.ts',
  'functions/**/*.ts',
  'functions/*/assets/*/*',
  'lib/**/*.ts',
  'web/**/*.*',
  'cdk.json',
  'package-lock.json',
  'package.json',
  'tsconfig.json',
];
/** Assemblies that are kept: those last used, of a few states of the sources with the configurations of the tests. */
const KEEP = 16;

/** Those that this process has asked for, by their configuration. */
const asked = new Map<string, Promise<string>>();

/**
 * The cloud assembly of the sources as they are now: what `cdk synth` makes, of the given configuration in the place of
 * `peal.config.ts`. Synthesized only when something has changed since it last was, and looked up once by each process:
 * one that runs has loaded its own code long before somebody changes the sources.
 *
 * @returns its folder
 * @throws Error with the output of the synthesis if it fails
 */
export function currentAssembly(config: PealConfig = LOCAL_CONFIG): Promise<string> {
  const key = JSON.stringify(config);
  const assembly = asked.get(key) ?? lookUp([config]).then(([folder]) => folder!);
  asked.set(key, assembly);
  return assembly;
}

/** Makes those that are not there yet, in a process for each core, which takes less time than one after another. */
export async function prepareAssemblies(configs: readonly PealConfig[]): Promise<void> {
  await lookUp(configs);
}

/** @returns the folders of the assemblies, made if they are not there */
async function lookUp(configs: readonly PealConfig[]): Promise<string[]> {
  const all = await Promise.all(
    configs.map(async (config) => ({ config, folder: join(CACHE, await fingerprint(config)) })),
  );
  const now = new Date();
  await mkdir(CACHE, { recursive: true });
  const making: Making[] = [];
  for (const { config, folder } of all) {
    // Whoever makes another one removes those that nobody has used for longest.
    if (existsSync(join(folder, 'manifest.json'))) await utimes(folder, now, now);
    else making.push({ config, folder, outdir: await mkdtemp(join(CACHE, 'making-')) });
  }
  if (making.length > 0) {
    const share = Math.ceil(making.length / availableParallelism());
    const shares = Array.from({ length: Math.ceil(making.length / share) }, (_, n) =>
      making.slice(n * share, (n + 1) * share),
    );
    // Each ends before any is removed: what one still writes would stay.
    const ended = await Promise.allSettled(shares.map(synthesize));
    const failed = ended.find((one) => one.status === 'rejected');
    if (failed) {
      await Promise.all(making.map(({ outdir }) => rm(outdir, { recursive: true, force: true })));
      throw failed.reason;
    }
    for (const { outdir, folder } of making) await putInPlace(outdir, folder);
    await removeOld(all.map(({ folder }) => folder));
  }
  return all.map(({ folder }) => folder);
}

async function putInPlace(made: string, folder: string): Promise<void> {
  try {
    await rename(made, folder);
  } catch (error) {
    // Somebody else was first with the very same assembly.
    await rm(made, { recursive: true, force: true });
    if (!existsSync(join(folder, 'manifest.json'))) throw error;
  }
}

async function fingerprint(config: PealConfig): Promise<string> {
  const files = await Array.fromAsync(glob(SOURCES, { cwd: ROOT }));
  const contents = await Promise.all(
    files.sort().map(async (file) => [file, await readFile(join(ROOT, file))] as const),
  );
  const hash = createHash('sha256').update(JSON.stringify(config)).update(process.version);
  for (const [file, content] of contents) hash.update(`\0${file}\0${content.length}\0`).update(content);
  return hash.digest('hex').slice(0, 16);
}

/** An assembly that is to be made. */
interface Making {
  config: PealConfig;
  outdir: string;
  folder: string;
}

/** Runs the CDK app as the CDK's command line does, without its two seconds of start; CDK itself is loaded once. */
async function synthesize(making: Making[]): Promise<void> {
  const { context } = JSON.parse(await readFile(join(ROOT, 'cdk.json'), 'utf8'));
  const runs = making.map(({ outdir, config }) => ({
    CDK_OUTDIR: outdir,
    CDK_CONTEXT_JSON: JSON.stringify({ ...context, config }),
  }));
  const child = spawn(process.execPath, ['local/synthesize.ts'], {
    cwd: ROOT,
    env: {
      ...process.env,
      // CloudFormation's own checks take longer than all the rest. `npm run synth` and CDK's command line make them.
      CDK_VALIDATION: 'false',
      // Nor where each construct was made, and what V8 compiled of CDK is there for the next synthesis.
      CDK_DISABLE_STACK_TRACE: '1',
      NODE_COMPILE_CACHE: join(ROOT, '.build', 'compiled'),
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // A process that ends before it has read what it is told to do says why in its output.
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', () => {});
  child.stdin.end(JSON.stringify(runs));
  const output: Buffer[] = [];
  child.stdout.on('data', (data: Buffer) => output.push(data));
  child.stderr.on('data', (data: Buffer) => output.push(data));
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code !== 0 || making.some(({ outdir }) => !existsSync(join(outdir, 'manifest.json')))) {
    throw new Error(`the CDK app could not be synthesized:\n${Buffer.concat(output)}`);
  }
}

async function removeOld(current: string[]): Promise<void> {
  const folders = (await readdir(CACHE))
    .filter((name) => !name.startsWith('making-'))
    .map((name) => join(CACHE, name));
  const dated = await Promise.all(
    folders.map(async (folder) => ({
      folder,
      time: (await stat(folder).catch(() => undefined))?.mtimeMs ?? 0,
    })),
  );
  const old = dated.sort((a, b) => b.time - a.time).slice(KEEP);
  await Promise.all(
    old
      .filter(({ folder }) => !current.includes(folder))
      .map(({ folder }) => rm(folder, { recursive: true, force: true })),
  );
}
