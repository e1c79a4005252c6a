import type { ApiGatewayManagementApiClient } from '@aws-sdk/client-apigatewaymanagementapi';
import type { Carrier, Outcome } from '../carrier.ts';
import { failure } from '../failure.ts';
import type { Connections } from './connections.ts';
import { post, SIGNAL } from './signal.ts';

/**
 * The desktop carrier: signals a device over its socket that there is something to sync. The message was stored
 * before; reading the connection only now closes the gap in which a device that is just logging in would miss it: it
 * finds the message in its backlog, or we find its connection.
 *
 * What may be silent is a device's own end of its connection, so the device stands for the host.
 *
 * @param timeout limit of the signal, milliseconds
 */
export function createDesktop(
  client: ApiGatewayManagementApiClient,
  connections: Connections,
  timeout: number,
): Carrier {
  async function signal(device: string): Promise<Outcome> {
    const connection = await connections.find(device);
    if (connection === undefined)
      return { kind: 'refused', reason: 'not connected', retire: false, expected: true };
    const posted = await post(client, connection, SIGNAL.sync, timeout);
    switch (posted.kind) {
      case 'sent':
        return { kind: 'accepted' };
      case 'gone':
        await connections.forget(device, connection);
        return { kind: 'refused', reason: 'connection gone', retire: false, expected: true };
      case 'denied':
        return { kind: 'fault', reason: posted.reason };
      case 'failed':
        return { kind: 'failed', reason: posted.reason, ...(posted.silent && { silent: device }) };
    }
  }

  return {
    send: ({ device }) => signal(device).catch((error: unknown) => failure(error, 'desktop', device)),
    close: async () => client.destroy(),
  };
}
