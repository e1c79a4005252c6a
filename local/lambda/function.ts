/** A Lambda function on this machine: execution environments on demand, with Lambda's limits, errors and billing. */
import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { CloudLog, FunctionSpec, InvokeResult, LocalFunction, Meter } from '../types.ts';
import type { BootOptions, Environment, Outcome } from './environment.ts';
import { ACCOUNT_CONCURRENCY, INIT_LIMIT, PAYLOAD_LIMIT } from './limits.ts';
import type { LogLine } from './protocol.ts';
import { createSpares, type Spares } from './spares.ts';
import { startVariables, variablesOf } from './variables.ts';

export interface FunctionOptions {
  log: CloudLog;
  meter: Meter;
  /** Variables besides the template's: AWS endpoints, credentials, the local network. */
  environment?: Record<string, string>;
  /** Modules to `--import` before the bundle. */
  preload?: readonly string[];
  execArgv?: readonly string[];
  /** Processes started ahead; by default the function keeps one of its own. */
  spares?: Spares;
  /** Stop idle environments, as Lambda does. Default false. */
  freeze?: boolean;
  /** Milliseconds after which an unused environment is given up. Default 5 min. */
  idle?: number;
  /**
   * Processes this machine bears for the function; further invocations wait, which they would not on AWS. Default: one
   * for each core, at least 2. More only start to take turns.
   */
  maxEnvironments?: number;
}

/** What this implementation offers besides invoking. */
export interface LambdaFunction extends LocalFunction {
  /** The last 1,000 lines that the function logged, oldest first. */
  readonly logs: readonly LogLine[];
  /** Process ids of the environments that exist now. */
  environments(): number[];
}

interface Idle {
  environment: Environment;
  timer: NodeJS.Timeout;
}

const KEPT_LINES = 1000;
const IDLE = 5 * 60_000;
export const MAX_ENVIRONMENTS = Math.max(2, availableParallelism());

type Failure = NonNullable<InvokeResult['error']>;

function describeFailure(requestId: string, outcome: Outcome): Failure {
  if (outcome.kind === 'fault') return { type: outcome.fault.errorType, message: outcome.fault.errorMessage };
  const reason = outcome.kind === 'exit' ? outcome.reason : 'exit status 0';
  const message =
    reason === 'exit status 0'
      ? 'Runtime exited without providing a reason'
      : `Runtime exited with error: ${reason}`;
  return { type: 'Runtime.ExitError', message: `RequestId: ${requestId} Error: ${message}` };
}

