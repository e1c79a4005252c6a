/** Runs an unmodified client of Pushover in a process of its own, which takes the local API for api.pushover.net. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { redirectEnvironment, redirectPreload } from '../../local/network/preload.ts';
import type { NetworkRules } from '../../local/network/redirect.ts';

/** What the client said of its call, in its own words. */
export type ClientReport = { succeeded: unknown } | { failed: unknown };

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Milliseconds: a client that waits for an answer for so long never got one. */
const LIMIT = 20_000;

/**
 * Runs CommonJS with a client in it.
 *
 * @param source may use `input`, and calls `succeed` or `fail` with what the client reported; errors keep their fields
 * @throws Error with what the process printed, if it ended without a report or too late
 */
export function runClient(network: NetworkRules, source: string, input: unknown): Promise<ClientReport> {
  const code = `
    const input = JSON.parse(process.argv[1]);
    const report = (value) => console.log(JSON.stringify(value));
    const plain = (error) => error instanceof Error ? { ...error, message: error.message } : error;
    const succeed = (value) => report({ succeeded: value });
    const fail = (error) => report({ failed: plain(error) });
    ${source}`;
  const env = { PATH: process.env.PATH, ...redirectEnvironment(network) };
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ['--import', redirectPreload(), '-e', code, JSON.stringify(input)],
      { env, cwd: ROOT, timeout: LIMIT },
      (error, stdout, stderr) => {
        if (error || stdout === '') reject(error ?? new Error(`the client reported nothing\n${stderr}`));
        else resolve(JSON.parse(stdout));
      },
    );
  });
}
