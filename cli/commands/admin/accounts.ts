/** `peal admin account` and `reset-password`. */
import { type Command, InvalidArgumentError } from 'commander';
import type { AccountQuota, AccountSummary } from '../../../functions/admin/accounts.ts';
import { accountCommand } from '../../admin/account-command.ts';
import {
  choosePassword,
  openOperator,
  type PasswordOptions,
  withGenerated,
  withPassword,
} from '../../admin/operator.ts';
import { CliError, EXIT, UsageError } from '../../errors.ts';
import { note, table } from '../../output.ts';
import { ask, isInteractive } from '../../prompt.ts';
import { day } from '../../time.ts';

/** Invocations of a deletion after which something must be wrong: a day's work of a function. */
const MAX_ROUNDS = 1_000;

export function registerAccounts(admin: Command): void {
  const account = accountCommand(admin);
  withPassword(account.command('create <email>').description('make an account')).action(create);
  account
    .command('list')
    .description('list the accounts, by address')
    .option('--after <email>', 'begin after this address')
    .option('--limit <count>', 'list at most so many', positive)
    .action(list);
  account.command('show <email>').description('what an account has: devices, apps, limits').action(show);
  account
    .command('delete <email>')
    .description('delete an account with everything that is its')
    .option('--yes', 'do not ask for the address again')
    .action(remove);
  withPassword(
    admin
      .command('reset-password <email>')
      .description('set a new password, and end all sessions of the account')
      .option('--disable-twofa', 'also take the second factor away: for who has lost app and recovery codes'),
  ).action(resetPassword);
}

async function create(email: string, options: PasswordOptions, command: Command): Promise<void> {
  const operator = openOperator(command);
  const { password, generated } = await choosePassword(options);
  const { id: user } = await operator.ask({ command: 'create-account', email, password }, 'id');
  const text = `Account ${email}. Its user key: ${user}`;
  await operator.print({ email, user, ...generated }, withGenerated(text, generated));
}

async function resetPassword(
  email: string,
  options: PasswordOptions & { disableTwofa?: boolean },
  command: Command,
): Promise<void> {
  const operator = openOperator(command);
  const { password, generated } = await choosePassword(options);
  const twofa = options.disableTwofa ? 'off' : 'keep';
  const { id: user } = await operator.ask({ command: 'reset-password', email, password, twofa }, 'id');
  const text = `The password of ${email} is changed, and all sessions of the account are ended.`;
  await operator.print({ email, user, ...generated }, withGenerated(text, generated));
}

async function list(options: { after?: string; limit?: number }, command: Command): Promise<void> {
  const operator = openOperator(command);
  const most = options.limit ?? Infinity;
  const accounts = [];
  let after = options.after;
  do {
    const page = await operator.ask({ command: 'list-accounts', after }, 'accounts');
    accounts.push(...page.accounts);
    after = page.next;
  } while (after !== undefined && accounts.length < most);
  const shown = accounts.slice(0, most);
  const rows = shown.map(({ email, user, createdAt, twofa, deleting }) => [
    email,
    user,
    day(createdAt),
    twofa ? 'yes' : 'no',
    deleting ? 'being deleted' : '',
  ]);
  const text =
    rows.length > 0
      ? table(['E-MAIL', 'USER KEY', 'CREATED', 'TWO-FACTOR', ''], rows)
      : 'No accounts are listed. Those made before there was a list are in it once they have logged in.';
  await operator.print(
    shown.map(({ createdAt, ...one }) => ({ ...one, created_at: createdAt })),
    text,
  );
}

async function show(email: string, _options: object, command: Command): Promise<void> {
  const operator = openOperator(command);
  const account = await operator.ask({ command: 'show-account', email }, 'user');
  await operator.print(account, summaryText(account));
}

async function remove(email: string, options: { yes?: boolean }, command: Command): Promise<void> {
  const operator = openOperator(command);
  await confirmAddress(email, options.yes === true);
  let removal = await operator.ask({ command: 'delete-account', email }, 'done');
  for (let round = 1; !removal.done; round++) {
    if (round === MAX_ROUNDS) {
      throw new CliError(EXIT.trouble, `${email} is not all deleted yet`, 'Run the same again: it goes on.');
    }
    note('peal: there is more to delete, going on …');
    removal = await operator.ask({ command: 'delete-account', email }, 'done');
  }
  const { user } = removal;
  await operator.print({ email, user, deleted: true }, `Deleted ${email} with everything that was its.`);
}

/** What cannot be undone takes the address again; without a terminal, `--yes`. */
async function confirmAddress(email: string, yes: boolean): Promise<void> {
  if (yes) return;
  const warning = `This deletes ${email} with all its devices, apps, groups and waiting messages, for good.`;
  if (!isInteractive())
    throw new UsageError(`${warning} There is nobody to ask.`, 'Give --yes to do it without a question.');
  const typed = await ask(`${warning}\nType the address again: `);
  if (typed.trim() !== email) throw new CliError(EXIT.refused, 'nothing was done');
}

function summaryText(account: AccountSummary): string {
  const { email, user, two_factor: twofa, devices, apps } = account;
  const lines = [
    `E-mail:      ${email}${account.deleting ? ' (being deleted: run the deletion again)' : ''}`,
    `User key:    ${user}`,
    `Created:     ${day(account.created_at)}`,
    `Two-factor:  ${twofa ? 'on' : 'off'}`,
    `Sessions:    ${account.sessions}`,
    `Groups:      ${account.groups}`,
    `Sounds:      ${account.sounds}`,
    `Quota:       ${quotaText(account.quota)}`,
  ];
  const tables = [
    devices.length > 0 &&
      table(
        ['DEVICE', 'PLATFORM', 'PUSH', 'STATE', 'CREATED'],
        devices.map(({ name, platform, push, enabled, created_at: at }) => [
          name,
          platform,
          push?.type ?? '',
          enabled ? 'on' : 'off',
          day(at),
        ]),
      ),
    apps.length > 0 &&
      table(
        ['APP', 'ID'],
        apps.map(({ name, id }) => [name, String(id)]),
      ),
  ].filter((one) => one !== false);
  return [lines.join('\n'), ...tables].join('\n\n');
}

/** An account's quota in words. */
export function quotaText({ limit, own, remaining }: AccountQuota): string {
  const whose = own ? 'its own' : "the deployment's";
  return limit === 0 ? `none (${whose})` : `${limit} a month (${whose}), ${remaining ?? 0} left`;
}

function positive(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a whole number from 1.');
}
