import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeOf } from '../../scripts/dependencies/bundled.ts';
import { isAllowed } from '../../scripts/dependencies/licences.ts';
import { faultsOf, type LockEntry } from '../../scripts/dependencies/lock.ts';
import { signaturesOf } from '../../scripts/dependencies/signatures.ts';

const manifest = { dependencies: { one: '1.0.0' }, devDependencies: {}, allowScripts: { builds: true } };
const good: LockEntry = { version: '1.0.0', integrity: 'sha512-abc', license: 'MIT' };

const faults = (place: string, entry: LockEntry) =>
  faultsOf({ lockfileVersion: 3, packages: { '': {}, [place]: entry } }, manifest);

test('a lock with hashes of all packages, and without names of registries, is fine', () => {
  assert.deepEqual(faults('node_modules/one', good), []);
  assert.deepEqual(faults('node_modules/one/node_modules/inside', { version: '1.0.0', inBundle: true }), []);
  assert.deepEqual(faults('node_modules/@biomejs/cli-darwin-x64', { version: '2.6.8' }), []);
  assert.deepEqual(faults('node_modules/builds', { ...good, hasInstallScript: true }), []);
});

for (const [what, entry, says] of [
  ['without a hash', { version: '1.0.0' }, /has no sha512 hash/],
  ['with a weak hash', { ...good, integrity: 'sha1-abc' }, /has no sha512 hash/],
  [
    'from a repository',
    { ...good, version: 'git+ssh://git@example.org/one.git#1' },
    /no package of a registry/,
  ],
  ['that is a folder', { ...good, link: true }, /no package of a registry/],
  ['with an address', { ...good, resolved: 'https://registry.example/one.tgz' }, /names where it is from/],
  ['with an install script', { ...good, hasInstallScript: true }, /install script: decide in allowScripts/],
] as const) {
  test(`refuses a package ${what}`, () => {
    const [fault, ...more] = faults('node_modules/one', entry);

    assert.match(String(fault), says);
    assert.deepEqual(more, []);
  });
}

test('refuses a range of versions, and another form of lock', () => {
  const ranged = { ...manifest, dependencies: { one: '^1.0.0' } };

  const found = faultsOf({ lockfileVersion: 2, packages: {} }, ranged);

  assert.deepEqual(found, [
    'the lock file must be of version 3, not 2',
    'package.json must name one version of one, not ^1.0.0',
  ]);
});

test('licences: what asks for a notice is fine, what asks for source is not in what browsers are sent', () => {
  for (const id of ['MIT', '(MIT OR GPL-3.0-or-later)', 'MIT AND ISC', '(MPL-2.0 OR Apache-2.0)']) {
    assert.equal(isAllowed(id, 'sent'), true, id);
  }
  for (const id of [undefined, 'GPL-3.0', 'MPL-2.0', 'MIT AND GPL-3.0', 'SEE LICENSE IN LICENSE']) {
    assert.equal(isAllowed(id, 'sent'), false, id);
  }
  assert.equal(isAllowed('MPL-2.0', 'deployed'), true);
  assert.equal(isAllowed('AGPL-3.0-only', 'tool'), false);
});

test('a file is of the innermost package that it is in', () => {
  assert.equal(placeOf('node_modules/a/node_modules/@b/c/lib/d.js'), 'node_modules/a/node_modules/@b/c');
  assert.equal(placeOf('node_modules/a/index.js'), 'node_modules/a');
  assert.equal(placeOf('lib/http/answer.ts'), undefined);
});

test('a registry without signatures, or that does not answer, is no fault; a wrong signature is', () => {
  const ended = { status: 1, stdout: '', stderr: '' };

  const verdicts = [
    { ...ended, status: 0, stdout: 'audited 520 packages in 5s' },
    {
      ...ended,
      stderr: 'npm error found no dependencies to audit that were installed from a supported registry',
    },
    { ...ended, status: null },
    { ...ended, stdout: '1 package has an invalid registry signature:' },
  ].map((end) => signaturesOf(end).verdict);

  assert.deepEqual(verdicts, ['right', 'unknown', 'unknown', 'wrong']);
});
