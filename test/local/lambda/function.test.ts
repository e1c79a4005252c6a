import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFunction } from '../../../local/lambda/function.ts';
import { PAYLOAD_LIMIT } from '../../../local/lambda/limits.ts';
import { createSpares } from '../../../local/lambda/spares.ts';
import { redirectEnvironment, redirectPreload } from '../../../local/network/preload.ts';
import { createLog, createMeter, functionOf, specOf, temporaryFolder } from './support.ts';

const ECHO = 'exports.handler = async (event) => event;';

test('answers what the handler returns, synchronous or not', async (t) => {
  const later = functionOf(t, ECHO);
  const atOnce = functionOf(t, 'exports.handler = () => ({ ok: true });');
  const nothing = functionOf(t, 'exports.handler = async () => {};');

  const results = await Promise.all([later.invoke({ a: [1, 'ü'] }), atOnce.invoke({}), nothing.invoke({})]);

  assert.deepEqual(results[0]?.payload, { a: [1, 'ü'] });
  assert.deepEqual(results[1]?.payload, { ok: true });
  assert.equal('payload' in results[2], false);
  assert.equal(results[2]?.error, undefined);
});

test('gives the handler the context that Lambda gives', async (t) => {
  const source = `exports.handler = async (event, context) =>
    ({ ...context, remaining: context.getRemainingTimeInMillis() });`;
  const made = functionOf(t, source, { timeout: 7 });

  const { payload, requestId } = await made.invoke({});

  const context = payload as Record<string, unknown>;
  assert.equal(context.awsRequestId, requestId);
  assert.equal(context.functionName, 'echo');
  assert.equal(context.memoryLimitInMB, '256');
  assert.equal(context.logGroupName, '/aws/lambda/echo');
  assert.equal(context.invokedFunctionArn, made.spec.arn);
  assert.ok(Number(context.remaining) > 6000 && Number(context.remaining) <= 7000);
});

test('shows the function its own variables and Lambda’s, and nothing of the parent’s', async (t) => {
  process.env.PARENT_ONLY = 'x';
  t.after(() => delete process.env.PARENT_ONLY);
  const source =
    'exports.handler = async () => ({ ...process.env, cwd: process.cwd(), send: typeof process.send });';
  const made = functionOf(
    t,
    source,
    { environment: { TABLE: 'messages' } },
    { environment: { AWS_ENDPOINT_URL: 'u' } },
  );

  const env = (await made.invoke({})).payload as Record<string, string>;

  assert.equal(env.TABLE, 'messages');
  assert.equal(env.AWS_ENDPOINT_URL, 'u');
  assert.equal(env.AWS_LAMBDA_FUNCTION_NAME, 'echo');
  assert.equal(env.AWS_REGION, 'us-east-1');
  assert.equal(env.LAMBDA_TASK_ROOT, env.cwd);
  assert.equal(env.TZ, ':UTC');
  assert.equal(env.PARENT_ONLY, undefined);
  assert.equal(env.NODE_COMPILE_CACHE, undefined);
  assert.equal(env.send, 'undefined');
});

test('reuses a warm environment and keeps its state', async (t) => {
  const made = functionOf(t, 'let calls = 0; exports.handler = async () => [process.pid, ++calls];');

  const first = await made.invoke({});
  const second = await made.invoke({});

  const [pid] = first.payload as [number, number];
  assert.deepEqual(second.payload, [pid, 2]);
});

test('runs concurrent invocations in environments of their own', async (t) => {
  const meter = createMeter();
  const made = functionOf(
    t,
    'exports.handler = async (wait) => { await new Promise((r) => setTimeout(r, 200)); return process.pid; };',
    {},
    { meter },
  );

  const results = await Promise.all([made.invoke({}), made.invoke({})]);

  assert.equal(new Set(results.map((result) => result.payload)).size, 2);
  assert.equal(meter.read().echo?.['lambda.coldstarts'], 2);
});

test('makes invocations wait when the machine’s own bound on processes is reached', async (t) => {
  const made = functionOf(t, 'exports.handler = async () => process.pid;', {}, { maxEnvironments: 1 });

  const results = await Promise.all([made.invoke({}), made.invoke({}), made.invoke({})]);

  assert.equal(new Set(results.map((result) => result.payload)).size, 1);
});

