/** Questions to a person at a terminal, and input from a pipe. */
import { createInterface } from 'node:readline';
import { type Readable, Writable } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import { CliError, EXIT, UsageError } from './errors.ts';

/** Asks on stderr, so that stdout stays the result's. Rejects when the user interrupts or ends the input. */
export function ask(question: string): Promise<string> {
  return readLine(process.stdin, process.stderr, question, true);
}

/** Asks without showing what is typed. */
export async function askHidden(question: string): Promise<string> {
  const answer = await readLine(process.stdin, process.stderr, question, false);
  process.stderr.write('\n');
  return answer;
}

/** Reads one line from a terminal; with `echo` false nothing of it is written to the output. */
export function readLine(
  input: Readable,
  output: Writable,
  question: string,
  echo: boolean,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
    // First the terminal's own echo is turned off, then it is asked: who types fast is not seen either.
    const lines = createInterface({ input, output: echo ? output : silent, terminal: true });
    lines.setPrompt(echo ? question : '');
    if (echo) lines.prompt();
    else output.write(question);
    let settled = false;
    const interrupted = () => {
      if (settled) return;
      settled = true;
      reject(new CliError(EXIT.interrupted, 'interrupted'));
    };
    lines.once('line', (line) => {
      settled = true;
      lines.close();
      resolve(line);
    });
    lines.once('SIGINT', () => lines.close());
    lines.once('close', interrupted);
  });
}

/** Whether there is a person to ask. */
export function isInteractive(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Asks before something that cannot be undone. Without a terminal `--yes` must have been given. */
export async function confirm(question: string, yes: boolean): Promise<void> {
  if (yes) return;
  if (!isInteractive())
    throw new UsageError(`${question} There is nobody to ask.`, 'Give --yes to do it without a question.');
  const answer = await ask(`${question} [y/N] `);
  if (!/^y(es)?$/i.test(answer.trim())) throw new CliError(EXIT.refused, 'nothing was done');
}

/** All of a pipe's text, without the line break that ends it. */
export async function readPipe(input: Readable): Promise<string> {
  return (await readAll(input)).replace(/\r?\n$/, '');
}
