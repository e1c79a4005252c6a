import { DeviceRegistry } from '../lib/accounts/device-registry.ts';
import { SessionRegistry } from '../lib/accounts/session-registry.ts';
import { Connections } from '../lib/carriers/desktop/connections.ts';
import { signOut } from '../lib/carriers/desktop/sign-out.ts';
import { post } from '../lib/carriers/desktop/signal.ts';
import type { Table } from '../lib/storage/table.ts';
import { socketClient } from './environment.ts';

/** Limit of telling a connection that it is over. Milliseconds. */
const TIMEOUT = 2_000;

/** The sessions of accounts, which take their sockets with them when they are ended. */
export function sessionRegistry(directory: Table): SessionRegistry {
  const client = socketClient();
  const disconnect = signOut({
    devices: new DeviceRegistry(directory, Date.now),
    connections: new Connections(directory, Date.now),
    post: (connection, signal) => post(client, connection, signal, TIMEOUT),
  });
  return new SessionRegistry(directory, Date.now, disconnect);
}
