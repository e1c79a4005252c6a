/** `peal admin setup`. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { choosePassword, openOperator, type PasswordOptions, withPassword } from '../../admin/operator.ts';
import {
  type AccountOutcome,
  type CarrierOutcome,
  nextSteps,
  type SetupOptions,
  setUpAccount,
  setUpCarriers,
} from '../../admin/setup.ts';
import type { Asker, CarrierId } from '../../admin/setup-credentials.ts';
import { CliError, EXIT, UsageError } from '../../errors.ts';
import { note } from '../../output.ts';
import { ask, isInteractive, readPipe } from '../../prompt.ts';

const HELP = `
Walks through the carriers and the first account, and asks for what is not given. Credentials are checked with the
carrier, without sending anything to anybody, before they are stored; wrong ones are not stored. What is set already
stays, unless --replace names it, so it can be run again at any time. Without a terminal only what options give is done.

Examples:
  $ peal admin setup
  $ peal admin setup --fcm service-account.json --vapid-subject mailto:ops@example.com
  $ peal admin setup --apns-key AuthKey_ABC123DEFG.p8 --apns-team DEF456GHIJ --apns-topic com.example.peal
  $ aws secretsmanager get-secret-value … | peal admin setup --fcm - --replace fcm
  $ peal admin setup --email me@example.com --generate --json`;

type Options = SetupOptions & PasswordOptions;

const NAMES: readonly CarrierId[] = ['fcm', 'apns', 'webpush'];

export function registerSetup(admin: Command): void {
  const setup = admin
    .command('setup')
    .description('set up the carriers and the first account')
    .option('--fcm <file>', "service account's JSON file of Firebase; - for the standard input")
    .option('--apns-key <file>', '.p8 file of an APNs key; - for the standard input')
    .option('--apns-key-id <id>', "the key's id, if the file is not called AuthKey_<id>.p8")
    .option('--apns-team <id>', 'team id')
    .option('--apns-topic <bundle id>', "the app's bundle id, which the key is checked with")
    .addOption(
      new Option('--apns-environment <name>', 'where the key is checked').choices(['production', 'sandbox']),
    )
    .option('--vapid-subject <address>', 'makes a VAPID key for Web Push; mailto:… or https://…')
    .option('--replace <carriers>', 'replace what is set of fcm, apns, webpush (joined by commas)', carriers)
    .option('--unchecked', 'store credentials also if the carrier cannot be reached')
    .option('--email <address>', 'make this account, if there is none of the address')
    .option('--yes', 'do not ask before the VAPID key is replaced');
  withPassword(setup).addHelpText('after', HELP).action(run);
}

async function run(options: Options, command: Command): Promise<void> {
  const operator = openOperator(command);
  const inputs = [options.fcm === '-', options.apnsKey === '-', options.passwordStdin === true];
  if (inputs.filter(Boolean).length > 1)
    throw new UsageError('the standard input can be only one of them', 'Give files instead of -.');
  const outcomes = await setUpCarriers(operator, options, PERSON);
  const account = await setUpAccount(operator, options, PERSON, () => choosePassword(options));
  const status = await operator.ask({ command: 'status' }, 'api');
  const api = operator.apiAt(status.api);
  await operator.print({ carriers: outcomes, account, api }, textOf(account, api));
  complain(outcomes);
}

/** With `--json` the notes are in the way of nobody either: they go to the standard error. */
const PERSON: Asker = {
  get interactive() {
    return isInteractive();
  },
  ask,
  readInput: () => readPipe(process.stdin),
  note,
};

function textOf(account: AccountOutcome | undefined, api: string): string {
  if (!account) return nextSteps(api, account);
  const { email, user, made, password } = account;
  const what = made ? `Account ${email} is made.` : `Account ${email} is there.`;
  const shown = password === undefined ? '' : `\nIts password: ${password}`;
  return `${what} Its user key: ${user}${shown}\n\n${nextSteps(api, account)}`;
}

/** What was given and is not set makes the command fail, after everything else is done. */
function complain(outcomes: CarrierOutcome[]): void {
  const named = (result: CarrierOutcome['result']) =>
    outcomes.filter((outcome) => outcome.result === result).map(({ carrier }) => carrier);
  const refused = named('refused');
  if (refused.length > 0)
    throw new CliError(EXIT.refused, `not set: ${refused.join(', ')}`, 'Correct them and run it again.');
  const unchecked = named('unchecked');
  if (unchecked.length > 0)
    throw new CliError(EXIT.trouble, `not set: ${unchecked.join(', ')}`, 'Run it again in a while.');
}

function carriers(text: string): CarrierId[] {
  return text.split(',').map((name) => {
    const found = NAMES.find((known) => known === name.trim());
    if (found) return found;
    throw new InvalidArgumentError(`Can only be ${NAMES.join(', ')}.`);
  });
}
