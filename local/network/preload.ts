/** Turns a TypeScript file into JavaScript once, so that the processes that load it do not pay for that. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';
import type { NetworkRules } from './redirect.ts';

/** Where what is derived from the source is kept between runs. */
export const cacheFolder = fileURLToPath(new URL('../../node_modules/.cache/peal/', import.meta.url));

/**
 * The path of a `.mjs` that does what the TypeScript file at `source` does. The file may import built-in modules only.
 * Loading TypeScript costs a process 38 ms, which would be half of a cold start.
 */
export function compilePreload(source: URL): string {
  const code = readFileSync(source, 'utf8');
  const version = createHash('sha256').update(code).digest('hex').slice(0, 16);
  const target = join(cacheFolder, `${basename(source.pathname, '.ts')}-${version}.mjs`);
  if (existsSync(target)) return target;
  mkdirSync(cacheFolder, { recursive: true });
  // Renamed into place: another process may be loading the same file at this moment.
  const draft = `${target}.${process.pid}`;
  writeFileSync(draft, transformSync(code, { loader: 'ts', format: 'esm', target: 'node24' }).code);
  renameSync(draft, target);
  return target;
}

/** The path to give to `node --import` for a process that shall see the local network. */
export function redirectPreload(): string {
  return compilePreload(new URL('./redirect.ts', import.meta.url));
}

/** The environment which tells the preload what to redirect. */
export function redirectEnvironment(rules: NetworkRules): { LOCAL_NETWORK: string } {
  return { LOCAL_NETWORK: JSON.stringify(rules) };
}
