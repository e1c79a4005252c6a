/** `peal admin apps`: the apps of an account whose owner has lost a token, or must not send any more. */
import type { Command } from 'commander';
import { openOperator } from '../../admin/operator.ts';
import { table } from '../../output.ts';
import { confirm } from '../../prompt.ts';
import { day } from '../../time.ts';

export function registerApps(admin: Command): void {
  const apps = admin.command('apps').description('the applications of an account, and their tokens');
  apps
    .command('list <email>', { isDefault: true })
    .description('list them: also without "list"')
    .action(list);
  apps
    .command('rotate <email> <id>')
    .description('replace the token of one, and show the new')
    .action(rotate);
  apps.command('delete <email> <id>').description('delete one').option('--yes', 'do not ask').action(remove);
}

async function list(email: string, _options: object, command: Command): Promise<void> {
  const operator = openOperator(command);
  const { apps } = await operator.ask({ command: 'list-apps', email }, 'apps');
  const rows = apps.map((app) => [app.id, app.name, day(app.created_at)]);
  const text = rows.length > 0 ? table(['ID', 'NAME', 'CREATED'], rows) : `${email} has no applications.`;
  await operator.print(apps, text);
}

async function rotate(email: string, app: string, _options: object, command: Command): Promise<void> {
  const operator = openOperator(command);
  const { token } = await operator.ask({ command: 'rotate-app', email, app }, 'token');
  await operator.print({ id: app, token }, `The new token: ${token}\nThe old one is not accepted any more.`);
}

async function remove(
  email: string,
  app: string,
  options: { yes?: boolean },
  command: Command,
): Promise<void> {
  const operator = openOperator(command);
  const question = `Delete application ${app} of ${email}? What sends with its token will be refused.`;
  await confirm(question, options.yes === true);
  await operator.ask({ command: 'delete-app', email, app }, 'app');
  await operator.print({ id: app }, `Deleted application ${app}.`);
}
