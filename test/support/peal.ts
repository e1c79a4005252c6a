/** A Peal in the local cloud for one test file, and short ways to what the tests need of it. */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import type { PealConfig } from '#config';
import { createApi, type PealApi, PealError } from '../../lib/device/index.ts';
import { currentAssembly } from '../../local/assembly.ts';
import { type Peal, type PealOptions, startPeal } from '../../local/peal.ts';
import type { CloudLog } from '../../local/types.ts';
import { PASSWORD, seedAccount, tableOf } from './directory.ts';
import { noteGrants } from './grants.ts';
import { sharedPeal } from './shared-peal.ts';

/** A line that the local cloud or a function logged. */
export interface LogLine {
  level: Parameters<CloudLog>[0];
  message: string;
  fields?: Record<string, unknown> | undefined;
}

/** A started Peal and what it logged. */
export interface TestPeal extends Peal {
  lines: LogLine[];
}

export interface TestOptions extends Partial<PealOptions> {
  config?: PealConfig;
  /** Error lines that the tests provoke on purpose. */
  expectedErrors?: RegExp;
}

/**
 * Gives the tests of a file a Peal: one that is started before them and ended after them, or the one of the process, if
 * the file is run together with others (`runTogether`) and asks for nothing special. When they end, nothing may have
 * gone wrong that the tests did not provoke: an unhandled error in a function's log fails the file.
 */
export function usePeal(options: TestOptions = {}): () => TestPeal {
  const { expectedErrors, config, ...special } = options;
  const common = Object.keys(special).length === 0;
  let peal: TestPeal | undefined;
  before(async () => {
    peal =
      (common && (await sharedPeal(config))) || (await openPeal({ ...special, ...(config && { config }) }));
  });
  after(async () => {
    await peal?.close();
    const unexpected = (peal?.lines ?? []).filter(
      ({ level, message, fields }) =>
        level === 'error' && !expectedErrors?.test(`${message} ${JSON.stringify(fields)}`),
    );
    assert.deepEqual(unexpected, []);
  });
  return () => peal!;
}

/** Starts a Peal, which TLS clients also reach as the real service; the caller closes it. */
export async function openPeal({
  config,
  ...options
}: Omit<TestOptions, 'expectedErrors'> = {}): Promise<TestPeal> {
  const lines: LogLine[] = [];
  const log: CloudLog = (level, message, fields) => void lines.push({ level, message, fields });
  const assembly = options.assembly ?? (await currentAssembly(config));
  const peal = await startPeal({
    sweepInterval: 0,
    schedules: 'off',
    startAhead: false,
    apiNames: ['api.pushover.net'],
    ...options,
    assembly,
    log,
  });
  const close = async (): Promise<void> => {
    await noteGrants(peal.cloud.iam);
    await peal.close();
  };
  return { ...peal, close, lines };
}

let accounts = 0;

/** An account for a test, with its API logged in and an app. */
export interface TestAccount {
  email: string;
  password: string;
  user: string;
  secret: string;
  api: PealApi;
  token: string;
}

/** A new account. */
export async function newAccount(peal: Peal): Promise<TestAccount> {
  accounts++;
  const email = `user${accounts}@example.org`;
  const seeded = await seedAccount(tableOf(peal, 'Directory'), email);
  return {
    ...seeded,
    email,
    password: PASSWORD,
    api: createApi({ url: peal.api }).withSecret(seeded.secret),
  };
}

/** A parsed answer of the API. */
export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

/** Makes a request as a client would, with whatever body. */
export async function request(peal: Peal, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`${peal.api}/1/${path}`, init);
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}

/** Posts a form. */
export function post(peal: Peal, path: string, fields: Record<string, string>): Promise<Answer> {
  return request(peal, path, { method: 'POST', body: new URLSearchParams(fields) });
}

/** Gets with a query. */
export function get(peal: Peal, path: string, query: Record<string, string>): Promise<Answer> {
  return request(peal, `${path}?${new URLSearchParams(query)}`);
}

/** What the API refused with. */
export async function refusal(work: Promise<unknown>): Promise<PealError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof PealError) return error;
    throw error;
  }
  return assert.fail('it was not refused');
}
