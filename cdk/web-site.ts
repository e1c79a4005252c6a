import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { glob, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const CACHE = join(ROOT, '.build', 'web');
const KEEP = 4;
/** What the browser client is made of. */
const SOURCES = ['web/**/*', 'lib/device/**/*.ts', 'lib/protocol/**/*.ts', 'package-lock.json'];

/**
 * The browser client, built. A build takes seconds and only depends on its sources, so the last one is kept.
 *
 * @returns its folder
 */
export async function webSite(): Promise<string> {
  const folder = join(CACHE, await fingerprint());
  if (existsSync(folder)) return folder;
  await mkdir(CACHE, { recursive: true });
  const making = await mkdtemp(join(CACHE, 'making-'));
  // Vite is only loaded where there is something to build.
  const { buildWeb } = await import('../web/build.ts');
  await buildWeb(making);
  // One at a time; whoever lost the race has built the very same.
  await rename(making, folder).catch(() => rm(making, { recursive: true, force: true }));
  await removeOld();
  return folder;
}

/** Keeps the last few builds: those of a few states of the sources that one goes back and forth between. */
async function removeOld(): Promise<void> {
  const builds = (await readdir(CACHE)).filter((name) => /^[0-9a-f]{16}$/.test(name));
  const dated = await Promise.all(
    builds.map(async (name) => ({ name, time: (await stat(join(CACHE, name))).mtimeMs })),
  );
  const old = dated.sort((a, b) => b.time - a.time).slice(KEEP);
  await Promise.all(old.map(({ name }) => rm(join(CACHE, name), { recursive: true, force: true })));
}

async function fingerprint(): Promise<string> {
  const entries = await Array.fromAsync(glob(SOURCES, { cwd: ROOT, withFileTypes: true }));
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const hash = createHash('sha256').update(process.version);
  for (const file of files.sort()) hash.update(`\0${file.slice(ROOT.length)}\0`).update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}
