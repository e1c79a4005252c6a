import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { glob, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
/** Builds that are kept: those of a few states of the sources that one goes back and forth between. */
const KEEP = 4;

/**
 * What is built of sources, built once for each content of them and kept in `.build/`, whatever process asks. Of two that
 * build the same at once, one's is taken: they have built the very same.
 *
 * @param name of its folder in `.build/`
 * @param sources patterns of all files that it depends on
 * @param build writes it into a folder
 * @returns its folder
 */
export async function builtOnce(
  name: string,
  sources: string[],
  build: (folder: string) => Promise<void> | void,
): Promise<string> {
  const cache = join(ROOT, '.build', name);
  const folder = join(cache, await fingerprint(sources));
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const making = await mkdtemp(join(cache, 'making-'));
  await build(making);
  await rename(making, folder).catch(() => rm(making, { recursive: true, force: true }));
  await removeOld(cache);
  return folder;
}

async function removeOld(cache: string): Promise<void> {
  const builds = (await readdir(cache)).filter((name) => /^[0-9a-f]{16}$/.test(name));
  const dated = await Promise.all(
    builds.map(async (name) => ({ name, time: (await stat(join(cache, name))).mtimeMs })),
  );
  const old = dated.sort((a, b) => b.time - a.time).slice(KEEP);
  await Promise.all(old.map(({ name }) => rm(join(cache, name), { recursive: true, force: true })));
}

async function fingerprint(sources: string[]): Promise<string> {
  const entries = await Array.fromAsync(glob(sources, { cwd: ROOT, withFileTypes: true }));
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const hash = createHash('sha256').update(process.version);
  for (const file of files.sort()) hash.update(`\0${file.slice(ROOT.length)}\0`).update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}
