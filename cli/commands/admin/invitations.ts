/** `peal admin invite` and `invitations`. */
import type { Command } from 'commander';
import { openOperator } from '../../admin/operator.ts';
import { table } from '../../output.ts';
import { clock } from '../../time.ts';

export function registerInvitations(admin: Command): void {
  admin
    .command('invite')
    .description('make an invitation: good for one account, for a week')
    .option('--note <text>', 'for whom, to be found in the list')
    .action(invite);
  const invitations = admin.command('invitations').description('invitations that are still good');
  invitations.command('list', { isDefault: true }).description('list them: also without "list"').action(list);
  invitations.command('revoke <id>').description('take one back').action(revoke);
}

async function invite(options: { note?: string }, command: Command): Promise<void> {
  const operator = openOperator(command);
  const { invitation, id } = await operator.ask({ command: 'invite', note: options.note }, 'invitation');
  await operator.print(
    { invitation, id },
    `Invitation: ${invitation}\nGood for one account within a week: peal account create --invitation ${invitation}\nTo take it back: peal admin invitations revoke ${id}`,
  );
}

async function list(_options: object, command: Command): Promise<void> {
  const operator = openOperator(command);
  const { invitations } = await operator.ask({ command: 'list-invitations' }, 'invitations');
  const rows = invitations.map(({ id, note = '', createdAt, expiresAt }) => [
    id,
    clock(createdAt),
    clock(expiresAt),
    note,
  ]);
  const text =
    rows.length > 0 ? table(['ID', 'MADE', 'GOOD UNTIL', 'NOTE'], rows) : 'No invitations are open.';
  await operator.print(
    invitations.map(({ createdAt, expiresAt, ...one }) => ({
      ...one,
      created_at: createdAt,
      expires_at: expiresAt,
    })),
    text,
  );
}

async function revoke(id: string, _options: object, command: Command): Promise<void> {
  const operator = openOperator(command);
  await operator.ask({ command: 'revoke-invitation', id }, 'id');
  await operator.print({ id }, `Invitation ${id} is good for nobody any more.`);
}
