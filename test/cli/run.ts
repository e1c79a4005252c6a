/** Runs the real command line, with a configuration and a data folder of its own. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FakeServer } from './fake-server.ts';

const LAUNCHER = fileURLToPath(new URL('../../cli/peal.js', import.meta.url));
/** Compiled once for all commands of all tests; in the folder that is not checked in. */
const COMPILE_CACHE = fileURLToPath(new URL('../../.build/cli', import.meta.url));

export interface Result {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A user's machine: a folder with configuration and data, and a server. All of it is gone after the test. */
export class Machine {
  readonly folder: string;
  readonly server: FakeServer;
  /** Added to the environment of every command. */
  readonly env: Record<string, string> = {};

  private constructor(folder: string, server: FakeServer) {
    this.folder = folder;
    this.server = server;
  }

  static async create(t: TestContext): Promise<Machine> {
    const server = await FakeServer.start();
    const machine = new Machine(await mkdtemp(join(tmpdir(), 'peal-cli-')), server);
    t.after(async () => {
      await server.stop();
      await rm(machine.folder, { recursive: true, force: true });
    });
    return machine;
  }

  get configFile(): string {
    return join(this.folder, 'config', 'config.json');
  }

  /** Runs a command to its end. */
  async run(args: string[], input = ''): Promise<Result> {
    const child = this.start(args);
    child.stdin.end(input);
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const code = child.exitCode ?? (child.signalCode ? null : (await once(child, 'exit'))[0]);
    return { code, stdout, stderr };
  }

  /** Starts a command and leaves it running. */
  start(args: string[]): ChildProcessWithoutNullStreams {
    const { PATH = '', HOME = '' } = process.env;
    const env = {
      PATH,
      HOME,
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      PEAL_CONFIG: this.configFile,
      PEAL_DATA: join(this.folder, 'data'),
      PEAL_SERVER: this.server.url,
      PEAL_SOCKET: this.server.socket,
      ...this.env,
    };
    const child = spawn(process.execPath, [LAUNCHER, ...args], { env, cwd: this.folder });
    // A command that has ended takes no more input.
    child.stdin.on('error', () => undefined);
    return child;
  }
}

/** The lines that a running command prints, to be awaited one by one. */
export class Lines {
  readonly #iterator: AsyncIterator<string>;

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#iterator = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** The next line; undefined at the end. */
  async next(): Promise<string | undefined> {
    const { done, value } = await this.#iterator.next();
    return done ? undefined : value;
  }
}

/** Sends a signal and waits for the end; answers the exit code, or null if the signal ended it. */
export async function end(
  child: ChildProcessWithoutNullStreams,
  signal: NodeJS.Signals,
): Promise<number | null> {
  const ended = once(child, 'exit');
  child.kill(signal);
  const [code] = await ended;
  return typeof code === 'number' ? code : null;
}
