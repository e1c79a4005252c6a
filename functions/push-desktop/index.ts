/** Signals desktops over their sockets, from the queue. */
import { Connections } from '../../lib/carriers/desktop/connections.ts';
import { createDesktop } from '../../lib/carriers/desktop/desktop.ts';
import { socketClient, table } from '../environment.ts';
import { pushHandler } from '../push.ts';

const desktop = createDesktop(socketClient(), new Connections(table('DIRECTORY_TABLE'), Date.now));

export const handler = pushHandler('desktop', async () => desktop);
