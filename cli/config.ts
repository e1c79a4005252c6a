/** The configuration file: which server, and for each server who is logged in. It holds secrets: mode 0600. */
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as v from 'valibot';
import { UsageError } from './errors.ts';
import { note } from './output.ts';

const ServerEntrySchema = v.object({
  /** Address of the server's WebSocket. */
  socket: v.optional(v.string()),
  /** App token that `peal send` uses when none is given. */
  token: v.optional(v.string()),
  email: v.optional(v.string()),
  /** User key. */
  user: v.optional(v.string()),
  /** Session secret. */
  secret: v.optional(v.string()),
});

const ConfigSchema = v.object({
  /** Address of the server to use. */
  server: v.optional(v.string()),
  /** By server address, so that a secret or token never goes to another server than its own. */
  servers: v.optional(v.record(v.string(), ServerEntrySchema), {}),
});

export type ServerEntry = v.InferOutput<typeof ServerEntrySchema>;
export type Config = v.InferOutput<typeof ConfigSchema>;

/** Reads the configuration; an empty one if there is none. Throws UsageError if it cannot be read. */
export function loadConfig(file: string): Config {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
    warnIfOpen(file);
  } catch (error) {
    if (isMissing(error)) return { servers: {} };
    throw new UsageError(
      `cannot read ${file}: ${reasonOf(error)}`,
      'Check who may read it, or set PEAL_CONFIG.',
    );
  }
  try {
    return v.parse(ConfigSchema, JSON.parse(text));
  } catch (error) {
    throw new UsageError(
      `${file} is not a configuration of Peal: ${reasonOf(error)}`,
      'Correct it or delete it.',
    );
  }
}

/**
 * Changes the configuration on disk: reads it again, so that what another command has written meanwhile stays,
 * and replaces the file in one step. Throws UsageError if it cannot be written.
 */
export function updateConfig(file: string, change: (config: Config) => void): void {
  const config = loadConfig(file);
  change(config);
  const draft = `${file}.${process.pid}.new`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    rmSync(draft, { force: true });
    writeFileSync(draft, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600, flag: 'wx', flush: true });
    chmodSync(draft, 0o600);
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw new UsageError(
      `cannot write ${file}: ${reasonOf(error)}`,
      'Check who may write there, or set PEAL_CONFIG.',
    );
  }
}

/** The entry of one server, made if there is none, to be changed. */
export function entryOf(config: Config, server: string): ServerEntry {
  const entry = config.servers[server] ?? {};
  config.servers[server] = entry;
  return entry;
}

/** Others can read the secrets: say so, as ssh does. Windows has no such modes. */
export function warnIfOpen(file: string): void {
  if (process.platform === 'win32') return;
  if ((statSync(file).mode & 0o077) !== 0) note(`peal: others can read ${file}, run: chmod 600 '${file}'`);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
