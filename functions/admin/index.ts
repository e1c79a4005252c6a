/**
 * The operator's function: invoked with AWS credentials (`lambda:InvokeFunction`), never over HTTP. Makes accounts
 * and invitations whatever the sign-up mode is.
 */
import { Accounts } from '../../lib/accounts/accounts.ts';
import { Refusal } from '../../lib/refusal.ts';
import { table } from '../environment.ts';

const accounts = new Accounts(table('DIRECTORY_TABLE'), Date.now);

/** What the operator asks for. */
export type AdminCommand =
  | { command: 'create-account'; email: string; password: string }
  | { command: 'invite' };

/** What came of it. `errors`: the command was refused. */
export type AdminAnswer = { id: string } | { invitation: string } | { errors: string[] };

export const handler = async (event: AdminCommand): Promise<AdminAnswer> => {
  try {
    switch (event.command) {
      case 'create-account':
        return { id: (await accounts.create(String(event.email), String(event.password))).id };
      case 'invite':
        return { invitation: await accounts.invite() };
      default:
        return { errors: ['unknown command, can only be create-account or invite'] };
    }
  } catch (error) {
    if (error instanceof Refusal) return { errors: error.sentences };
    throw error;
  }
};