test('throttles beyond the reserved concurrency and recovers', async (t) => {
  const made = functionOf(t, ECHO, { reservedConcurrency: 1 });

  const results = await Promise.all([made.invoke({ n: 1 }), made.invoke({ n: 2 })]);
  const after = await made.invoke({ n: 3 });

  assert.deepEqual(results[0]?.payload, { n: 1 });
  assert.deepEqual(results[1]?.error, { type: 'TooManyRequestsException', message: 'Rate Exceeded.' });
  assert.deepEqual(after.payload, { n: 3 });
});

test('never runs a function with no concurrency at all', async (t) => {
  const made = functionOf(t, ECHO, { reservedConcurrency: 0 });

  const { error } = await made.invoke({});

  assert.equal(error?.type, 'TooManyRequestsException');
});

test('reports what the handler throws as Lambda does, and stays warm', async (t) => {
  const source = `class Broken extends Error { name = 'Broken' }
    exports.handler = async ({ how }) => {
      if (how === 'error') throw new Broken('no luck');
      if (how === 'string') throw 'plain';
      return process.pid;
    };`;
  const made = functionOf(t, source);

  const pid = (await made.invoke({})).payload;
  const error = await made.invoke({ how: 'error' });
  const text = await made.invoke({ how: 'string' });
  const after = await made.invoke({});

  assert.deepEqual(error.error, { type: 'Broken', message: 'no luck' });
  assert.deepEqual(text.error, { type: 'string', message: 'plain' });
  assert.equal(after.payload, pid);
  const line = made.logs.find((candidate) => candidate.requestId === error.requestId);
  assert.equal(line?.level, 'ERROR');
  assert.ok(
    (line?.message as { stackTrace: string[] } | undefined)?.stackTrace.some((at) => at.includes('index.js')),
  );
});

test('kills a handler that takes too long and names the timeout', async (t) => {
  const made = functionOf(
    t,
    'exports.handler = async ({ spin }) => { while (spin) {} return process.pid; };',
    {
      timeout: 0.5,
    },
  );
  const pid = (await made.invoke({})).payload;

  const late = await made.invoke({ spin: true });
  const after = await made.invoke({});

  assert.equal(late.error?.type, 'Sandbox.Timedout');
  assert.match(late.error?.message ?? '', /^\d{4}-\S+Z [0-9a-f-]{36} Task timed out after 0\.50 seconds$/);
  assert.ok(late.duration >= 500);
  assert.notEqual(after.payload, pid);
});

test('reports a process that ends as Runtime.ExitError', async (t) => {
  const made = functionOf(t, 'exports.handler = async ({ code }) => process.exit(code);');

  const bad = await made.invoke({ code: 3 });
  const good = await made.invoke({ code: 0 });

  assert.equal(bad.error?.type, 'Runtime.ExitError');
  assert.match(bad.error?.message ?? '', /^RequestId: \S+ Error: Runtime exited with error: exit status 3$/);
  assert.match(good.error?.message ?? '', /Runtime exited without providing a reason$/);
});

test('takes an unhandled rejection and an uncaught exception for a crash', async (t) => {
  const source = `exports.handler = async ({ how }) => {
      if (how === 'reject') Promise.reject(new Error('lost'));
      if (how === 'throw') setImmediate(() => { throw new TypeError('thrown'); });
      if (how) await new Promise((resolve) => setTimeout(resolve, 1000));
      return process.pid;
    };`;
  const made = functionOf(t, source);
  const pid = (await made.invoke({})).payload;

  const rejected = await made.invoke({ how: 'reject' });
  const thrown = await made.invoke({ how: 'throw' });
  const after = await made.invoke({});

  assert.deepEqual(rejected.error, { type: 'Runtime.UnhandledPromiseRejection', message: 'Error: lost' });
  assert.deepEqual(thrown.error, { type: 'TypeError', message: 'thrown' });
  assert.notEqual(after.payload, pid);
});

test('ends a running invocation when it is killed', async (t) => {
  const log = createLog();
  const made = functionOf(
    t,
    'exports.handler = async () => { console.log("running"); await new Promise(() => setInterval(() => {}, 1000)); };',
    {},
    {
      log: (level, message) => {
        log(level, message);
        if (message === 'running') made.kill();
      },
    },
  );

  const { error } = await made.invoke({});

  assert.equal(error?.type, 'Runtime.ExitError');
  assert.match(error?.message ?? '', /signal: killed$/);
});

