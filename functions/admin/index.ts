/**
 * The operator's function: invoked with AWS credentials (`lambda:InvokeFunction`), never over HTTP. A group of commands
 * is a file here; `peal admin` asks for them by name.
 */
import { Refusal } from '../../lib/refusal.ts';
import { ACCOUNT_COMMANDS } from './accounts.ts';
import { APP_COMMANDS } from './apps.ts';
import { CANARY_COMMANDS } from './canary.ts';
import { CARRIER_COMMANDS } from './carriers.ts';
import { INVITATION_COMMANDS } from './invitations.ts';
import { QUEUE_COMMANDS } from './queues.ts';

const COMMANDS = {
  ...ACCOUNT_COMMANDS,
  ...APP_COMMANDS,
  ...CANARY_COMMANDS,
  ...CARRIER_COMMANDS,
  ...INVITATION_COMMANDS,
  ...QUEUE_COMMANDS,
};

type Commands = typeof COMMANDS;
export type CommandName = keyof Commands;

/** What a command is given. */
type Given<Name extends CommandName> = Parameters<Commands[Name]> extends [infer First] ? First : object;

/** What the operator asks for. */
export type AdminCommand<Name extends CommandName = CommandName> = {
  [One in Name]: { command: One } & Given<One>;
}[Name];

/** What a command answers. */
export type AnswerOf<Name extends CommandName> = Awaited<ReturnType<Commands[Name]>>;

/** What came of it. `errors`: the command was refused. */
export type AdminAnswer = AnswerOf<CommandName> | { errors: string[] };

export const handler = async (event: AdminCommand): Promise<AdminAnswer> => {
  try {
    const run = Object.hasOwn(COMMANDS, event.command)
      ? (COMMANDS[event.command] as (given: AdminCommand) => Promise<AdminAnswer>)
      : undefined;
    if (run) return await run(event);
    return { errors: [`unknown command, can only be ${Object.keys(COMMANDS).join(', ')}`] };
  } catch (error) {
    if (error instanceof Refusal) return { errors: error.sentences };
    throw error;
  }
};
