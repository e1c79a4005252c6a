/**
 * The inside of an execution environment: loads a bundle as Lambda's Node.js runtime does and runs one invocation at a
 * time. It runs as a child process, compiled by `compilePreload`, and imports built-in modules only.
 */
import { existsSync, readFileSync } from 'node:fs';
import Module, { createRequire, enableCompileCache, flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';
import type { FromEnvironment, InitMessage, InvokeMessage, RuntimeFault, ToEnvironment } from './protocol.ts';

type Handler = (event: unknown, context: unknown) => unknown;

/** Parts of node's module loader that its types leave out. */
interface Loader {
  _extensions: Record<string, (module: { _compile(code: string, file: string): void }, file: string) => void>;
  _nodeModulePaths(from: string): string[];
}

const channel = process.send?.bind(process);
let handler: Handler | undefined;
let current: string | undefined;

function send(message: FromEnvironment, sent?: () => void): void {
  channel?.(message, undefined, undefined, () => sent?.());
}

/** Any thrown value in the shape in which Lambda reports errors. */
function faultOf(thrown: unknown, type?: string): RuntimeFault {
  if (!(thrown instanceof Error)) {
    return { errorType: type ?? typeof thrown, errorMessage: format('%s', thrown), stackTrace: [] };
  }
  return {
    errorType: type ?? thrown.name,
    errorMessage: type === undefined ? thrown.message : `${thrown.name}: ${thrown.message}`,
    stackTrace: (thrown.stack ?? '').split('\n'),
  };
}

/** Ends the environment as Lambda's runtime does, once the reason is on its way. */
function die(fault: RuntimeFault, code: number): void {
  handler = undefined;
  send({ kind: 'fault', fault, fatal: true }, () => process.exit(code));
}

function log(level: string, message: unknown, more: Record<string, unknown> = {}): void {
  const line = { timestamp: new Date().toISOString(), level, message, ...more };
  send({ kind: 'log', line: current === undefined ? line : { ...line, requestId: current } });
}

/** Replaces the console as the runtime does: one JSON line a call, errors with their type and stack. */
function takeConsole(): void {
  const levels = {
    trace: 'TRACE',
    debug: 'DEBUG',
    info: 'INFO',
    log: 'INFO',
    warn: 'WARN',
    error: 'ERROR',
  } as const;
  for (const [method, level] of Object.entries(levels)) {
    console[method as keyof typeof levels] = (...args: unknown[]) => {
      const error = args.find((arg) => arg instanceof Error);
      log(level, format(...args), error === undefined ? {} : { ...faultOf(error) });
    };
  }
}

/** What a function writes past the console (a logger of its own) is a line too; JSON lines keep their fields. */
function takeStream(stream: NodeJS.WriteStream, level: string): void {
  let rest = '';
  const write = (chunk: string | Uint8Array, ...more: unknown[]): boolean => {
    rest += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) writeLine(line, level);
    const done = more.find((item) => typeof item === 'function') as (() => void) | undefined;
    done?.();
    return true;
  };
  stream.write = write as typeof stream.write;
}

function writeLine(text: string, level: string): void {
  if (text === '') return;
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
      const own = parsed as { level?: unknown; message?: unknown };
      const bytes = Buffer.byteLength(text);
      log(typeof own.level === 'string' ? own.level : level, own.message, { ...parsed, bytes });
      return;
    }
  } catch {
    // Not JSON: plain text, which is logged as it is.
  }
  log(level, text);
}

/**
 * Makes the bundle's folder the whole world, as `/var/task` is: a module that the bundle lacks must not be found in a
 * `node_modules` above it, and a `package.json` above it must not decide that the bundle is an ES module.
 */
function confine(codeDir: string): void {
  const loader = Module as unknown as Loader;
  const paths = loader._nodeModulePaths;
  loader._nodeModulePaths = (from) => paths(from).filter((path) => path.startsWith(codeDir));
  loader._extensions['.js'] = (module, file) => module._compile(readFileSync(file, 'utf8'), file);
}

