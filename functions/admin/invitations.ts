/** Invitations. */
import { Invitations } from '../../lib/accounts/invitations.ts';
import { clock, directory } from './context.ts';

const invitations = new Invitations(directory, clock);

export const INVITATION_COMMANDS = {
  invite: async ({ note }: { note?: string | undefined }) => {
    const { code, id } = await invitations.make(note);
    return { invitation: code, id };
  },

  'list-invitations': async () => ({ invitations: await invitations.list() }),

  'revoke-invitation': async ({ id }: { id: string }) => {
    await invitations.revoke(String(id));
    return { id };
  },
};
