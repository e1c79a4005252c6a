/** Which packages are in what is deployed: in the functions' bundles and in the web app. */
import { globSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';

const ROOT = join(import.meta.dirname, '..', '..');

const FUNCTIONS: BuildOptions = {
  entryPoints: globSync('functions/*/index.ts', { cwd: ROOT }),
  platform: 'node',
  mainFields: ['module', 'main'],
};

const WEB: BuildOptions = {
  entryPoints: ['web/src/main.tsx', 'web/src/worker/index.ts'],
  platform: 'browser',
  mainFields: ['browser', 'module', 'main'],
  define: { SHELL_FILES: '[]', SHELL_VERSION: '""' },
};

/** Where each package is in use, by its place in the lock: names of functions, and `web`. */
export async function bundledPackages(): Promise<Map<string, Set<string>>> {
  const users = new Map<string, Set<string>>();
  for (const [options, user] of [
    [FUNCTIONS, (entry: string) => basename(dirname(entry))],
    [WEB, () => 'web'],
  ] as const) {
    const { metafile } = await build({
      absWorkingDir: ROOT,
      ...options,
      bundle: true,
      write: false,
      metafile: true,
      outdir: 'out',
      logLevel: 'error',
    });
    for (const { entryPoint, inputs } of Object.values(metafile.outputs)) {
      if (entryPoint === undefined) continue;
      for (const file of Object.keys(inputs)) {
        const place = placeOf(file);
        if (place === undefined) continue;
        const known = users.get(place) ?? new Set<string>();
        users.set(place, known.add(user(entryPoint)));
      }
    }
  }
  return users;
}

/** The place of the package that a file is of, as the lock names it; undefined for one of ours. */
export function placeOf(file: string): string | undefined {
  const at = file.lastIndexOf('node_modules/');
  if (at === -1) return undefined;
  const [scope, name] = file.slice(at + 'node_modules/'.length).split('/');
  return `${file.slice(0, at)}node_modules/${scope?.startsWith('@') ? `${scope}/${name}` : scope}`;
}
