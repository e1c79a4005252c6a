import { cpSync, existsSync, globSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { builtOnce } from './built-once.ts';

const ROOT = join(import.meta.dirname, '..');

/** The functions that are deployed: the folders in `functions/` with an `index.ts`. */
const FUNCTIONS = globSync('functions/*/index.ts', { cwd: ROOT }).map((file) => basename(dirname(file)));

/** Where the bundle of a function is. @throws Error if there is no such function */
export type Bundles = (name: string) => string;

/** What they are made of. */
const SOURCES = ['functions/**/*', 'lib/**/*.ts', 'cdk/bundles.ts', 'package.json', 'package-lock.json'];

/**
 * Bundles all functions in one call of esbuild, which takes a third of the time of one call each. CommonJS with
 * `module` preferred over `main` is smallest and loads fastest. A function's folder `assets` is copied beside its bundle
 * as it is: files that are read when they are asked for cost nothing at the start.
 *
 * @returns what gives the folder of a function's bundle, by its name
 */
export async function bundleFunctions(): Promise<Bundles> {
  const folder = await builtOnce('bundles', SOURCES, bundleInto);
  return (name) => {
    if (!FUNCTIONS.includes(name)) throw new Error(`there is no function ${name} in functions/`);
    return join(folder, name);
  };
}

async function bundleInto(outdir: string): Promise<void> {
  // Only loaded where there is something to bundle.
  const { build } = await import('esbuild');
  await build({
    absWorkingDir: ROOT,
    entryPoints: Object.fromEntries(FUNCTIONS.map((name) => [`${name}/index`, `functions/${name}/index.ts`])),
    outdir,
    bundle: true,
    minify: true,
    keepNames: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    mainFields: ['module', 'main'],
    // A CommonJS bundle has no `import.meta`; its folder is where the assets are.
    define: { 'import.meta.dirname': '__dirname' },
    legalComments: 'none',
    logLevel: 'error',
  });
  for (const name of FUNCTIONS) {
    mkdirSync(join(outdir, name), { recursive: true });
    // The repository's own package.json says "module"; a bundle says for itself what it is.
    writeFileSync(join(outdir, name, 'package.json'), '{"type":"commonjs"}\n');
    const assets = join(ROOT, 'functions', name, 'assets');
    if (existsSync(assets)) cpSync(assets, join(outdir, name, 'assets'), { recursive: true });
  }
}
