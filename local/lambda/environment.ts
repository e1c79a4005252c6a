/** One execution environment seen from outside: a child process that holds one function and runs it once at a time. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { cacheFolder, compilePreload } from '../network/preload.ts';
import type { FromEnvironment, InitMessage, InvokeMessage, LogLine, RuntimeFault } from './protocol.ts';

/** How a process is started; what it will run is told later. */
export interface BootOptions {
  /** Modules to `--import` first, for example the redirect of the local network. */
  preload: readonly string[];
  execArgv: readonly string[];
  /** MiB. */
  memory: number;
  /** Variables which node reads when it starts (TZ, NODE_OPTIONS, …) and those which a preload reads. */
  environment: Record<string, string>;
}

/** How an invocation, or the loading of the bundle, ended. */
export type Outcome =
  | { kind: 'ready' }
  | { kind: 'done'; payload?: string }
  | { kind: 'fault'; fault: RuntimeFault; fatal: boolean }
  | { kind: 'exit'; reason: string };

/** An execution environment. `boot` starts one; `init` makes it a function's. */
export interface Environment {
  readonly pid: number | undefined;
  readonly dead: boolean;
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>;
  init(message: InitMessage, onLog: (line: LogLine) => void): Promise<Outcome>;
  invoke(message: InvokeMessage): Promise<Outcome>;
  kill(): void;
  /** Stops the process, as Lambda does between invocations: no timer fires, no socket is read. */
  freeze(): void;
  thaw(): void;
}

let compiled: string | undefined;
const running = new Set<ChildProcess>();

// A frozen process would not notice that its parent has gone.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function start({ preload, execArgv, memory, environment }: BootOptions): ChildProcess {
  compiled ??= compilePreload(new URL('./bootstrap.ts', import.meta.url));
  // Lambda gives V8 what the memory size leaves after node's own needs, which is about a tenth.
  const flags = [`--max-old-space-size=${Math.floor(memory * 0.9)}`, ...execArgv];
  const imports = preload.flatMap((path) => ['--import', path]);
  const child = spawn(process.execPath, [...flags, ...imports, compiled], {
    env: { NODE_COMPILE_CACHE: join(cacheFolder, 'compiled'), ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  running.add(child);
  return child;
}

/** Starts a process that waits for a function. */
export function boot(options: BootOptions): Environment {
  const child = start(options);
  let pending: ((outcome: Outcome) => void) | undefined;
  let log: (line: LogLine) => void = () => {};
  let dead = false;
  let lastWords = '';

  const settle = (outcome: Outcome): void => {
    const resolve = pending;
    pending = undefined;
    resolve?.(outcome);
  };
  const gone = new Promise<void>((resolve) => {
    const end = (reason: string): void => {
      dead = true;
      running.delete(child);
      if (lastWords !== '') log({ timestamp: new Date().toISOString(), level: 'ERROR', message: lastWords });
      settle({ kind: 'exit', reason });
      resolve();
    };
    // Also of a signal that could not be sent. Both the first and any later one settle what is open.
    child.on('error', (error) => end(`could not be started: ${error.message}`));
    child.once('close', (code, signal) => end(exitReason(code, signal)));
  });
  child.on('message', (message: FromEnvironment) => {
    if (message.kind === 'log') log(message.line);
    else if (message.kind !== 'booted') {
      if (message.kind === 'fault' && message.fatal) dead = true;
      settle(message);
    }
  });
  // Only what node itself has to say arrives here, for example that the heap is exhausted.
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      lastWords = (lastWords + text).slice(-4096);
    });
    // What was not read is lost with the process, whose exit says the rest.
    stream?.on('error', () => {});
  }
  const ask = (message: InitMessage | InvokeMessage): Promise<Outcome> =>
    new Promise((resolve) => {
      if (dead || !child.connected) return resolve({ kind: 'exit', reason: 'exit status 1' });
      pending = resolve;
      // A process that dies while it is written to settles the question by its exit.
      child.send(message, () => {});
    });

  return {
    get pid() {
      return child.pid;
    },
    get dead() {
      return dead;
    },
    gone,
    init(message, onLog) {
      log = onLog;
      return ask(message);
    },
    invoke: ask,
    kill() {
      dead = true;
      child.kill('SIGKILL');
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
  };
}

/** Lambda's words for how a runtime ended. */
function exitReason(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === 'SIGKILL') return 'signal: killed';
  return signal === null ? `exit status ${code ?? 0}` : `signal: ${signal}`;
}