/** Makes a function invocable. Nothing runs until the first invocation, except a process started ahead. */
export function createFunction(spec: FunctionSpec, options: FunctionOptions): LambdaFunction {
  const { log, meter, freeze = false, idle: idleTime = IDLE, maxEnvironments = MAX_ENVIRONMENTS } = options;
  const variables = variablesOf(spec, options.environment ?? {});
  const bootOptions: BootOptions = {
    preload: options.preload ?? [],
    execArgv: options.execArgv ?? [],
    memory: spec.memory,
    environment: startVariables(variables),
  };
  const ownSpares = options.spares === undefined ? createSpares() : undefined;
  const spares = options.spares ?? (ownSpares as Spares);
  const concurrency = spec.reservedConcurrency ?? ACCOUNT_CONCURRENCY;
  const all = new Set<Environment>();
  const idle: Idle[] = [];
  const waiting: (() => void)[] = [];
  const logs: LogLine[] = [];
  let inFlight = 0;
  let closed = false;

  function keepLine(line: LogLine): void {
    if (logs.length === KEPT_LINES) logs.shift();
    logs.push(line);
    const { timestamp: _, level: given, requestId, message, bytes: __, _aws: ___, ...fields } = line;
    const level = given.toLowerCase();
    const known = level === 'debug' || level === 'warn' || level === 'error' ? level : 'info';
    const text = typeof message === 'string' ? message : JSON.stringify(message ?? line);
    log(known, text, { function: spec.name, requestId, ...fields });
  }

  /** What Lambda's own side has to say about an invocation. */
  function complain(requestId: string, message: string): void {
    // What the end of the cloud cut off has not failed.
    if (closed) return;
    keepLine({ timestamp: new Date().toISOString(), level: 'ERROR', requestId, message });
  }

  function forget(environment: Environment): void {
    all.delete(environment);
    const at = idle.findIndex((item) => item.environment === environment);
    if (at >= 0) clearTimeout(idle.splice(at, 1)[0]?.timer);
    waiting.shift()?.();
  }

  /** The environment used last comes first: it is the warmest, and the others can be given up. */
  function takeIdle(): Environment | undefined {
    for (let item = idle.pop(); item !== undefined; item = idle.pop()) {
      clearTimeout(item.timer);
      if (item.environment.dead) continue;
      if (freeze) item.environment.thaw();
      return item.environment;
    }
    return undefined;
  }

  function giveBack(environment: Environment): void {
    if (environment.dead) return;
    if (closed) {
      environment.kill();
      return;
    }
    const timer = setTimeout(() => environment.kill(), idleTime).unref();
    if (freeze && waiting.length === 0) environment.freeze();
    idle.push({ environment, timer });
    waiting.shift()?.();
  }

  async function startEnvironment(): Promise<{ environment: Environment; fault?: Outcome; took: number }> {
    const environment = spares.take(bootOptions);
    all.add(environment);
    void environment.gone.then(() => forget(environment));
    const started = performance.now();
    const limit = setTimeout(() => environment.kill(), INIT_LIMIT + spec.timeout * 1000);
    const { codeDir, handler } = spec;
    const outcome = await environment.init(
      { kind: 'init', environment: variables, codeDir, handler },
      keepLine,
    );
    clearTimeout(limit);
    const took = performance.now() - started;
    meter.count(spec.name, 'lambda.coldstarts', 1);
    log('debug', `${spec.name}: cold start in ${took.toFixed(0)} ms`, { function: spec.name });
    return outcome.kind === 'ready' ? { environment, took } : { environment, took, fault: outcome };
  }

  async function acquire(): Promise<{ environment: Environment; fault?: Outcome; took: number }> {
    for (;;) {
      const environment = takeIdle();
      if (environment !== undefined) return { environment, took: 0 };
      if (all.size < maxEnvironments || closed) return startEnvironment();
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  }

  function bill(requestId: string, milliseconds: number): { duration: number; requestId: string } {
    const duration = Math.max(1, Math.ceil(milliseconds));
    meter.count(spec.name, 'lambda.requests', 1);
    meter.count(spec.name, 'lambda.gbms', (duration * spec.memory) / 1024);
    return { duration, requestId };
  }

  /** Runs the handler and answers within the timeout, whatever the handler does. */
  async function run(
    environment: Environment,
    requestId: string,
    event: string,
  ): Promise<Outcome | 'timeout'> {
    const limit = spec.timeout * 1000;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'timeout'>((resolve) => {
      timer = setTimeout(resolve, limit, 'timeout');
    });
    const deadline = Date.now() + limit;
    const message = { requestId, event, deadline, functionArn: spec.arn, limit: PAYLOAD_LIMIT };
    const outcome = await Promise.race([environment.invoke({ kind: 'invoke', ...message }), late]);
    clearTimeout(timer);
    return outcome;
  }

  async function execute(requestId: string, event: string): Promise<InvokeResult> {
    const { environment, fault, took } = await acquire();
    // Loading is billed like running (AWS Lambda pricing since August 2025).
    if (fault !== undefined) {
      environment.kill();
      const error = describeFailure(requestId, fault);
      complain(requestId, `${error.type}: ${error.message}`);
      return { ...bill(requestId, took), error };
    }
    const started = performance.now();
    const outcome = await run(environment, requestId, event);
    // Only now, so that starting the next process does not slow this invocation down.
    if (took > 0 && !closed) spares.refill(bootOptions);
    const billed = bill(requestId, took + performance.now() - started);
    if (outcome === 'timeout') {
      environment.kill();
      const message = `${new Date().toISOString()} ${requestId} Task timed out after ${spec.timeout.toFixed(2)} seconds`;
      complain(requestId, message);
      return { ...billed, error: { type: 'Sandbox.Timedout', message } };
    }
    giveBack(environment);
    if (outcome.kind === 'done') {
      return outcome.payload === undefined ? billed : { ...billed, payload: JSON.parse(outcome.payload) };
    }
    const error = describeFailure(requestId, outcome);
    if (outcome.kind === 'exit') complain(requestId, error.message);
    return { ...billed, error };
  }

  /** Why an invocation is refused before anything runs; such invocations are not billed. */
  function refusal(event: string | undefined): Failure | undefined {
    if (closed) return { type: 'ServiceException', message: `The function ${spec.name} is closed.` };
    if (event === undefined) {
      return { type: 'InvalidRequestContentException', message: 'Could not parse request body into json.' };
    }
    if (Buffer.byteLength(event) > PAYLOAD_LIMIT) {
      const message = `Request must be smaller than ${PAYLOAD_LIMIT} bytes for the InvokeFunction operation`;
      return { type: 'RequestEntityTooLarge', message };
    }
    if (inFlight >= concurrency) {
      log('warn', `${spec.name}: throttled at a concurrency of ${concurrency}`, { function: spec.name });
      meter.count(spec.name, 'lambda.throttles', 1);
      return { type: 'TooManyRequestsException', message: 'Rate Exceeded.' };
    }
    return undefined;
  }

  if (concurrency > 0) spares.refill(bootOptions);

  return {
    spec,
    logs,
    environments: () => [...all].flatMap((environment) => environment.pid ?? []),
    async invoke(event) {
      const requestId = randomUUID();
      const text = toJson(event);
      const refused = refusal(text);
      if (refused !== undefined) return { error: refused, duration: 0, requestId };
      inFlight += 1;
      try {
        return await execute(requestId, text as string);
      } finally {
        inFlight -= 1;
      }
    },
    kill() {
      for (const environment of all) environment.kill();
    },
    async close() {
      closed = true;
      for (const environment of all) environment.kill();
      for (const resume of waiting.splice(0)) resume();
      await Promise.all([...all].map((environment) => environment.gone));
      await ownSpares?.close();
    },
  };
}

/** JSON text of an event; undefined when it has none (a cycle, a BigInt). No event at all is an empty object. */
function toJson(event: unknown): string | undefined {
  try {
    return JSON.stringify(event ?? {});
  } catch {
    return undefined;
  }
}
