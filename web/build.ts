/** Builds the browser client: the app, then the service worker, which knows the app's files by name. */
import { createHash } from 'node:crypto';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type InlineConfig } from 'vite';
import { ThirdParty } from './third-party.ts';
import config from './vite.config.ts';

/**
 * @param outdir where to; it is emptied first
 * @example
 * await buildWeb('.build/web/now');
 */
export async function buildWeb(outdir: string): Promise<void> {
  const thirdParty = new ThirdParty();
  const plugins = [thirdParty.plugin()];
  const common: InlineConfig = { ...config, plugins, configFile: false, logLevel: 'warn' };
  await build({ ...common, build: { ...config.build, outDir: outdir, emptyOutDir: true } });
  const shell = globSync('**/*.*', { cwd: outdir }).sort();
  const hash = createHash('sha256');
  for (const file of shell) hash.update(readFileSync(join(outdir, file)));
  await build({
    ...common,
    publicDir: false,
    define: {
      // The page itself is asked for under its address.
      SHELL_FILES: JSON.stringify(shell.map((file) => `/${file === 'index.html' ? '' : file}`)),
      SHELL_VERSION: JSON.stringify(hash.digest('hex').slice(0, 16)),
    },
    build: {
      ...config.build,
      outDir: outdir,
      emptyOutDir: false,
      // One file that imports nothing: a worker that has to fetch a part of itself cannot start offline.
      rollupOptions: {
        input: join(import.meta.dirname, 'src/worker/index.ts'),
        output: { format: 'iife', entryFileNames: 'sw.js' },
      },
    },
  });
  // No part of the shell: nobody needs it offline.
  writeFileSync(join(outdir, 'third-party.txt'), thirdParty.text());
}

if (import.meta.main)
  await buildWeb(process.argv[2] ?? join(import.meta.dirname, '..', '.build', 'web', 'now'));
