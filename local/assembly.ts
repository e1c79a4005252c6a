import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { glob, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
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
  const assembly = asked.get(key) ?? lookUp(config);
  asked.set(key, assembly);
  return assembly;
}

async function lookUp(config: PealConfig): Promise<string> {
  const folder = join(CACHE, await fingerprint(config));
  if (existsSync(join(folder, 'manifest.json'))) {
    // Whoever makes another one removes those that nobody has used for longest.
    const now = new Date();
    await utimes(folder, now, now);
    return folder;
  }
  await mkdir(CACHE, { recursive: true });
  const making = await mkdtemp(join(CACHE, 'making-'));
  await synthesize(making, config);
  try {
    await rename(making, folder);
  } catch (error) {
    // Somebody else was first with the very same assembly.
    await rm(making, { recursive: true, force: true });
    if (!existsSync(join(folder, 'manifest.json'))) throw error;
  }
  await removeOld(folder);
  return folder;
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

/** Runs the CDK app as the CDK's command line does, without its two seconds of start. */
async function synthesize(outdir: string, config: PealConfig): Promise<void> {
  const { context } = JSON.parse(await readFile(join(ROOT, 'cdk.json'), 'utf8'));
  const child = spawn(process.execPath, ['cdk/app.ts'], {
    cwd: ROOT,
    env: {
      ...process.env,
      CDK_OUTDIR: outdir,
      CDK_CONTEXT_JSON: JSON.stringify({ ...context, config }),
      // CloudFormation's own checks take longer than all the rest. `npm run synth` and CDK's command line make them.
      CDK_VALIDATION: 'false',
      // Nor where each construct was made, and what V8 compiled of CDK is there for the next synthesis.
      CDK_DISABLE_STACK_TRACE: '1',
      NODE_COMPILE_CACHE: join(ROOT, '.build', 'compiled'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (data: Buffer) => output.push(data));
  child.stderr.on('data', (data: Buffer) => output.push(data));
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code !== 0 || !existsSync(join(outdir, 'manifest.json'))) {
    await rm(outdir, { recursive: true, force: true });
    throw new Error(`the CDK app could not be synthesized:\n${Buffer.concat(output)}`);
  }
}

async function removeOld(current: string): Promise<void> {
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
      .filter(({ folder }) => folder !== current)
      .map(({ folder }) => rm(folder, { recursive: true, force: true })),
  );
}
