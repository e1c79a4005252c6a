/** `peal account`: sign up, log in, log out. */
import { type Command, Option } from 'commander';
import { openContext } from '../context.ts';
import { RefusedError } from '../errors.ts';
import { printResult } from '../output.ts';
import {
  type Credentials,
  currentSession,
  findCredentials,
  forgetSession,
  keepSession,
  login,
  sessionName,
} from '../session.ts';

const HELP = `
The password is asked for, or read from PEAL_PASSWORD or with --password-stdin. It is no option of its own,
because other users of this machine can read the arguments of a command.

Examples:
  $ peal account create --email me@example.com
  $ pass show peal | peal account login --email me@example.com --password-stdin
  $ peal account login --local`;

export function registerAccount(program: Command): void {
  const account = program
    .command('account')
    .description('sign up, log in, log out')
    .addHelpText('after', HELP);
  withCredentials(account.command('create').description('sign up, and log in'))
    .option('--invitation <code>', 'invitation, if the server asks for one')
    .action(create);
  withCredentials(account.command('login').description('log in'))
    .option('--twofa <code>', 'code of your authenticator app, or a recovery code; asked for if needed')
    .action(logIn);
  account.command('logout').description('end the session').action(logOut);
  account.command('show').description('tell who is logged in').action(show);
}

function withCredentials(command: Command): Command {
  return command
    .addOption(new Option('--email <address>', 'e-mail address').env('PEAL_EMAIL'))
    .option('--password-stdin', 'read the password from the standard input');
}

async function create(options: Credentials & { invitation?: string }, command: Command): Promise<void> {
  const context = openContext(command);
  const credentials = await findCredentials(context, options, true);
  const account = { ...credentials, invitation: options.invitation, name: sessionName() };
  const session = await context.call((api) => api.signUp(account));
  keepSession(context, credentials.email, session);
  await printResult(
    context.json,
    { server: context.server(), email: credentials.email, user: session.user },
    `Signed up at ${context.server()}. Your user key: ${session.user}`,
  );
}

async function logIn(options: Credentials & { twofa?: string }, command: Command): Promise<void> {
  const context = openContext(command);
  const { user } = await login(context, options);
  await printResult(
    context.json,
    { server: context.server(), email: context.entry().email, user },
    `Logged in at ${context.server()}. Your user key: ${user}`,
  );
}

async function logOut(_options: object, command: Command): Promise<void> {
  const context = openContext(command);
  const session = currentSession(context);
  if (session) {
    try {
      await context.call((api) => api.logout(), session.secret);
    } catch (error) {
      // A session that the server does not know is ended. When the server cannot be reached it is not: say so.
      if (!(error instanceof RefusedError && error.fields.includes('secret'))) throw error;
    }
    forgetSession(context);
  }
  await printResult(context.json, { server: context.server() }, `Logged out at ${context.server()}.`);
}

async function show(_options: object, command: Command): Promise<void> {
  const context = openContext(command);
  const { email, user, secret } = context.entry();
  const loggedIn = secret !== undefined;
  const lines = [`Server:     ${context.server()}`, `Logged in:  ${loggedIn ? 'yes' : 'no'}`];
  if (email !== undefined) lines.push(`E-mail:     ${email}`);
  if (user !== undefined) lines.push(`User key:   ${user}`);
  await printResult(context.json, { server: context.server(), loggedIn, email, user }, lines.join('\n'));
}
