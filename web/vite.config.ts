import type { UserConfig } from 'vite';

export default {
  root: import.meta.dirname,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  // tweetnacl asks for node's crypto where there is no window; its own package.json turns that off for browsers.
  resolve: { mainFields: ['browser', 'module', 'main'] },
  build: {
    target: 'es2022',
    assetsDir: 'assets',
    // Files as they are: the policy allows no data: styles or scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
} satisfies UserConfig;
