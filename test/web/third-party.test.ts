import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { noticeOf, packageOf } from '../../web/third-party.ts';
import { usePeal } from '../support/peal.ts';

const peal = usePeal();

test('the web app comes with the notices of all that is in it, and names them', async () => {
  const response = await fetch(`${peal().web}/third-party.txt`);
  const text = await response.text();
  const page = await (await fetch(peal().web)).text();

  assert.equal(response.headers.get('content-type'), 'text/plain');
  for (const name of ['preact', '@preact/signals', 'dompurify', 'idb', 'tweetnacl', 'uqr']) {
    assert.match(text, new RegExp(`^${name} \\d`, 'm'));
  }
  assert.match(text, /Permission is hereby granted, free of charge/);
  assert.match(page, /<link rel="license" href="\/third-party.txt">/);
});

test('a package without a licence file fails the build', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'peal-package-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'package.json'), '{"name":"bare","version":"1.0.0"}');

  assert.throws(() => noticeOf(folder), /bare has no licence file/);
});

test('a module is of the package that it is in', () => {
  assert.equal(packageOf('/x/node_modules/a/node_modules/@b/c/d.js'), '/x/node_modules/a/node_modules/@b/c');
  assert.equal(packageOf('/x/node_modules/a/d.js'), '/x/node_modules/a');
  assert.equal(packageOf('/x/web/src/main.tsx'), undefined);
});
