/** Servers that listen on loopback and go away at once. */
import type { Server } from 'node:http';
import type { AddressInfo, Server as TcpServer } from 'node:net';

/**
 * Listens on 127.0.0.1; 0 means any port. Resolves to the port, rejects when it is taken. What goes wrong later, such as
 * one connection too many for this machine, is warned of and ends nothing.
 */
export function listen(server: TcpServer, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.removeListener('error', reject);
      server.on('error', (error) => process.emitWarning(error));
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Closes a server and its connections, busy ones included. */
export function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
