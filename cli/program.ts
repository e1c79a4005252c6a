/** The tree of commands. A group of commands is a file in `commands/` that registers itself here. */
import { Command } from 'commander';
import { registerAccount } from './commands/account.ts';
import { registerAcknowledge } from './commands/acknowledge.ts';
import { registerAdmin } from './commands/admin.ts';
import { registerApp } from './commands/app.ts';
import { registerConfig } from './commands/config.ts';
import { registerDevice } from './commands/device.ts';
import { registerListen } from './commands/listen.ts';
import { registerSend } from './commands/send.ts';
import { addGlobalOptions } from './context.ts';
import { readVersion } from './version.ts';

/** Adds a group of commands to the program. */
type Register = (program: Command) => void;

const GROUPS: readonly Register[] = [
  registerSend,
  registerListen,
  registerAcknowledge,
  registerAccount,
  registerApp,
  registerDevice,
  registerConfig,
  registerAdmin,
];

const HELP = `
Examples:
  $ peal config set server https://peal.example.com
  $ peal account create --email me@example.com
  $ peal app create backup --save
  $ peal send "Backup done" --title "$(hostname)"
  $ peal listen

Exit codes: 0 done, 1 refused by the server, 2 wrong usage, 3 server or network in trouble (try again).`;

export function buildProgram(): Command {
  const program = new Command('peal')
    .description('Send push notifications through your own Peal server, and receive them here.')
    .version(readVersion(), '-V, --version')
    .showHelpAfterError('(try: peal --help)')
    .addHelpText('after', HELP)
    .exitOverride();
  addGlobalOptions(program);
  for (const register of GROUPS) register(program);
  return program;
}