for (const [what, source, handler, type] of [
  ['a bundle that lacks its file', ECHO, 'other.handler', 'Runtime.ImportModuleError'],
  ['a handler that is not exported', 'exports.other = 1;', 'index.handler', 'Runtime.HandlerNotFound'],
  ['a bundle with a syntax error', 'exports.handler = (;', 'index.handler', 'Runtime.UserCodeSyntaxError'],
  ['a bundle that throws while loading', 'throw new RangeError("no");', 'index.handler', 'RangeError'],
  ['a module that was not bundled', 'require("hono");', 'index.handler', 'Runtime.ImportModuleError'],
] as const) {
  test(`names ${what}`, async (t) => {
    const made = functionOf(t, source, { handler });

    const { error } = await made.invoke({});

    assert.equal(error?.type, type);
  });
}

test('finds nothing outside the bundle’s folder, whatever lies above it', async (t) => {
  const above = temporaryFolder(t);
  writeFileSync(join(above, 'package.json'), '{"type":"module"}');
  mkdirSync(join(above, 'node_modules', 'stray'), { recursive: true });
  writeFileSync(join(above, 'node_modules', 'stray', 'index.js'), 'module.exports = 1;');
  mkdirSync(join(above, 'code'));
  const source = `let found = 'nothing';
    try { found = require('stray'); } catch (error) { found = error.code; }
    exports.handler = async () => found;`;
  writeFileSync(join(above, 'code', 'index.js'), source);
  const made = createFunction(specOf(join(above, 'code')), { log: createLog(), meter: createMeter() });
  t.after(() => made.close());

  const { payload, error } = await made.invoke({});

  assert.equal(error, undefined);
  assert.equal(payload, 'MODULE_NOT_FOUND');
});

test('takes a payload of exactly 6 MiB and refuses one byte more, in both directions', async (t) => {
  const made = functionOf(
    t,
    'exports.handler = async (e) => typeof e === "number" ? "x".repeat(e) : e.length;',
  );
  const fits = PAYLOAD_LIMIT - 2;

  const taken = await made.invoke('x'.repeat(fits));
  const refused = await made.invoke('x'.repeat(fits + 1));
  const answered = await made.invoke(fits);
  const tooLong = await made.invoke(fits + 1);

  assert.equal(taken.payload, fits);
  assert.equal(refused.error?.type, 'RequestEntityTooLarge');
  assert.equal((answered.payload as string).length, fits);
  assert.equal(tooLong.error?.type, 'Function.ResponseSizeTooLarge');
});

test('logs the console and direct writes as JSON lines with the request id', async (t) => {
  const source = `exports.handler = async () => {
      console.log('stored %d', 3, { a: 1 });
      console.error('failed', new TypeError('bad'));
      process.stdout.write('plain line\\n');
      process.stdout.write(JSON.stringify({ level: 'WARN', message: 'own', extra: 1 }) + '\\n');
    };`;
  const log = createLog();
  const made = functionOf(t, source, {}, { log });

  const { requestId } = await made.invoke({});

  const lines = made.logs.map(({ level, message, requestId: id, extra, errorType }) => ({
    level,
    message,
    id,
    extra,
    errorType,
  }));
  assert.deepEqual(lines[0], {
    level: 'INFO',
    message: 'stored 3 { a: 1 }',
    id: requestId,
    extra: undefined,
    errorType: undefined,
  });
  assert.equal(lines[1]?.level, 'ERROR');
  assert.equal(lines[1]?.errorType, 'TypeError');
  assert.equal(lines[2]?.message, 'plain line');
  assert.deepEqual(lines[3], {
    level: 'WARN',
    message: 'own',
    id: requestId,
    extra: 1,
    errorType: undefined,
  });
  assert.ok(log.lines.includes('warn own'));
});

test('meters requests, GB-milliseconds and cold starts', async (t) => {
  const meter = createMeter();
  const made = functionOf(t, ECHO, { memory: 512 }, { meter });

  const first = await made.invoke({});
  const second = await made.invoke({});

  const counted = meter.read().echo;
  assert.equal(counted?.['lambda.requests'], 2);
  assert.equal(counted?.['lambda.coldstarts'], 1);
  assert.equal(counted?.['lambda.gbms'], ((first.duration + second.duration) * 512) / 1024);
});

