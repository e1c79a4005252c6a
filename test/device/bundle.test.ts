import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** What a browser may have to load for the device side, minified and gzipped. Bytes. */
const BUDGET = 25_000;

test('the device library bundles for browsers without anything of Node, within its budget', async (t) => {
  const result = await build({
    entryPoints: [join(import.meta.dirname, '../../lib/device/index.ts')],
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    // tweetnacl asks for node's crypto where there is no window; its own package.json turns that off for browsers.
    mainFields: ['browser', 'module', 'main'],
    metafile: true,
    write: false,
    logLevel: 'silent',
  });

  const [output] = result.outputFiles;
  const gzipped = gzipSync(output?.contents ?? new Uint8Array()).length;
  const inputs = Object.keys(result.metafile.inputs);
  t.diagnostic(`minified ${output?.contents.length} bytes, gzipped ${gzipped} bytes`);
  assert.deepEqual(result.warnings, []);
  assert.deepEqual(
    Object.values(result.metafile.outputs).flatMap(({ imports }) => imports),
    [],
  );
  assert.deepEqual(
    inputs.filter((input) => /file-store|journal|file-lock|lib\/sealing/.test(input)),
    [],
  );
  assert.doesNotMatch(output?.text ?? '', /["']node:/);
  assert.ok(gzipped < BUDGET, `${gzipped} bytes gzipped`);
});
