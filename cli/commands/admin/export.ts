/** `peal admin account export`. */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { accountCommand } from '../../admin/account-command.ts';
import { SectionWriter, writeWhole } from '../../admin/export-file.ts';
import { type Operator, openOperator } from '../../admin/operator.ts';
import { UsageError } from '../../errors.ts';
import { write } from '../../output.ts';

const HELP = `
The file is one JSON object of lists: the account, its sessions, devices, apps, sounds, groups and their members, the
groups of others that it is in, receipts, counts, and what waits for its devices. Without secrets and their hashes, and
without the text of sealed messages, for which only the device has the key.`;

export function registerExport(admin: Command): void {
  accountCommand(admin)
    .command('export <email>')
    .description('write all that is stored of an account, as JSON')
    .option('--output <file>', 'a new file; without it, to the standard output')
    .addHelpText('after', HELP)
    .action(run);
}

async function run(email: string, options: { output?: string }, command: Command): Promise<void> {
  const operator = openOperator(command);
  const { output } = options;
  if (output === undefined) return exportTo(operator, email, (text) => write(process.stdout, text));
  if (existsSync(output)) throw new UsageError(`${output} is there already`, 'Give a new file to --output.');
  try {
    await writeWhole(output, (sink) => exportTo(operator, email, sink));
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw new UsageError(`cannot write ${output}: ${error.message}`);
  }
  await operator.print({ email, file: output }, `All that is stored of ${email} is in ${output}.`);
}

async function exportTo(
  operator: Operator,
  email: string,
  sink: (text: string) => Promise<unknown>,
): Promise<void> {
  const writer = new SectionWriter(sink);
  let cursor: string | undefined;
  do {
    const piece = await operator.ask({ command: 'export-account', email, cursor }, 'parts');
    for (const part of piece.parts) await writer.add(part);
    cursor = piece.next;
  } while (cursor !== undefined);
  await writer.close();
}
