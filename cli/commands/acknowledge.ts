/** `peal acknowledge`: says that somebody has seen an emergency message, which ends its repetitions. */
import type { Command } from 'commander';
import { openContext } from '../context.ts';
import { printResult } from '../output.ts';
import { callLoggedIn } from '../session.ts';

const HELP = `
The receipt stands behind an emergency message, and is PEAL_RECEIPT for the command of \`peal listen --exec\`. One
acknowledgement is enough: the message is not repeated to anybody, and its sender is told.

Example:
  $ peal acknowledge rW5bVQ2mJcRaPZtD8yKfL7xN4sEqGh`;

export function registerAcknowledge(program: Command): void {
  program
    .command('acknowledge <receipt>')
    .description('acknowledge an emergency message')
    .addHelpText('after', HELP)
    .action(acknowledge);
}

async function acknowledge(receipt: string, _options: object, command: Command): Promise<void> {
  const context = openContext(command);
  await callLoggedIn(context, (api) => api.acknowledgeReceipt(receipt));
  await printResult(
    context.json,
    { receipt, acknowledged: true },
    'Acknowledged: it is not repeated any more.',
  );
}
