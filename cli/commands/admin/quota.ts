/** `peal admin quota`. */
import type { Command } from 'commander';
import { openOperator } from '../../admin/operator.ts';
import { UsageError } from '../../errors.ts';
import { quotaText } from './accounts.ts';

const HELP = `
The quota is how many users the messages of an account may reach in a month, over all its apps. Without a value it is
shown; a number gives the account its own, "none" no limit, "default" what the deployment says. It is in force at once,
for the month that is under way as well.`;

export function registerQuota(admin: Command): void {
  admin
    .command('quota <email> [quota]')
    .description('show or set how much an account may send in a month: a number, none or default')
    .addHelpText('after', HELP)
    .action(run);
}

async function run(
  email: string,
  given: string | undefined,
  _options: object,
  command: Command,
): Promise<void> {
  const operator = openOperator(command);
  const { quota } =
    given === undefined
      ? await operator.ask({ command: 'show-quota', email }, 'quota')
      : await operator.ask({ command: 'set-quota', email, quota: parseQuota(given) }, 'quota');
  await operator.print({ email, ...quota }, `Quota of ${email}: ${quotaText(quota)}`);
}

function parseQuota(text: string): number | 'default' {
  if (text === 'default') return text;
  if (text === 'none') return 0;
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new UsageError(`${text} is no quota`, 'Give a whole number from 1, none or default.');
}
