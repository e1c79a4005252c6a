import type { Command } from 'commander';

/** `peal admin account`, to which several groups of commands add. */
export function accountCommand(admin: Command): Command {
  const known = admin.commands.find((command) => command.name() === 'account');
  return known ?? admin.command('account').description('accounts: create, list, show, export, delete');
}
