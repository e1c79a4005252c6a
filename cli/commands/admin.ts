/** `peal admin`: what only the operator may do, with AWS credentials and whatever the sign-up mode is. */
import { type Command, Option } from 'commander';
import { registerAccounts } from './admin/accounts.ts';
import { registerApps } from './admin/apps.ts';
import { registerCanary } from './admin/canary.ts';
import { registerExport } from './admin/export.ts';
import { registerInvitations } from './admin/invitations.ts';
import { registerPreflight } from './admin/preflight.ts';
import { registerQueues } from './admin/queues.ts';
import { registerQuota } from './admin/quota.ts';
import { registerSetup } from './admin/setup.ts';

const HELP = `
The commands invoke the function that the stack PealApi names in its output AdminFunction. They take AWS credentials
and region from where the AWS command line takes them (lambda:InvokeFunction is all they need), and need no account of
Peal. With --local they ask the local cloud that runs in this folder, and need no credentials. Only preflight comes before
the deployment, and looks at the account instead.

A password is asked for, or read from PEAL_PASSWORD or with --password-stdin, or made up with --generate.

Examples:
  $ peal admin preflight
  $ export PEAL_ADMIN_FUNCTION=PealApi-AdminFunction1A2B3C
  $ peal admin setup
  $ peal admin account create me@example.com --generate --json
  $ peal admin account list
  $ peal admin invite --note "for Ann"
  $ peal admin quota me@example.com 50000
  $ peal admin status
  $ peal admin redrive fcm
  $ peal admin canary`;

/** Adds a group of commands. */
type Register = (admin: Command) => void;

const GROUPS: readonly Register[] = [
  registerPreflight,
  registerSetup,
  registerAccounts,
  registerExport,
  registerApps,
  registerInvitations,
  registerQuota,
  registerQueues,
  registerCanary,
];

export function registerAdmin(program: Command): void {
  const admin = program
    .command('admin')
    .description(
      'for the operator: before deploying, setting up, accounts, apps, invitations, quotas, queues, canary',
    )
    .addOption(
      new Option('--function <name>', "the operator's function, the stack output AdminFunction").env(
        'PEAL_ADMIN_FUNCTION',
      ),
    )
    .addHelpText('after', HELP);
  for (const register of GROUPS) register(admin);
}
