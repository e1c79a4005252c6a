/** What the documents claim of the repository is there. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..', '..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

/** The last table is of clients, which one test replays: the sentence above it names that. */
const [features = ''] = read('docs/compatibility.md').split('## Clients');

/** Rows of the tables before: what, its state, and the tests or the difference. */
const rows = features
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
  .filter(([, , state]) => state && !/^(-+|State)$/.test(state))
  .map(([, what = '', state = '', rest = '']) => ({ what, state, rest }));

const testsIn = (text: string) => [...text.matchAll(/`([a-z0-9]+\/[a-z0-9.-]+)`/g)].map(([, name]) => name!);

test('a row of the compatibility table works, differs or is not there, and names tests that exist', () => {
  assert.ok(rows.length > 80);
  for (const { what, state, rest } of rows) {
    assert.match(state, /^(works|differs|not yet|ours)$/, what);
    for (const name of testsIn(rest)) {
      const folder = join(ROOT, 'test', name);
      assert.ok(existsSync(folder) || existsSync(`${folder}.test.ts`), `${what}: ${name}`);
    }
  }
});

test('no row of the compatibility table works without a test', () => {
  const unproved = rows.filter(({ state, rest }) => state === 'works' && testsIn(rest).length === 0);

  assert.deepEqual(unproved, []);
});

test('links between the documents lead somewhere', () => {
  const files = ['README.md', 'CHANGELOG.md', ...globSync('docs/**/*.md', { cwd: ROOT })];
  const broken = files.flatMap((file) =>
    [...read(file).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
      .map(([, target]) => target!)
      .filter((target) => !/^[a-z]+:/.test(target))
      .map((target) => join(ROOT, dirname(file), target))
      .filter((path) => !existsSync(path))
      .map((path) => `${file}: ${relative(ROOT, path)}`),
  );

  assert.deepEqual(broken, []);
});

test('scripts that the README names are there, and it names all', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const named = new Set(
    [...read('README.md').matchAll(/`npm (?:run )?([a-z-]+(?::[a-z-]+)?)/g)].map(([, name]) => name),
  );

  assert.deepEqual(
    Object.keys(scripts).filter((name) => !named.has(name)),
    [],
  );
  assert.deepEqual(
    [...named].filter((name) => name !== 'ci' && !(name! in scripts)),
    [],
  );
});
