/** Runs the real command line, with a configuration and a data folder of its own. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { entryOf, updateConfig } from '../../cli/config.ts';
import { openDevice } from '../../cli/listen/device.ts';
import { createApi, enrol, type Session } from '../../lib/device/index.ts';
import { EMAIL, FakeServer, USER } from './fake-server.ts';

const LAUNCHER = fileURLToPath(new URL('../../cli/peal.js', import.meta.url));
/** Compiled once for all commands of all tests; in the folder that is not checked in. */
const COMPILE_CACHE = fileURLToPath(new URL('../../.build/cli', import.meta.url));

export interface Result {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Where commands find the server. */
interface Address {
  url: string;
  socket: string;
}

/** A user's machine: a folder with configuration and data, gone after the test. */
export class Machine {
  readonly folder: string;
  /** Added to the environment of every command. */
  readonly env: Record<string, string> = {};
  readonly #server: Address;

  protected constructor(folder: string, server: Address) {
    this.folder = folder;
    this.#server = server;
  }

  /** A machine whose commands speak to the server at an address. */
  static async at(t: TestContext, server: Address): Promise<Machine> {
    return new Machine(await temporaryFolder(t), server);
  }

  get dataFolder(): string {
    return join(this.folder, 'data');
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
      PEAL_DATA: this.dataFolder,
      PEAL_SERVER: this.#server.url,
      PEAL_SOCKET: this.#server.socket,
      ...this.env,
    };
    const child = spawn(process.execPath, [LAUNCHER, ...args], { env, cwd: this.folder });
    // A command that has ended takes no more input.
    child.stdin.on('error', () => undefined);
    return child;
  }

  /** Leaves a session as `peal account login` does. */
  logIn({ email, user, secret }: Session & { email: string }): void {
    const { url } = this.#server;
    updateConfig(this.configFile, (config) => {
      config.server = url;
      Object.assign(entryOf(config, url), { email, user, secret });
    });
  }

  /** Leaves a registered device as `peal listen` does. @returns its id */
  async registerAs({ user, secret }: Session, name: string): Promise<string> {
    const { url } = this.#server;
    const session = { user, secret };
    const store = await openDevice({ server: () => url, dataFolder: this.dataFolder }, session);
    const { device } = await enrol(createApi({ url }), store, session, { name, platform: 'desktop' });
    await store.close();
    return device;
  }

  /** Waits until the device's journal has noted as shown all that it has stored. */
  async noted(): Promise<void> {
    const folder = join(this.dataFolder, 'devices');
    const [account = ''] = await readdir(folder);
    for (;;) {
      const journal = await readFile(join(folder, account, 'messages.jsonl'), 'utf8');
      const count = (op: string) => journal.split(`"op":"${op}"`).length - 1;
      if (count('shown') > 0 && count('shown') === count('add')) return;
      await new Promise(setImmediate);
    }
  }
}

/** A machine with a small server of its own, in the test's process. */
export class FakeMachine extends Machine {
  readonly server: FakeServer;

  private constructor(folder: string, server: FakeServer) {
    super(folder, server);
    this.server = server;
  }

  static async create(t: TestContext): Promise<FakeMachine> {
    const server = await FakeServer.start();
    t.after(() => server.stop());
    return new FakeMachine(await temporaryFolder(t), server);
  }

  /** Logs the server's user in. */
  logInUser(): Session {
    const session = { user: USER, secret: this.server.newSecret() };
    this.logIn({ email: EMAIL, ...session });
    return session;
  }

  /** Logs the server's user in, with a device. */
  async register(name: string): Promise<void> {
    await this.registerAs(this.logInUser(), name);
  }
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'peal-cli-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
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
