/** `peal config`: where things are, and the addresses to use. */
import { Argument, type Command } from 'commander';
import { type Config, entryOf, updateConfig } from '../config.ts';
import { normalizeServer, openContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import { printResult } from '../output.ts';

const KEYS = ['server', 'socket', 'token'] as const;
type Key = (typeof KEYS)[number];

const HELP = `
Keys:
  server   address of the Peal server
  socket   address of its WebSocket, for \`peal listen\`
  token    app token that \`peal send\` uses when none is given
socket and token belong to the server that is in use.

Examples:
  $ peal config set server https://peal.example.com
  $ peal config set socket wss://push.example.com/push
  $ peal config`;

export function registerConfig(program: Command): void {
  const config = program
    .command('config')
    .description('show or set addresses and files')
    .addHelpText('after', HELP);
  const key = () => new Argument('<key>', 'what to set').choices(KEYS);
  config.command('show', { isDefault: true }).description('show where everything is').action(show);
  config.command('set').addArgument(key()).argument('<value>').description('set a value').action(set);
  config.command('unset').addArgument(key()).description('forget a value').action(unset);
}

async function show(_options: object, command: Command): Promise<void> {
  const context = openContext(command);
  const known = Boolean(
    context.config.server || context.local || process.env.PEAL_SERVER || command.optsWithGlobals().server,
  );
  const values = {
    config: context.configFile,
    data: context.dataFolder,
    server: known ? context.server() : null,
    socket: known ? context.socket() : null,
    user: (known && context.entry().user) || null,
    loggedIn: known && context.entry().secret !== undefined,
    hasToken: known && context.entry().token !== undefined,
  };
  const lines = [
    `Configuration:  ${values.config}`,
    `Messages:       ${values.data}`,
    `Server:         ${values.server ?? 'not set: peal config set server https://…'}`,
    `WebSocket:      ${values.socket ?? '-'}`,
    `User key:       ${values.user ?? '-'}`,
    `Logged in:      ${values.loggedIn ? 'yes' : 'no'}`,
    `Token kept:     ${values.hasToken ? 'yes' : 'no'}`,
  ];
  await printResult(context.json, values, lines.join('\n'));
}

async function set(key: Key, value: string, _options: object, command: Command): Promise<void> {
  const context = openContext(command);
  const checked = check(key, value);
  updateConfig(context.configFile, (config) =>
    change(config, key, checked, key === 'server' ? '' : context.server()),
  );
  const shown = key === 'token' ? 'token is set' : `${key} is ${checked}`;
  await printResult(context.json, key === 'token' ? { token: true } : { [key]: checked }, shown);
}

async function unset(key: Key, _options: object, command: Command): Promise<void> {
  const context = openContext(command);
  updateConfig(context.configFile, (config) =>
    change(config, key, undefined, key === 'server' ? '' : context.server()),
  );
  await printResult(context.json, { [key]: null }, `${key} is not set`);
}

function check(key: Key, value: string): string {
  if (key === 'server') return normalizeServer(value);
  if (key === 'socket' && !(URL.canParse(value) && /^wss?:$/.test(new URL(value).protocol))) {
    throw new UsageError(
      `${value} is not an address of a WebSocket`,
      'It looks like wss://push.example.com/push.',
    );
  }
  if (key === 'token' && !/^[A-Za-z0-9]{30}$/.test(value)) {
    throw new UsageError('this is not an app token', 'It has 30 letters and digits: peal app create NAME');
  }
  return value;
}

function change(config: Config, key: Key, value: string | undefined, server: string): void {
  const target: { [name in Key]?: string | undefined } = key === 'server' ? config : entryOf(config, server);
  if (value === undefined) delete target[key];
  else target[key] = value;
}
