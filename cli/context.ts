/** What every command works with: the server it speaks to, who is logged in there, and how it prints. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { createApi, type PealApi } from '../lib/device/api.ts';
import { type Config, loadConfig, type ServerEntry } from './config.ts';
import { UsageError } from './errors.ts';
import { explain } from './failures.ts';
import { type LocalState, readLocalState } from './local-state.ts';
import { note } from './output.ts';
import { configFile, dataFolder, surroundings } from './paths.ts';

/** Options that every command has; `addGlobalOptions` declares them. */
interface GlobalOptions {
  json?: boolean;
  server?: string;
  socket?: string;
  local?: boolean;
}

export interface Context {
  /** Results as one line of JSON. */
  json: boolean;
  configFile: string;
  dataFolder: string;
  config: Config;
  /** The running local cloud, with `--local`. */
  local: LocalState | undefined;
  /** The server's address. Throws UsageError if none is known. */
  server(): string;
  /** The address of its WebSocket. */
  socket(): string;
  /** What the configuration has for this server; nothing of it for another one. */
  entry(): ServerEntry;
  /** Calls the server, with the session's secret if one is given; rejects with a CliError for what can happen. */
  call<T>(use: (api: PealApi) => Promise<T>, secret?: string): Promise<T>;
}

/** Reads options, environment and configuration; the earlier wins. */
export function openContext(command: Command): Context {
  const options = command.optsWithGlobals<GlobalOptions>();
  const where = surroundings();
  const file = configFile(where);
  const config = loadConfig(file);
  const local = options.local ? readLocalState(process.cwd()) : undefined;
  const server = () => findServer(options, config, local);
  const entry = () => config.servers[server()] ?? {};
  return {
    json: options.json === true,
    configFile: file,
    dataFolder: dataFolder(where),
    config,
    local,
    server,
    entry,
    socket: () =>
      options.socket ??
      (process.env.PEAL_SOCKET || local?.socket || entry().socket || deriveSocket(server())),
    call: async (use, secret) => {
      try {
        return await use(createApi({ url: server(), secret }));
      } catch (error) {
        throw explain(error, server());
      }
    },
  };
}

/** Declares the options of `GlobalOptions` on the program. */
export function addGlobalOptions(program: Command): void {
  program
    .option('--json', 'print results as JSON, one value a line')
    .option('--server <url>', 'address of the Peal server (PEAL_SERVER, or: peal config set server URL)')
    .option(
      '--socket <url>',
      "address of the server's WebSocket (PEAL_SOCKET, or: peal config set socket URL)",
    )
    .option('--local', `use the local cloud that runs in this folder (${join('.local', 'state.json')})`);
}

function findServer(options: GlobalOptions, config: Config, local: LocalState | undefined): string {
  if (local && options.server) throw new UsageError('--local and --server exclude each other');
  const address = options.server ?? local?.api ?? (process.env.PEAL_SERVER || config.server);
  if (!address) {
    throw new UsageError(
      'no server is known',
      'Name it once: peal config set server https://…, or each time: --server, PEAL_SERVER, --local.',
    );
  }
  return normalizeServer(address);
}

let warned = false;

/**
 * An address as it is stored and compared: without `/1`, slashes, query and user. Throws UsageError if it is no
 * http address; warns when passwords would travel the network readable.
 */
export function normalizeServer(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new UsageError(
      `${address} is not an address of a server`,
      'It looks like https://peal.example.com.',
    );
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !warned) {
    warned = true;
    note(`peal: ${url.origin} is not encrypted, passwords and messages can be read on the way`);
  }
  return url.origin + url.pathname.replace(/(\/1)?\/*$/, '');
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** The local cloud has its WebSocket a port higher; elsewhere it is behind the same name. */
function deriveSocket(server: string): string {
  const url = new URL(server);
  if (isLoopback(url.hostname) && url.port !== '') return `ws://${url.hostname}:${Number(url.port) + 1}/push`;
  return `${url.protocol === 'https:' ? 'wss:' : 'ws:'}//${url.host}/push`;
}
