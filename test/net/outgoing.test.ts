/** The kind of fault: something in the product that calls out, and waits for as long as the other side likes. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..', '..');
const FILES = globSync(
  ['cdk/**/*.ts', 'cli/**/*.ts', 'functions/**/*.ts', 'lib/**/*.ts', 'web/src/**/*.ts'],
  {
    cwd: ROOT,
  },
).map((name) => ({ name, text: readFileSync(join(ROOT, name), 'utf8') }));

/** Every class of the SDK's packages that sends something: `SQSClient`, and `SQS`, which is one too. */
async function senders(): Promise<Set<string>> {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const found = new Set<string>();
  for (const name of Object.keys(dependencies).filter((one) => one.startsWith('@aws-sdk/client-'))) {
    for (const [key, value] of Object.entries((await import(name)) as Record<string, unknown>)) {
      if (typeof value === 'function' && typeof value.prototype?.send === 'function') found.add(key);
    }
  }
  return found;
}

test('every client of AWS comes from the one place that gives it limits', async () => {
  const classes = await senders();
  assert.ok(classes.has('SQSClient') && classes.has('DynamoDB'));
  const made = FILES.flatMap(({ name, text }) =>
    [...text.matchAll(/\bnew (\w+)\b/g)]
      .filter(([, one = '']) => classes.has(one) && text.includes('@aws-sdk/'))
      .map(([, one]) => `${name}: ${one}`),
  );

  assert.deepEqual(made, []);
});

/** What calls out without a limit of its own, and why that is right. */
const UNLIMITED: Record<string, string> = {
  'web/src/worker/shell.ts': 'the browser’s own request, passed on: its page ends it',
};

test('every fetch has a signal that ends it', () => {
  const calls = FILES.flatMap(({ name, text }) =>
    [...text.matchAll(/(?<![\w.'])(?:fetch|\(options\.fetch \?\? fetch\))\(/g)].map(({ index }) => ({
      name,
      // The call with its options: up to the end of its statement.
      call: text.slice(index, text.indexOf(';\n', index)),
    })),
  );
  const without = calls.filter(({ name, call }) => !call.includes('signal') && !(name in UNLIMITED));

  assert.ok(calls.length > 3);
  assert.deepEqual(without, []);
});
