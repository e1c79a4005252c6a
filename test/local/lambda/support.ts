/** Builders for tests of the local cloud's edge: tiny bundles in temporary folders, a log and a meter that remember. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createFunction, type FunctionOptions, type LambdaFunction } from '../../../local/lambda/function.ts';
import type { CloudLog, FunctionSpec, InvokeResult, LocalFunction, Meter } from '../../../local/types.ts';

/** A folder that is removed when the test ends. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'peal-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function createMeter(): Meter {
  const counters: Record<string, Record<string, number>> = {};
  return {
    count(who, item, amount) {
      const own = counters[who] ?? {};
      counters[who] = { ...own, [item]: (own[item] ?? 0) + amount };
    },
    read: () => structuredClone(counters),
    reset() {
      for (const who of Object.keys(counters)) delete counters[who];
    },
  };
}

/** A log that keeps `level message` lines. */
export function createLog(): CloudLog & { lines: string[] } {
  const lines: string[] = [];
  return Object.assign(
    ((level, message) => {
      lines.push(`${level} ${message}`);
    }) satisfies CloudLog,
    { lines },
  );
}

export function specOf(codeDir: string, change: Partial<FunctionSpec> = {}): FunctionSpec {
  return {
    logicalId: 'Echo',
    stack: 'Test',
    name: 'echo',
    arn: 'arn:aws:lambda:us-east-1:000000000000:function:echo',
    codeDir,
    handler: 'index.handler',
    environment: {},
    timeout: 3,
    memory: 256,
    accessKeyId: 'AKIAECHO',
    roleArn: 'arn:aws:iam::000000000000:role/echo',
    ...change,
  };
}

/** A function whose bundle is this CommonJS source; closed when the test ends. */
export function functionOf(
  t: TestContext,
  source: string,
  change: Partial<FunctionSpec> = {},
  options: Partial<FunctionOptions> = {},
): LambdaFunction {
  const codeDir = temporaryFolder(t);
  writeFileSync(join(codeDir, 'index.js'), source);
  const made = createFunction(specOf(codeDir, change), {
    log: createLog(),
    meter: createMeter(),
    ...options,
  });
  t.after(() => made.close());
  return made;
}

/** A function that runs in this process: for tests of what is in front of functions. */
export function inlineFunction(
  answer: (event: never) => Partial<InvokeResult> | Promise<Partial<InvokeResult>>,
): LocalFunction {
  return {
    spec: specOf('/'),
    invoke: async (event) => ({ duration: 1, requestId: 'r', ...(await answer(event as never)) }),
    kill() {},
    async close() {},
  };
}
