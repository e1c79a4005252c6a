/** Signals desktops over their sockets, from the queue. */
import { Connections } from '../../lib/carriers/desktop/connections.ts';
import { createDesktop } from '../../lib/carriers/desktop/desktop.ts';
import { type PartyOf, patient } from '../../lib/carriers/patient.ts';
import { socketClient, table } from '../environment.ts';
import { pushHandler } from '../push.ts';

/** A connection's other end is its device: an account can have some that take nothing. */
const partyOf: PartyOf = ({ device, user }) => ({ host: device, account: user });

export const handler = pushHandler('desktop', ({ strangerHold, silence }) => {
  const connections = new Connections(table('DIRECTORY_TABLE'), Date.now);
  const desktop = createDesktop(socketClient(), connections, strangerHold);
  // All signals go over the same few connections to AWS: trying another device costs nothing more.
  const limits = { ...silence, untried: Number.POSITIVE_INFINITY };
  const carrier = patient(desktop, limits, partyOf, Date.now);
  return async () => carrier;
});
