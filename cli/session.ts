/** Logging in, and working as who is logged in. */
import { hostname } from 'node:os';
import type { PealApi, Session } from '../lib/device/api.ts';
import { CodeNeededError } from '../lib/device/errors.ts';
import { entryOf, updateConfig } from './config.ts';
import type { Context } from './context.ts';
import { RefusedError, UsageError } from './errors.ts';
import { ask, askHidden, isInteractive, readPipe } from './prompt.ts';

/** Where the e-mail address and password come from. */
export interface Credentials {
  email?: string | undefined;
  passwordStdin?: boolean | undefined;
}

/** What the account's list of sessions calls those of this machine. */
export const sessionName = (): string => `peal on ${hostname()}`.slice(0, 100);

/**
 * Finds e-mail address and password: as given, else by PEAL_EMAIL and PEAL_PASSWORD, else the local cloud's
 * demo account, else by asking (`twice` for a new account, which is not the one that is known). There is no option
 * for the password: other users can read a command's arguments.
 */
export async function findCredentials(
  context: Context,
  { email, passwordStdin }: Credentials,
  twice = false,
): Promise<{ email: string; password: string }> {
  const demo = twice ? undefined : context.local?.demo;
  const known = twice ? undefined : (context.entry().email ?? demo?.email);
  const address = email ?? (process.env.PEAL_EMAIL || known || (await askEmail()));
  const given = await givenPassword(passwordStdin);
  if (given !== undefined) return { email: address, password: given };
  if (demo && demo.email === address) return { email: address, password: demo.password };
  return { email: address, password: await askPassword(twice) };
}

/** The password of an account to be made: as given, else by asking twice. */
export async function newPassword(passwordStdin: boolean): Promise<string> {
  return (await givenPassword(passwordStdin)) ?? (await askPassword(true));
}

async function givenPassword(passwordStdin: boolean | undefined): Promise<string | undefined> {
  return passwordStdin ? readPipe(process.stdin) : process.env.PEAL_PASSWORD || undefined;
}

/** Keeps a session in the configuration. */
export function keepSession(context: Context, email: string, session: Session): void {
  const server = context.server();
  updateConfig(context.configFile, (config) => {
    config.server ??= server;
    Object.assign(entryOf(config, server), { email, user: session.user, secret: session.secret });
  });
  context.config.servers[server] = { ...context.entry(), email, ...session };
}

/** Forgets the session, and keeps what else is known of the server. */
export function forgetSession(context: Context): void {
  const server = context.server();
  updateConfig(context.configFile, (config) => {
    const { user: _user, secret: _secret, ...rest } = entryOf(config, server);
    config.servers[server] = rest;
  });
}

/** The session of this server, if there is one. With --local, one of the demo account that runs now. */
export function currentSession(context: Context): Session | undefined {
  const { user, secret } = context.entry();
  if (user === undefined || secret === undefined) return undefined;
  return { user, secret };
}

/**
 * Calls the server as who is logged in. With --local it logs in by itself, to the demo account, also when the
 * local cloud has forgotten the session; elsewhere it throws UsageError if nobody is logged in.
 */
export async function callLoggedIn<T>(context: Context, use: (api: PealApi) => Promise<T>): Promise<T> {
  const session = currentSession(context);
  if (!session) {
    if (!context.local?.demo)
      throw new UsageError(`not logged in at ${context.server()}`, 'Run: peal account login');
    return context.call(use, (await login(context, {})).secret);
  }
  try {
    return await context.call(use, session.secret);
  } catch (error) {
    const forgotten = error instanceof RefusedError && error.fields.includes('secret');
    if (!forgotten || !context.local?.demo) throw error;
    return context.call(use, (await login(context, { email: context.local.demo.email })).secret);
  }
}

/** Logs in and keeps the session. A code that is needed and was not given is asked for. */
export async function login(
  context: Context,
  { twofa, ...given }: Credentials & { twofa?: string | undefined },
): Promise<Session> {
  const credentials = { ...(await findCredentials(context, given)), name: sessionName() };
  const session = await context.call(async (api) => {
    try {
      return await api.login({ ...credentials, twofa });
    } catch (error) {
      if (!(error instanceof CodeNeededError) || twofa !== undefined || !isInteractive()) throw error;
      return api.login({ ...credentials, twofa: await ask('Code of your authenticator app: ') });
    }
  });
  keepSession(context, credentials.email, session);
  return session;
}

async function askEmail(): Promise<string> {
  if (!isInteractive()) throw new UsageError('no e-mail address given', 'Use --email or PEAL_EMAIL.');
  return (await ask('E-mail: ')).trim();
}

async function askPassword(twice: boolean): Promise<string> {
  if (!isInteractive()) throw new UsageError('no password given', 'Use --password-stdin or PEAL_PASSWORD.');
  const password = await askHidden('Password: ');
  if (twice && password !== (await askHidden('The same again: ')))
    throw new UsageError('the passwords differ');
  return password;
}
