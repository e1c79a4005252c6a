/** The command line: builds the commands, runs one, and turns its failure into a message and an exit code. */
import { CommanderError } from 'commander';
import { CliError, EXIT } from './errors.ts';
import { jsonLine, note } from './output.ts';
import { buildProgram } from './program.ts';

// Started by peal.js on an older Node: when that process is gone, however it went, this one goes as well.
if (process.connected) {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel?.unref();
}
// A reader that has seen enough (`peal … | head -1`) ends the command, and is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : EXIT.trouble);
});

try {
  await buildProgram().parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

function report(error: unknown): number {
  // Commander has told what is wrong by itself.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage;
  const advice =
    error instanceof CliError ? error.advice : 'This is a fault of the program: please report it.';
  const message = error instanceof Error ? error.message : String(error);
  if (process.argv.includes('--json')) note(jsonLine({ error: message, ...(advice && { advice }) }));
  else note(advice ? `peal: ${message}\n${advice}` : `peal: ${message}`);
  if (error instanceof CliError) return error.exitCode;
  if (process.env.PEAL_DEBUG && error instanceof Error) note(error.stack ?? '');
  return EXIT.trouble;
}
