/** `peal app`: the applications that send, and their tokens. */
import type { Command } from 'commander';
import { entryOf, updateConfig } from '../config.ts';
import { type Context, openContext } from '../context.ts';
import { printResult, table } from '../output.ts';
import { confirm } from '../prompt.ts';
import { callLoggedIn } from '../session.ts';
import { day } from '../time.ts';

const HELP = `
A token is shown once, when it is made. With --save it becomes the one that \`peal send\` uses.

Examples:
  $ peal app create backup --save
  $ TOKEN=$(peal app create ci --json | jq -r .token)
  $ peal app list`;

export function registerApp(program: Command): void {
  const app = program
    .command('app')
    .description('applications that send, and their tokens')
    .addHelpText('after', HELP);
  const save = ['--save', 'use the token for `peal send` from now on'] as const;
  app
    .command('create <name>')
    .description('make an application')
    .option(...save)
    .action(create);
  app.command('list').description('list your applications').action(list);
  app
    .command('rotate <id>')
    .description('replace the token of an application')
    .option(...save)
    .action(rotate);
  app
    .command('delete <id>')
    .description('delete an application')
    .option('--yes', 'do not ask')
    .action(remove);
}

async function create(name: string, options: { save?: boolean }, command: Command): Promise<void> {
  const context = openContext(command);
  const { id, token } = await callLoggedIn(context, (api) => api.createApp(name));
  if (options.save) saveToken(context, token);
  await printResult(context.json, { id, name, token }, `Application ${name} (id ${id}). Its token: ${token}`);
}

async function list(_options: object, command: Command): Promise<void> {
  const context = openContext(command);
  const listed = await callLoggedIn(context, (api) => api.listApps());
  const apps = listed.toSorted((a, b) => a.created_at - b.created_at || a.name.localeCompare(b.name));
  const rows = apps.map((app) => [app.id, app.name, day(app.created_at)]);
  const text =
    apps.length > 0 ? table(['ID', 'NAME', 'CREATED'], rows) : 'No applications yet: peal app create NAME';
  await printResult(context.json, apps, text);
}

async function rotate(id: string, options: { save?: boolean }, command: Command): Promise<void> {
  const context = openContext(command);
  const token = await callLoggedIn(context, (api) => api.rotateApp(id));
  if (options.save) saveToken(context, token);
  await printResult(
    context.json,
    { id, token },
    `The new token: ${token}\nThe old one is not accepted any more.`,
  );
}

async function remove(id: string, options: { yes?: boolean }, command: Command): Promise<void> {
  const context = openContext(command);
  await confirm(`Delete application ${id}? What sends with its token will be refused.`, options.yes === true);
  await callLoggedIn(context, (api) => api.deleteApp(id));
  await printResult(context.json, { id }, `Deleted application ${id}.`);
}

function saveToken(context: Context, token: string): void {
  updateConfig(context.configFile, (config) => {
    entryOf(config, context.server()).token = token;
  });
}
