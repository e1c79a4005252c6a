/** What every command of the operator works with. */
import { type Command, Option } from 'commander';
import type { AdminCommand, AnswerOf, CommandName } from '../../functions/admin/index.ts';
import { UsageError } from '../errors.ts';
import { type LocalState, readLocalState } from '../local-state.ts';
import { printResult } from '../output.ts';
import { newPassword } from '../session.ts';
import { type AdminFunction, invokeAdmin } from './invoke.ts';
import { generatePassword } from './password.ts';

/** Options of the commands, and those of the program. */
interface OperatorOptions {
  json?: boolean;
  function?: string;
  local?: boolean;
}

/** How a command chooses a password. */
export interface PasswordOptions {
  passwordStdin?: boolean;
  generate?: boolean;
}

export interface Operator {
  /** Results as JSON. */
  json: boolean;
  /** Asks the operator's function. @throws CliError */
  ask<Name extends CommandName>(
    command: AdminCommand<Name>,
    field: keyof AnswerOf<Name> & string,
  ): Promise<AnswerOf<Name>>;
  /** Where the API that the function names is reached from here: the local cloud has another address for it. */
  apiAt(address: string): string;
  /** Prints the value as JSON, or the text for people. */
  print(value: unknown, text: string): Promise<void>;
}

/** Reads the options that all commands share. @throws UsageError if the function is not known */
export function openOperator(command: Command): Operator {
  const options = command.optsWithGlobals<OperatorOptions>();
  const local = options.local ? readLocalState(process.cwd()) : undefined;
  const named = local ? localFunction(local) : options.function && { name: options.function };
  if (!named) {
    throw new UsageError(
      'the function is not known',
      'Give the output AdminFunction of the stack PealApi: --function, or PEAL_ADMIN_FUNCTION.',
    );
  }
  const json = options.json === true;
  return {
    json,
    ask: (asked, field) => invokeAdmin(named, asked, field),
    apiAt: (address) => local?.api ?? address,
    print: (value, text) => printResult(json, value, text),
  };
}

function localFunction({ operator }: LocalState): AdminFunction {
  if (operator) return { name: operator.function, endpoint: operator.endpoint };
  throw new UsageError('the local cloud does not say what its operator’s function is', 'Start it anew.');
}

/** Declares the options of a command that sets a password. */
export function withPassword(command: Command): Command {
  return command
    .addOption(
      new Option('--password-stdin', 'read the password from the standard input').conflicts('generate'),
    )
    .option('--generate', 'make a password up, and show it');
}

/** The new password, and if it was made up, what is to be shown of it. */
export async function choosePassword(
  options: PasswordOptions,
): Promise<{ password: string; generated: { password?: string } }> {
  if (!options.generate)
    return { password: await newPassword(options.passwordStdin === true), generated: {} };
  const password = generatePassword();
  return { password, generated: { password } };
}

/** A text, and the password that was made up for it. */
export function withGenerated(text: string, { password }: { password?: string }): string {
  return password === undefined ? text : `${text}\nIts password: ${password}`;
}
