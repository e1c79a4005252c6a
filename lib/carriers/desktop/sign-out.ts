import type { DeviceRegistry } from '../../accounts/device-registry.ts';
import type { Disconnect } from '../../accounts/session-registry.ts';
import type { Connections } from './connections.ts';
import { type Posted, SIGNAL, type Signal } from './signal.ts';

/** What it needs. */
export interface SignOutContext {
  devices: DeviceRegistry;
  connections: Connections;
  post(connection: string, signal: Signal): Promise<Posted>;
}

/**
 * Ends the connections of sessions that were ended: each is forgotten, so that no signal goes there any more, and then
 * told `E`, which its client takes for the end. That word may be lost: the connection then stays open, silent but for
 * its heartbeats, for two hours at most, and nobody can log in on it.
 */
export function signOut({ devices, connections, post }: SignOutContext): Disconnect {
  return async (user, isEnded) => {
    const list = (await devices.listMany([user])).get(user)?.devices ?? [];
    const ended = await connections.ofSessions(
      list.map(({ id }) => id),
      isEnded,
    );
    await Promise.all(
      ended.map(async ({ device, connection }) => {
        await connections.forget(device, connection);
        if ((await post(connection, SIGNAL.error)).kind === 'failed') await post(connection, SIGNAL.error);
      }),
    );
  };
}