async function loadBundle(codeDir: string, file: string): Promise<Record<string, unknown>> {
  const base = join(codeDir, file);
  const found = ['.js', '.cjs', '.mjs'].map((suffix) => base + suffix).find((path) => existsSync(path));
  if (found === undefined)
    throw Object.assign(new Error(`Cannot find module '${file}'`), { code: 'MODULE_NOT_FOUND' });
  if (found.endsWith('.mjs')) return import(pathToFileURL(found).href);
  return createRequire(base)(found);
}

async function loadHandler({ codeDir, handler: name }: InitMessage): Promise<Handler> {
  const dot = name.lastIndexOf('.');
  const bundle = await loadBundle(codeDir, name.slice(0, dot));
  const found = bundle[name.slice(dot + 1)];
  if (typeof found !== 'function') {
    throw Object.assign(new Error(`${name} is undefined or not exported`), { code: 'HANDLER' });
  }
  return found as Handler;
}

/** Lambda's names for what can go wrong while loading; anything else keeps its own. */
function initFault(error: unknown): RuntimeFault {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (code === 'HANDLER') return { ...faultOf(error), errorType: 'Runtime.HandlerNotFound' };
  if (code === 'MODULE_NOT_FOUND') return faultOf(error, 'Runtime.ImportModuleError');
  if (error instanceof SyntaxError) return faultOf(error, 'Runtime.UserCodeSyntaxError');
  return faultOf(error);
}

async function init(message: InitMessage): Promise<void> {
  for (const name of Object.keys(process.env)) if (!(name in message.environment)) delete process.env[name];
  Object.assign(process.env, message.environment);
  process.chdir(message.codeDir);
  confine(message.codeDir);
  try {
    handler = await loadHandler(message);
  } catch (error) {
    die(initFault(error), 1);
    return;
  }
  // Written now because an environment is killed, never ended: there is no later moment.
  send({ kind: 'ready' }, () => flushCompileCache());
}

function contextOf({ requestId, deadline, functionArn }: InvokeMessage): Record<string, unknown> {
  const { env } = process;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: '$LATEST',
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    invokedFunctionArn: functionArn,
    awsRequestId: requestId,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

async function invoke(message: InvokeMessage): Promise<void> {
  current = message.requestId;
  try {
    const result = await handler?.(JSON.parse(message.event), contextOf(message));
    const payload = JSON.stringify(result);
    const size = payload === undefined ? 0 : Buffer.byteLength(payload);
    if (size > message.limit) {
      const errorMessage = `Response payload size (${size} bytes) exceeded maximum allowed payload size (${message.limit} bytes).`;
      const fault = { errorType: 'Function.ResponseSizeTooLarge', errorMessage, stackTrace: [] };
      return send({ kind: 'fault', fault, fatal: false });
    }
    if (handler === undefined) return;
    send({ kind: 'done', requestId: message.requestId, ...(payload === undefined ? {} : { payload }) });
  } catch (error) {
    const fault = faultOf(error);
    log('ERROR', fault);
    send({ kind: 'fault', fault, fatal: false });
  }
}

const compileCache = process.env.NODE_COMPILE_CACHE;
if (compileCache !== undefined) enableCompileCache(compileCache);
Object.assign(process, { send: undefined });
takeConsole();
takeStream(process.stdout, 'INFO');
takeStream(process.stderr, 'ERROR');
process.on('uncaughtException', (error) => die(faultOf(error), 129));
process.on('unhandledRejection', (reason) => die(faultOf(reason, 'Runtime.UnhandledPromiseRejection'), 128));
process.on('disconnect', () => process.exit());
process.on('message', (message: ToEnvironment) => {
  if (message.kind === 'init') void init(message);
  else void invoke(message);
});
send({ kind: 'booted' });
