/** `peal admin`: what only the operator may do, with AWS credentials and whatever the sign-up mode is. */
import { type Command, Option } from 'commander';
import { invokeAdmin } from '../admin/invoke.ts';
import { generatePassword } from '../admin/password.ts';
import { UsageError } from '../errors.ts';
import { printResult, table } from '../output.ts';
import { newPassword } from '../session.ts';
import { canaryLine, registerCanary } from './admin-canary.ts';

const HELP = `
The commands invoke the function that the stack PealApi names in its output AdminFunction. They take AWS credentials
and region from where the AWS command line takes them, and need no account of Peal.

The password is asked for, or read from PEAL_PASSWORD or with --password-stdin, or made up with --generate.

Examples:
  $ export PEAL_ADMIN_FUNCTION=PealApi-AdminFunction1A2B3C
  $ peal admin account create me@example.com
  $ peal admin account create ci@example.com --generate --json
  $ peal admin reset-password me@example.com --generate
  $ peal admin invite
  $ peal admin status
  $ peal admin redrive fcm
  $ peal admin canary`;

interface AdminOptions {
  json?: boolean;
  function?: string;
  passwordStdin?: boolean;
  generate?: boolean;
  disableTwofa?: boolean;
}

export function registerAdmin(program: Command): void {
  const admin = program
    .command('admin')
    .description('for the operator: accounts, passwords, invitations, queues');
  admin
    .addOption(
      new Option('--function <name>', "the operator's function, the stack output AdminFunction").env(
        'PEAL_ADMIN_FUNCTION',
      ),
    )
    .addHelpText('after', HELP);
  withPassword(
    admin.command('account').description('accounts').command('create <email>').description('make an account'),
  ).action(createAccount);
  withPassword(
    admin
      .command('reset-password <email>')
      .description('set a new password, and end all sessions of the account')
      .option('--disable-twofa', 'also take the second factor away: for who has lost app and recovery codes'),
  ).action(resetPassword);
  admin.command('invite').description('make an invitation: good for one account, for a week').action(invite);
  admin
    .command('status')
    .description('how the queues are, and which carriers have credentials')
    .action(status);
  admin.command('redrive <queue>').description('put the dead letters of a queue back on it').action(redrive);
  registerCanary(admin, functionName);
}

function withPassword(command: Command): Command {
  return command
    .addOption(
      new Option('--password-stdin', 'read the password from the standard input').conflicts('generate'),
    )
    .option('--generate', 'make a password up, and show it');
}

async function createAccount(email: string, _options: object, command: Command): Promise<void> {
  const options = command.optsWithGlobals<AdminOptions>();
  const name = functionName(options);
  const { password, generated } = await choosePassword(options);
  const { id: user } = await invokeAdmin(name, { command: 'create-account', email, password }, 'id');
  await printAccount(options, { email, user, ...generated }, `Account ${email}. Its user key: ${user}`);
}

async function resetPassword(email: string, _options: object, command: Command): Promise<void> {
  const options = command.optsWithGlobals<AdminOptions>();
  const name = functionName(options);
  const { password, generated } = await choosePassword(options);
  const twofa = options.disableTwofa ? 'off' : 'keep';
  const reset = { command: 'reset-password', email, password, twofa } as const;
  const { id: user } = await invokeAdmin(name, reset, 'id');
  const text = `The password of ${email} is changed, and all sessions of the account are ended.`;
  await printAccount(options, { email, user, ...generated }, text);
}

/** The new password, and if it was made up, what is to be shown of it. */
async function choosePassword(
  options: AdminOptions,
): Promise<{ password: string; generated: { password?: string } }> {
  if (!options.generate)
    return { password: await newPassword(options.passwordStdin === true), generated: {} };
  const password = generatePassword();
  return { password, generated: { password } };
}

async function printAccount(
  options: AdminOptions,
  value: { email: string; user: string; password?: string },
  text: string,
): Promise<void> {
  const shown = value.password === undefined ? text : `${text}\nIts password: ${value.password}`;
  await printResult(options.json === true, value, shown);
}

async function invite(_options: object, command: Command): Promise<void> {
  const options = command.optsWithGlobals<AdminOptions>();
  const { invitation } = await invokeAdmin(functionName(options), { command: 'invite' }, 'invitation');
  await printResult(
    options.json === true,
    { invitation },
    `Invitation: ${invitation}\nGood for one account within a week: peal account create --invitation ${invitation}`,
  );
}

async function status(_options: object, command: Command): Promise<void> {
  const options = command.optsWithGlobals<AdminOptions>();
  const answer = await invokeAdmin(functionName(options), { command: 'status' }, 'queues');
  const { queues, canaryStatus: canary } = answer;
  const rows = queues.map(({ name, credentials, waiting, deadLetters }) => [
    name,
    credentials ?? 'needs none',
    String(waiting),
    String(deadLetters),
  ]);
  const text = table(['QUEUE', 'CREDENTIALS', 'WAITING', 'DEAD LETTERS'], rows);
  await printResult(options.json === true, { queues, canary }, `${text}\n\n${canaryLine(canary)}`);
}

async function redrive(queue: string, _options: object, command: Command): Promise<void> {
  const options = command.optsWithGlobals<AdminOptions>();
  const done = await invokeAdmin(functionName(options), { command: 'redrive', queue }, 'records');
  const { records, expired, unreadable } = done;
  const text = `${records} put back, ${expired} expired and deleted, ${unreadable} unreadable and left.`;
  await printResult(options.json === true, { records, expired, unreadable }, text);
}

function functionName(options: { function?: string }): string {
  if (options.function) return options.function;
  throw new UsageError(
    'the function is not known',
    'Give the output AdminFunction of the stack PealApi: --function, or PEAL_ADMIN_FUNCTION.',
  );
}