test('gives up an environment that is not used', async (t) => {
  const log = createLog();
  const made = functionOf(t, 'exports.handler = async () => process.pid;', {}, { idle: 1, log });

  const first = await made.invoke({});
  while (made.environments().length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const second = await made.invoke({});

  assert.notEqual(second.payload, first.payload);
});

test('freezes an idle environment, so that its timers stand still', async (t) => {
  const source = `let ticks = 0; setInterval(() => { ticks += 1; }, 5);
    exports.handler = async () => ({ ticks, pid: process.pid });`;
  const frozen = functionOf(t, source, {}, { freeze: true });
  const before = (await frozen.invoke({})).payload as { ticks: number; pid: number };

  await new Promise((resolve) => setTimeout(resolve, 200));
  const after = (await frozen.invoke({})).payload as { ticks: number; pid: number };

  assert.equal(after.pid, before.pid);
  // Forty would have passed; a few do, before the stop takes effect and after it has ended.
  assert.ok(after.ticks - before.ticks <= 15, `${after.ticks - before.ticks} ticks passed while frozen`);
});

test('lets functions share processes that were started ahead', async (t) => {
  const spares = createSpares();
  t.after(() => spares.close());
  const one = functionOf(
    t,
    'exports.handler = async () => [process.pid, process.env.WHO];',
    { environment: { WHO: 'one' } },
    { spares },
  );
  const two = functionOf(
    t,
    'exports.handler = async () => [process.pid, process.env.WHO];',
    { environment: { WHO: 'two' } },
    { spares },
  );

  const [first, second] = await Promise.all([one.invoke({}), two.invoke({})]);

  assert.equal((first.payload as unknown[])[1], 'one');
  assert.equal((second.payload as unknown[])[1], 'two');
  assert.notEqual((first.payload as unknown[])[0], (second.payload as unknown[])[0]);
});

test('leaves no process behind when it is closed, and refuses from then on', async (t) => {
  const made = functionOf(t, 'exports.handler = async () => process.pid;');
  const pid = (await made.invoke({})).payload as number;

  await made.close();
  const { error } = await made.invoke({});

  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  assert.equal(error?.type, 'ServiceException');
});

test('reports the exhausted heap of a function with little memory', async (t) => {
  const source =
    'exports.handler = async () => { const kept = []; for (;;) kept.push(new Array(1e5).fill(kept.length)); };';
  const made = functionOf(t, source, { memory: 128, timeout: 20 });

  const { error } = await made.invoke({});

  assert.equal(error?.type, 'Runtime.ExitError');
  assert.ok(made.logs.some(({ message }) => String(message).includes('heap out of memory')));
});

test('never rejects, not even for an event that is no JSON', async (t) => {
  const made = functionOf(t, ECHO);
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;

  const { error } = await made.invoke(cycle);

  assert.equal(error?.type, 'InvalidRequestContentException');
});

test('lets the function reach what the local network has, and nothing else', async (t) => {
  const server = createServer((_request, response) => response.end('stand-in')).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const source = `exports.handler = async (url) => {
    const { text, error } = await fetch(url).then(async (r) => ({ text: await r.text() }), (e) => ({ error: e.cause.message }));
    return text ?? error;
  };`;
  const environment = redirectEnvironment({ hosts: { 'carrier.example:80': port }, deny: true });
  const made = functionOf(t, source, {}, { preload: [redirectPreload()], environment });

  const known = await made.invoke('http://carrier.example/');
  const unknown = await made.invoke('http://169.254.169.254/latest/meta-data');

  assert.equal(known.payload, 'stand-in');
  assert.match(String(unknown.payload), /knows no host 169\.254\.169\.254:80/);
});

test('uses a process that was started ahead for the first invocation', async (t) => {
  const folder = temporaryFolder(t);
  const started = join(folder, 'started');
  const preload = join(folder, 'preload.mjs');
  writeFileSync(
    preload,
    `import { appendFileSync } from 'node:fs'; appendFileSync(${JSON.stringify(started)}, process.pid + ' ');`,
  );
  const made = functionOf(t, 'exports.handler = async () => process.pid;', {}, { preload: [preload] });
  // The file is there before its content is.
  while (!existsSync(started) || !readFileSync(started, 'utf8').includes(' '))
    await new Promise((resolve) => setTimeout(resolve, 5));
  const [ahead] = readFileSync(started, 'utf8').split(' ');

  const { payload } = await made.invoke({});

  assert.equal(payload, Number(ahead));
});
