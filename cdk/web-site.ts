import { builtOnce } from './built-once.ts';

/** What the browser client is made of. */
const SOURCES = ['web/**/*', 'lib/device/**/*.ts', 'lib/protocol/**/*.ts', 'package-lock.json'];

/**
 * The browser client, built.
 *
 * @returns its folder
 */
export function webSite(): Promise<string> {
  return builtOnce('web', SOURCES, async (folder) => {
    // Vite is only loaded where there is something to build.
    const { buildWeb } = await import('../web/build.ts');
    await buildWeb(folder);
  });
}
